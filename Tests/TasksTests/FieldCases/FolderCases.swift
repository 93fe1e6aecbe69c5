import Foundation
import TestSupport
import Testing

/// Folders of texts and of sound.
struct FolderCases {
  @Test(arguments: texts + sounds)
  func everythingInAFolderIsReadOrTold(fieldCase: FieldCase) throws { try fieldCase.check() }

  /// Files of a folder `f`.
  private static func folder(
    _ name: String, _ files: [String: [UInt8]], _ settings: String..., outcome: FieldCase.Outcome
  ) -> FieldCase {
    .files(
      name, Dictionary(uniqueKeysWithValues: files.map { ("f/" + $0.key, $0.value) }),
      ["task=classification", "data.path=./f", "data.validation=0"] + settings, outcome: outcome)
  }

  private static func text(_ text: String) -> [UInt8] { Array(text.utf8) }

  // MARK: Texts

  private static let documents = ["a/1.txt": "x y\nz\n", "a/2.txt": "x\r\n\r\ny\r\n", "b/1.txt": "z\n"].mapValues(text)

  private static let texts: [FieldCase] = [
    folder(
      "documents, each line a text", documents, "data.files={class}/*.txt",
      outcome: .read(
        .init(told: ["3 files are 5 texts", "data.texts=files", "line 2"], count: 5, classes: ["a", "b"]))),
    folder(
      "documents, each file a text", documents, "data.files={class}/*.txt", "data.texts=files",
      outcome: .read(.init(count: 3, entries: ["x", "y", "z"]))),
    folder(
      "characters of documents have line feeds", documents, "data.files={class}/*.txt", "data.texts=files",
      "data.tokens=characters", outcome: .read(.init(count: 3, entries: ["x", "y", "z", " ", "\n"]))),
    folder(
      "a document of nothing but white space", ["a/1.txt": text("x"), "b/1.txt": text(" \n")],
      "data.files={class}/*.txt", "data.texts=files", outcome: .refused(["1.txt", "got none", "leave the file out"])),
    folder(
      "a byte order mark in a document", ["a.txt": text("\u{FEFF}x"), "b.txt": text("y")], "data.texts=files",
      outcome: .read(.init(count: 2, entries: ["x", "y"]))),
    folder(
      "lines that end with carriage returns alone", ["a.txt": text("x\ry\r"), "b.txt": text("z\n")],
      outcome: .refused(["carriage returns alone", "a.txt", "tr "])),
    folder(
      "blank lines", ["a.txt": text("x\n\n \ny\n"), "b.txt": text("z\n")],
      outcome: .read(.init(told: ["white space is passed over", "a.txt, line 2", "a.txt, line 3"], count: 3))),
    folder(
      "other files beside those of the classes",
      ["a.txt": text("x"), "b.TXT": text("y"), "LICENSE": [0xFF], "c/d.txt": text("z"), ".e.txt": [0xFF]],
      outcome: .read(
        .init(told: ["file passed over", "LICENSE", "data.files={class}.txt", "folder passed over", "(c)"], count: 2))
    ),
    folder(
      "texts in UTF-16", ["a.txt": [0x78, 0, 0x0A, 0], "b.txt": text("y")], outcome: .refused(["iconv -f UTF-16LE"])),
    folder(
      "a class whose files have another suffix", ["a/1.txt": text("x"), "b/1.text": text("y")],
      "data.files={class}/*.txt", outcome: .refused(["one class only", "data.files", "b/1.text"])),
    folder(
      "classes in folders, and a pattern for files", ["a/1.txt": text("x"), "b/1.txt": text("y")],
      outcome: .refused(["no file fits", "\"a/\"", "data.files"])),
  ]

  // MARK: Sound

  private static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  private static func chunk(_ name: String, _ body: [UInt8], size: Int? = nil) -> [UInt8] {
    text(name) + little(size ?? body.count, 4) + body
  }

  /// A WAV file of 400 samples of 16 bits, the length of whose data chunk may be another than is said.
  private static func wav(channels: Int = 1, size: Int? = nil, behind: [UInt8] = []) -> [UInt8] {
    let format =
      little(1, 2) + little(channels, 2) + little(8000, 4) + little(16_000 * channels, 4)
      + little(2 * channels, 2) + little(16, 2)
    let samples = (0..<400 * channels).flatMap { little($0 * 37 % 1000, 2) }
    let body = text("WAVE") + chunk("fmt ", format) + chunk("data", samples, size: size) + behind
    return text("RIFF") + little(body.count, 4) + body
  }

  private static let empty: [UInt8] = {
    let whole = wav()
    return Array(whole.prefix(whole.count - 804)) + little(0, 4)
  }()

  /// FLAC behind a tag of 20 bytes.
  private static let tagged = text("ID3\u{4}\0\0") + [0, 0, 0, 20] + [UInt8](repeating: 0, count: 20) + flacFile
  private static let flacFile =
    (try? flac((0..<400).map { Float($0 % 100) / 128 })) ?? []

  private static func sound(
    _ name: String, _ files: [String: [UInt8]], _ settings: String..., outcome: FieldCase.Outcome
  ) -> FieldCase {
    .files(
      name, Dictionary(uniqueKeysWithValues: files.map { ("f/" + $0.key, $0.value) }),
      [
        "task=classification", "data.path=./f", "data.validation=0", "data.source=audio", "data.files={class}/*.wav",
      ] + settings, outcome: outcome)
  }

  private static let sounds: [FieldCase] = [
    sound(
      "suffixes in capitals", ["a/1.wav": wav(), "a/2.WAV": wav(), "b/1.Wav": wav()],
      outcome: .read(.init(count: 3, classes: ["a", "b"]))),
    sound(
      "other files, other depths", ["a/1.wav": wav(), "b/1.wav": wav(), "b/note.txt": [1], "b/c/2.wav": wav()],
      outcome: .read(.init(told: ["file passed over", "b/note.txt", "folder passed over", "b/c"], count: 2))),
    sound(
      "a class of other files alone", ["a/1.wav": wav(), "b/1.mp3": [1]],
      outcome: .refused(["one class only", "b/1.mp3", "data.files"])),
    sound(
      "a header that was never completed", ["a/1.wav": wav(size: 0), "b/1.wav": wav()],
      outcome: .refused(["never completed", "800 bytes behind it", "ffmpeg"])),
    sound(
      "a header of a stream", ["a/1.wav": wav(size: 0xFFFF_FFFF), "b/1.wav": wav()], outcome: .refused(["ffmpeg"])),
    sound(
      "a clip without samples", ["a/1.wav": empty, "b/1.wav": wav()], outcome: .refused(["clip without samples"])),
    sound(
      "a clip without samples before other chunks",
      ["a/1.wav": empty + chunk("LIST", [1, 2, 3, 4]), "b/1.wav": wav()],
      outcome: .refused(["clip without samples"])),
    sound(
      "two data chunks", ["a/1.wav": wav(behind: chunk("data", [0, 0, 1, 0])), "b/1.wav": wav()],
      outcome: .read(.init(told: ["another data chunk is passed over", "4 bytes"], count: 2))),
    sound(
      "chunks behind the sound", ["a/1.wav": wav(behind: chunk("LIST", [0, 0, 1, 0])), "b/1.wav": wav()],
      outcome: .read(.init(count: 2))),
    sound(
      "more behind the sound than its length says", ["a/1.wav": wav(size: 400), "b/1.wav": wav()],
      outcome: .read(.init(told: ["behind the sound", "400 bytes"]))),
    sound(
      "two channels", ["a/1.wav": wav(channels: 2), "b/1.wav": wav(channels: 2)],
      outcome: .read(.init(told: ["mean of the channels", "2 channels"], count: 2))),
    sound("FLAC behind a tag", ["a/1.wav": tagged, "b/1.wav": wav()], outcome: .read(.init(count: 2))),
    sound("FLAC that is called .wav", ["a/1.wav": flacFile, "b/1.wav": wav()], outcome: .read(.init(count: 2))),
    sound(
      "MP3 that is called .wav", ["a/1.wav": text("ID3\u{4}\0\0") + [0, 0, 0, 2, 0, 0, 0xFF, 0xFB], "b/1.wav": wav()],
      outcome: .refused(["MP3", "ffmpeg"])),
    sound(
      "a text that is called .wav", ["a/1.wav": text("not found"), "b/1.wav": wav()], outcome: .refused(["neither"])),
  ]
}
