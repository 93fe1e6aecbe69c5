import Files
import Sequences
import TestSupport
import Testing

@Suite struct FLACTests {
  @Test(arguments: [8, 16, 24])
  func everyDepthGivesTheSamplesThatWentIn(bits: Int) throws {
    let truth: [Float] = [0, 0.5, -0.5, -1, 0.25] + [Float](repeating: 0.125, count: 5000)
    let clip = try AudioFile.decode(try flac(truth, bits: bits), name: "x.flac")
    #expect(clip.samples == truth && clip.rate == 8000)
  }

  @Test func channelsAreAveraged() throws {
    let bytes = try flac([0.5, 0.25, -1, 0.5], channels: 2)
    #expect(try AudioFile.decode(bytes, name: "x.flac").samples == [0.375, -0.25])
  }

  @Test func aFileThatIsCutOffIsOneClearError() throws {
    let whole = try flac((0..<3000).map { Float($0 * 7919 % 200 - 100) / 128 })
    for count in [1, 4, 5, 20, 41, 42, 43, 80, whole.count / 2, whole.count - 1] {
      expectBadData("x.flac") { _ = try AudioFile.decode(Array(whole.prefix(count)), name: "x.flac") }
    }
  }

  /// The total of samples is a number of 36 bits that ends at byte 26; the block that holds it begins at byte 8.
  @Test func aHeaderThatLiesAboutTheLengthAllocatesNothingForItAndIsRefused() throws {
    var bytes = try flac([Float](repeating: 0.25, count: 300))
    bytes.replaceSubrange(22..<26, with: [0xFF, 0xFF, 0xFF, 0xFF])
    bytes[21] |= 0x0F
    expectBadData("68719476735 samples as its header says, got", "x.flac") {
      _ = try AudioFile.decode(bytes, name: "x.flac")
    }
  }

  @Test func aFewBytesThatStandForVeryManySamplesAreRefused() throws {
    let bytes = try flac([Float](repeating: 0, count: 100_000))
    #expect(bytes.count < 20_000)
    #expect(try FLACFile.decode(bytes, name: "x.flac").samples.count == 100_000)
    expectBadData("clip is too long", "at most 50000 samples", "x.flac") {
      _ = try FLACFile.decode(bytes, name: "x.flac", most: 50_000)
    }
  }

  @Test func aClipWithoutSamplesIsRefused() throws {
    expectBadData("x.flac") { _ = try AudioFile.decode(try flac([]), name: "x.flac") }
  }

  @Test func aFolderMayHoldBothOfOneSampleRate() throws {
    let folder = try TestFolder()
    try folder.write(WAV(samples: [0.5]).bytes, "a_0.wav")
    try folder.write(try flac([0.25, 0.5]), "b_0.flac")
    let clips = try AudioClips.read(folder: folder.path, pattern: NamePattern("{class}_*"))
    #expect(
      clips.clips.classes == ["a", "b"] && clips.clips.lengths == [1, 2] && clips.clips.elements == [0.5, 0.25, 0.5])
    try folder.write(try flac([0.25], rate: 16_000), "b_1.flac")
    expectBadData("sample rate", "b_1.flac") {
      _ = try AudioClips.read(folder: folder.path, pattern: NamePattern("{class}_*"))
    }
  }
}
