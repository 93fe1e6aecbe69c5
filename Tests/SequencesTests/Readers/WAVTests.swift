import Files
import Foundation
import Sequences
import Testing

@Suite struct WAVTests {
  @Test(arguments: [(1, 8), (1, 16), (1, 24), (1, 32), (3, 32), (3, 64)])
  func everySampleFormatGivesTheSameSound(tag: Int, bits: Int) throws {
    let truth: [Float] = [0, 0.5, -0.5, -1, 0.25]
    for extensible in [false, true] {
      let clip = try WAVFile.decode(
        WAV(tag: tag, bits: bits, extensible: extensible, samples: truth).bytes, name: "x.wav")
      #expect(clip.samples == truth && clip.rate == 8000)
    }
  }

  @Test func channelsAreAveraged() throws {
    let clip = try WAVFile.decode(WAV(channels: 2, samples: [0.5, 0.25, -1, 0.5]).bytes, name: "x.wav")
    #expect(clip.samples == [0.375, -0.25])
    #expect(try WAVFile.decode(WAV(channels: 3, samples: [0.5, 0.25, -0.75]).bytes, name: "x.wav").samples == [0])
  }

  @Test func unknownChunksAndWrongLengthsChangeNothing() throws {
    var wav = WAV(samples: [0.5, -0.5])
    wav.before = WAV.chunk("LIST", [1, 2, 3])
    wav.after = WAV.chunk("note", [0])
    wav.riffSize = 0xFFFF_FFFF
    #expect(try WAVFile.decode(wav.bytes, name: "x.wav").samples == [0.5, -0.5])
    #expect(try WAVFile.decode(wav.bytes + [1, 2, 3], name: "x.wav").samples == [0.5, -0.5])
  }

  @Test func headersThatLieAreRefused() throws {
    func refuse(_ parts: String..., change: (inout WAV) -> Void) {
      var wav = WAV(samples: [0.5, -0.5])
      change(&wav)
      let bytes = wav.bytes
      for part in parts { expectBadData(part, "x.wav") { _ = try WAVFile.decode(bytes, name: "x.wav") } }
    }
    refuse("shorter than its header says", "4000 bytes of \"data\", got 4") { $0.dataSize = 4000 }
    refuse("shorter than its header says") { $0.dataSize = 0xFFFF_FFFF }
    refuse("whole frames of 2 bytes, got 3") { $0.dataSize = 3 }
    refuse("never completed", "got 0 and 4 bytes behind it") { $0.dataSize = 0 }
    refuse("without samples") { $0.samples = [] }
    refuse("contradicts itself", "0 channels") { $0.channels = 0 }
    refuse("contradicts itself", "0 samples a second") { $0.rate = 0 }
    refuse("contradicts itself", "4294967295 samples") { $0.rate = 0xFFFF_FFFF }
    refuse("contradicts itself", "frames of 7 bytes") { $0.frame = 7 }
    refuse("PCM of 12 bits") { $0.statedBits = 12 }
    refuse("PCM of 0 bits") { $0.statedBits = 0 }
    refuse("float of 16 bits") { $0.tag = 3 }
    refuse("mu-law") { $0.tag = 7 }
    refuse("ADPCM") { $0.tag = 2 }
    refuse("format 4660") { $0.tag = 0x1234 }
    refuse("not a number", "nan in sample 2") { ($0.tag, $0.bits, $0.samples) = (3, 32, [0, .nan]) }
  }

  @Test func everyShortenedFileIsOneClearError() throws {
    let whole = WAV(samples: [0.5, -0.5, 0.25], extensible: true).bytes
    for count in 0..<whole.count {
      expectBadData("x.wav") { _ = try WAVFile.decode(Array(whole.prefix(count)), name: "x.wav") }
    }
  }

  @Test func otherFilesAreCalledWhatTheyAre() {
    for (start, kind) in [
      ("OggS", "Ogg"), ("ID3\u{3}", "MP3"), ("RIFX", "big-endian"), ("abc", "something"),
    ] {
      expectBadData("neither a WAV nor a FLAC file", kind) {
        _ = try WAVFile.decode(Array(start.utf8) + [0, 0, 0], name: "x.wav")
      }
    }
    expectBadData("audio file is empty") { _ = try WAVFile.decode([], name: "x.wav") }
    expectBadData("without a format") {
      _ = try WAVFile.decode(Array("RIFF\0\0\0\0WAVEdata\0\0\0\0".utf8), name: "x.wav")
    }
  }

  // MARK: Folders

  @Test func clipsHaveTheirClassByNameOrFolderAndOneSampleRate() throws {
    let folder = try TestFolder()
    try folder.write(WAV(samples: [0.5]).bytes, "1_ann_0.wav")
    try folder.write(WAV(samples: [0.25, 1 / 8]).bytes, "0_bob_1.wav")
    try folder.write(WAV(samples: [0.25]).bytes, "no/1.wav")
    let clips = try AudioClips.read(folder: folder.path, pattern: NamePattern("{class}_*.wav"))
    #expect(clips.rate == 8000 && clips.clips.classes == ["0", "1"] && clips.clips.lengths == [2, 1])
    #expect(clips.clips.names == ["0_bob_1.wav", "1_ann_0.wav"])
    expectBadData("one class only") {
      _ = try AudioClips.read(folder: folder.path, pattern: NamePattern("{class}/*.wav"))
    }
    try folder.write(WAV(rate: 16000, samples: [0.25]).bytes, "yes/1.wav")
    expectBadData("sample rate", "expected 8000", "got 16000", "yes/1.wav") {
      _ = try AudioClips.read(folder: folder.path, pattern: NamePattern("{class}/*.wav"))
    }
    expectBadData("sample rate", "as in training") {
      _ = try AudioClips.read(folder: folder.path, pattern: NamePattern("{class}_*.wav"), rate: 44100)
    }
    try folder.write(WAV(samples: []).bytes, "2_ann_0.wav")
    expectBadData("clip without samples", "2_ann_0.wav") {
      _ = try AudioClips.read(folder: folder.path, pattern: NamePattern("{class}_*.wav"))
    }
  }
}

/// A WAV file, true or lying, written for tests.
struct WAV {
  var tag = 1
  var bits = 16
  var channels = 1
  var rate = 8000
  var samples: [Float]
  var extensible = false
  var before: [UInt8] = []
  var after: [UInt8] = []
  var riffSize: Int?
  var dataSize: Int?
  var frame: Int?
  var statedBits: Int?

  init(
    tag: Int = 1, bits: Int = 16, channels: Int = 1, rate: Int = 8000, extensible: Bool = false, samples: [Float]
  ) {
    (self.tag, self.bits, self.channels, self.rate) = (tag, bits, channels, rate)
    (self.extensible, self.samples) = (extensible, samples)
  }

  init(samples: [Float], extensible: Bool) { self.init(extensible: extensible, samples: samples) }

  static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }

  static func chunk(_ kind: String, _ body: [UInt8], size: Int? = nil) -> [UInt8] {
    Array(kind.utf8) + little(size ?? body.count, 4) + body + (body.count % 2 == 1 ? [0] : [])
  }

  private func encoded(_ sample: Float) -> [UInt8] {
    switch (tag, bits) {
    case (3, 32): WAV.little(Int(sample.bitPattern), 4)
    case (3, 64): WAV.little(Int(bitPattern: UInt(Double(sample).bitPattern)), 8)
    case (_, 8): [UInt8(min(255, Int(sample * 128) + 128))]
    default: WAV.little(min(Int(Double(sample) * Double(1 << (bits - 1))), 1 << (bits - 1) - 1), bits / 8)
    }
  }

  var bytes: [UInt8] {
    var format = WAV.little(extensible ? 0xFFFE : tag, 2) + WAV.little(channels, 2) + WAV.little(rate, 4)
    format += WAV.little(rate &* channels &* bits / 8, 4) + WAV.little(frame ?? channels * bits / 8, 2)
    format += WAV.little(statedBits ?? bits, 2)
    if extensible {
      format += WAV.little(22, 2) + WAV.little(bits, 2) + WAV.little(0, 4) + WAV.little(tag, 2)
      format += [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
    }
    let body = WAV.chunk("fmt ", format) + before + WAV.chunk("data", samples.flatMap(encoded), size: dataSize) + after
    return Array("RIFF".utf8) + WAV.little(riffSize ?? body.count + 4, 4) + Array("WAVE".utf8) + body
  }
}
