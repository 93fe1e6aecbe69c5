import Files
import Sequences
import TestSupport
import Testing

@Suite struct LengthTests {
  private let long = 100_000

  @Test func textsOfTwoWordsAndOf100000AreRead() throws {
    let folder = try TestFolder()
    for count in [2, long] {
      let path = try folder.write(String(repeating: "a ", count: count).utf8, "text.txt")
      let corpus = try TextCorpus(TextRecipe(path: path, numbers: .counted(.words, maximum: 0)))
      #expect(corpus.training.count == count)
    }
  }

  @Test func labelledTextsOfOneWordAndOf100000AreRead() throws {
    let folder = try TestFolder()
    let text = String(repeating: "b ", count: long)
    try folder.write("a\n".utf8, "x.txt")
    try folder.write("\(text)\n".utf8, "y.txt")
    let table = Array("text,label\na,x\n\(text),y\n".utf8)
    for texts in [
      try LabelledTexts.classFiles(folder: folder.path, pattern: NamePattern("{class}.txt"), tokens: .words),
      try LabelledTexts.table(bytes: table, textColumn: "text", labelColumn: "label", name: "t.csv"),
    ] {
      #expect(try texts.tokens(in: texts.vocabulary(of: .words, name: "t")).lengths == [1, long])
    }
    let one = try LabelledTexts.classFiles(
      folder: folder.path, pattern: NamePattern("x.{class}"), tokens: .words, classes: ["txt", "md"])
    #expect(one.count == 1 && one.labels == [0])
  }

  @Test func clipsOfOneSampleAndOf100000AreRead() throws {
    let folder = try TestFolder()
    try folder.write(WAV(samples: [0.5]).bytes, "a_0.wav")
    try folder.write(WAV(samples: [Float](repeating: 0.25, count: long)).bytes, "b_0.wav")
    try folder.write(try flac([Float](repeating: 0.25, count: long)), "b_1.flac")
    let clips = try AudioClips.read(folder: folder.path, pattern: NamePattern("{class}_*"))
    #expect(clips.clips.lengths == [1, long, long])
    let mel = try LogMel(rate: 8000)
    #expect(try clips.features(mel).lengths == [1, 1249, 1249])
    let one = try AudioClips.read(folder: folder.path, pattern: NamePattern("{class}_0.wav"), classes: ["a", "b"])
    #expect(one.clips.count == 2)
    expectBadData("unknown class", "\"b\" (b_0.wav)") {
      _ = try AudioClips.read(folder: folder.path, pattern: NamePattern("{class}_0.wav"), classes: ["a", "c"])
    }
  }
}
