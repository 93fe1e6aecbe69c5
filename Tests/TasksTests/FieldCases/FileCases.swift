import Testing

/// Files that are no text, and texts in other encodings, wherever a text, table, series, JSON or vectors are read.
struct FileCases {
  @Test(arguments: kinds + readers + encodings)
  func filesAreNamedForWhatTheyAre(fieldCase: FieldCase) throws { try fieldCase.check() }

  /// A text to learn, of characters unless settings say otherwise.
  static func text(
    _ name: String, _ bytes: [UInt8], _ settings: String..., outcome: FieldCase.Outcome
  ) -> FieldCase {
    .files(
      name, ["t.txt": bytes],
      ["task=language-model", "data.path=./t.txt", "batch.steps=2", "batch.sequences=1", "data.validation=0"]
        + settings,
      outcome: outcome)
  }

  private static func table(_ name: String, _ bytes: [UInt8], file: String = "t.csv", _ words: String...) -> FieldCase {
    .files(
      name, [file: bytes], ["task=forecasting", "batch.steps=2", "data.path=./\(file)"], outcome: .refused(words))
  }

  private static func binary(_ text: String, _ rest: [UInt8] = [0, 1, 0xFF, 0]) -> [UInt8] { Array(text.utf8) + rest }

  /// The beginning of a ZIP archive with one member.
  private static func zip(_ member: String) -> [UInt8] {
    [0x50, 0x4B, 3, 4, 20, 0, 0, 0, 8, 0] + [UInt8](repeating: 0, count: 16) + [UInt8(member.utf8.count), 0, 0, 0]
      + Array(member.utf8) + [0xED, 0xFF]
  }

  private static let gzip: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0x4B, 0xE4, 2, 0]
  private static let pickle: [UInt8] = [0x80, 4, 0x95, 9, 0, 0, 0, 0, 0, 0, 0, 0x5D, 0x94, 0x28, 0x4B, 1, 0x2E]

  // MARK: Kinds

  private static let kinds: [FieldCase] = [
    table("gzip", gzip, "compressed with gzip", "gunzip"),
    table("bzip2", binary("BZh91AY&SY"), "compressed with bzip2", "bunzip2"),
    table("xz", [0xFD] + binary("7zXZ", [0, 0, 4]), "compressed with xz"),
    table("Zstandard", [0x28, 0xB5, 0x2F, 0xFD, 4, 0], "compressed with Zstandard"),
    table("7z", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C, 0], "7z archive"),
    table("an Excel file", zip("xl/workbook.xml"), "Excel", "ZIP archive", "CSV UTF-8"),
    table("a Word document", zip("word/document.xml"), "Word", "plain text"),
    table("another ZIP archive", zip("table.csv"), "ZIP archive", "unzip"),
    table("an .npz archive", zip("arr_0.npy"), file: "x.npz", "npz", "numpy.save"),
    table("a pickle called .npy", pickle, file: "x.npy", "not an array of NumPy", "pickle", "numpy.save"),
    table("gzip called .npy", gzip, file: "x.npy", "not an array of NumPy", "gzip"),
    table("a pickle of protocol 2", [0x80, 2] + binary("]q\0(K\u{1}e."), "pickle"),
    table("a pickle of protocol 1", binary("]q\0(K\u{1}e."), "pickle"),
    table("a pickle in ASCII", Array("(lp0\nI1\naI2\na.".utf8), "pickle"),
    table("an old pickle of an array", Array("cnumpy.core.multiarray\n_reconstruct\np0\n".utf8), "pickle"),
    table("HDF5", [0x89] + binary("HDF\r\n\u{1A}\n"), "HDF5", "numpy.save"),
    table("Parquet", binary("PAR1\u{15}"), "Parquet", "to_csv"),
    table("Feather", binary("ARROW1\0\0"), "Feather", "to_csv"),
    table("SQLite", binary("SQLite format 3\0"), "SQLite", "-csv"),
    table("an old Excel file", [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1, 0], ".xls", "CSV UTF-8"),
    table("PDF", Array("%PDF-1.4\n1 0 obj\n".utf8), "PDF", "pdftotext"),
    table("PNG", [0x89] + binary("PNG\r\n"), "PNG"),
    table("a program", [0x7F] + binary("ELF\u{2}\u{1}"), "ELF"),
    table("a pointer of Git LFS", Array("version https://git-lfs.github.com/spec/v1\noid x\n".utf8), "git lfs pull"),
    table("sound in a table", binary("RIFF\0\0\0\0WAVEfmt "), "WAV", "data.source=audio"),
    table("a tar archive", [UInt8](repeating: 0, count: 257) + binary("ustar"), "tar archive"),
    text(
      "text that begins as some formats do", Array("ID3 tags, ORC and PAR1 are words\n".utf8),
      outcome: .read(.init(count: 33))),
  ]

  // MARK: Readers

  private static let readers: [FieldCase] = [
    text("gzip as a text", gzip, outcome: .refused(["compressed with gzip", "gunzip"])),
    text(
      "gzip as bytes", gzip, "data.tokens=bytes",
      outcome: .read(.init(told: ["gzip", "byte by byte", "gunzip"], count: gzip.count))),
    text("RTF as a text", Array("{\\rtf1\\ansi text}".utf8), outcome: .refused(["RTF", "plain text"])),
    .files(
      "gzip as texts and labels", ["t.csv": gzip], ["task=classification", "data.path=./t.csv"],
      outcome: .refused(["compressed with gzip"])),
    .files(
      "gzip as a series", ["t.ts": gzip], ["task=classification", "data.path=./t.ts"],
      outcome: .refused(["compressed with gzip"])),
    .files(
      "gzip as tagged words", ["t.conll": gzip], ["task=tagging", "data.path=./t.conll"],
      outcome: .refused(["compressed with gzip"])),
    .files(
      "gzip as texts of a class", ["f/a.txt": gzip, "f/b.txt": [0x61]], ["task=classification", "data.path=./f"],
      outcome: .refused(["compressed with gzip", "a.txt"])),
    .files(
      "a pickle as piano rolls", ["p.json": pickle], ["task=piano-roll", "data.path=./p.json"],
      outcome: .refused(["pickle", "json.dump"])),
    .files(
      "an Ogg file as sound", ["f/a_1.wav": binary("OggS"), "f/b_1.wav": []],
      ["task=classification", "data.source=audio", "data.path=./f", "data.files={class}_*.wav"],
      outcome: .refused(["Ogg", "ffmpeg"])),
    .files(
      "M4A as sound", ["f/a_1.wav": [0, 0, 0, 0x20] + binary("ftypM4A "), "f/b_1.wav": []],
      ["task=classification", "data.source=audio", "data.path=./f", "data.files={class}_*.wav"],
      outcome: .refused(["M4A", "ffmpeg"])),
    vectors(
      "vectors of word2vec in binary", Array("2 2\nthe ".utf8) + [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40],
      .refused(["binary form of word2vec", "binary=True"])),
    vectors("a model of fastText", [0xBA, 0x16, 0x4F, 0x2F, 12, 0, 0, 0], .refused(["fastText", ".vec"])),
    vectors("vectors in gzip", gzip, .refused(["gzip", "gunzip"])),
    // MARK: Vectors
    vectors(
      "fewer vectors than the first line says", Array("6 2\nthe 1 2\ncat 3 4\n".utf8),
      .refused(["expected 6", "got 2", "cut off"])),
    vectors(
      "more vectors than the first line says", Array("1 2\nthe 1 2\ncat 3 4\n".utf8),
      .refused(["expected 1", "got 2", "first line"])),
    vectors("as many vectors as the first line says", Array("2 2\nthe 1 2\ncat 3 4\n".utf8), .read(.init(count: 8))),
    vectors(
      "a word that is a blank", Array("3 2\nthe 1 2\n  1 2\ncat 3 4\n".utf8),
      .read(.init(told: ["a word that is a blank", "line 3"]))),
    vectors(
      "a word with two vectors", Array("the 1 2\ncat 3 4\nthe 5 6\n".utf8),
      .read(.init(told: ["two vectors", "line 3, \"the\""]))),
    vectors(
      "a line without a vector at the end", Array("the 1 2\n\n".utf8),
      .read(.init(told: ["white space is passed over", "line 2"]))),
  ]

  private static func vectors(_ name: String, _ bytes: [UInt8], _ outcome: FieldCase.Outcome) -> FieldCase {
    .files(
      name, ["t.txt": Array("the cat sat the cat sat the cat\n".utf8), "v.txt": bytes],
      [
        "task=language-model", "data.path=./t.txt", "data.tokens=words", "batch.steps=2", "batch.sequences=1",
        "data.validation=0", "model.embedding=2", "model.vectors=./v.txt",
      ], outcome: outcome)
  }

  // MARK: Encodings

  private static func wide(_ text: String, isBig: Bool = false) -> [UInt8] {
    text.utf16.flatMap { isBig ? [UInt8($0 >> 8), UInt8($0 & 0xFF)] : [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
  }

  private static let line = "The rain falls on the plain\n"
  private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

  private static let encodings: [FieldCase] = [
    text(
      "a byte order mark", mark + Array(line.utf8),
      outcome: .read(.init(count: 28, entries: Set(line).map { String($0) }))),
    text(
      "a byte order mark before words", mark + Array("the rain the sun\n".utf8), "data.tokens=words",
      outcome: .read(.init(count: 4, entries: ["the", "rain", "sun"]))),
    text("a byte order mark alone", mark, outcome: .refused(["too short", "got 0"])),
    text("a byte order mark in bytes", mark + [0x61], "data.tokens=bytes", outcome: .read(.init(count: 4))),
    text(
      "a byte order mark within a text", Array("ab\u{FEFF}ab".utf8),
      outcome: .read(.init(count: 5, entries: ["a", "b", "\u{FEFF}"]))),
    .files(
      "a byte order mark in the text held out", ["t.txt": Array(line.utf8), "v.txt": mark + Array(line.utf8)],
      ["task=language-model", "data.path=./t.txt", "data.validation=./v.txt", "batch.steps=2", "batch.sequences=1"],
      outcome: .read(.init(count: 56))),
    text("UTF-16 without a mark", wide(line), outcome: .refused(["UTF-16LE", "iconv -f UTF-16LE"])),
    text("UTF-16, big-endian", wide(line, isBig: true), outcome: .refused(["UTF-16BE", "iconv -f UTF-16BE"])),
    text("UTF-16 with a mark", [0xFF, 0xFE] + wide(line), outcome: .refused(["UTF-16", "iconv -f UTF-16 "])),
    text(
      "UTF-16 in Cyrillic", wide("Дождь идёт над равниной\nи не кончается\n"), outcome: .refused(["iconv -f UTF-16LE"])),
    text(
      "UTF-32", line.unicodeScalars.flatMap { [UInt8($0.value), 0, 0, 0] }, outcome: .refused(["iconv -f UTF-32LE"])),
    text(
      "UTF-16 as bytes", wide(line), "data.tokens=bytes",
      outcome: .read(.init(told: ["UTF-16LE", "byte by byte"], count: 56))),
    text("words in UTF-16", wide(line), "data.tokens=words", outcome: .refused(["UTF-16LE"])),
    text(
      "a NUL byte", Array((line + line + "a\0b").utf8), outcome: .refused(["NUL byte", "offset 57", "tr -d"])),
    text("Latin-1", Array("caf".utf8) + [0xE9] + Array(" au lait\n".utf8), outcome: .refused(["offset 3", "iconv"])),
    text(
      "UTF-8 that was cut within a character", Array("é café".utf8).dropLast(),
      outcome: .refused(["offset 6", "iconv -c"])),
    text(
      "Cyrillic of eight bits", [0xC4, 0xCF, 0xD6, 0xC4, 0xD8, 0x20, 0xC9], outcome: .refused(["iconv -f ENCODING"])),
    .files(
      "a table in UTF-16 as Excel writes it", ["t.csv": [0xFF, 0xFE] + wide("a\tb\n1\t2\n")],
      ["task=forecasting", "batch.steps=2", "data.path=./t.csv"], outcome: .refused(["iconv -f UTF-16 "])),
    text(
      "lines that end with carriage returns", Array("ab\rcd\rab\r".utf8),
      outcome: .read(.init(told: ["carriage returns alone", "tr "], count: 9))),
    text(
      "ends of lines that are carriage returns", Array("ab cd\rab\r".utf8), "data.tokens=words", "data.lineEnds=true",
      outcome: .refused(["carriage returns alone", "got 0 and 2", "tr "])),
    text(
      "ends of lines CRLF", Array("ab cd\r\nab\r\n".utf8), "data.tokens=words", "data.lineEnds=true",
      outcome: .read(.init(count: 5, entries: ["ab", "cd", "<eos>"]))),
    text(
      "words of lines that end with carriage returns", Array("ab cd\rab\r".utf8), "data.tokens=words",
      outcome: .read(.init(count: 3))),
  ]
}
