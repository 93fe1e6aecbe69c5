import Problems
import Sequences
import Testing

@Suite struct WordVectorsTests {
  private func read(_ text: some Sequence<UInt8>, width: Int = 2) throws -> WordVectors {
    let vocabulary = try Vocabulary(kind: .words, entries: ["<unk>", "the", "été", "rain"])
    let folder = try TestFolder()
    return try WordVectors(path: folder.write(text, "v.txt"), vocabulary: vocabulary, width: width)
  }

  @Test(
    arguments: ["", "6 2\n", "\u{FEFF}"])
  func wordsOfTheVocabularyAreFoundWithOrWithoutWord2vecsFirstLine(header: String) throws {
    for end in ["\n", "\r\n"] {
      let lines = ["rain 1 -2.5e1", "sun 3 4", "été .5 6 ", ". . 8 9", "rain 7 7", "<unk> 0\t1"]
      let vectors = try read((header + lines.joined(separator: end)).utf8)
      #expect(vectors.tokens == [3, 2, 0] && vectors.values == [1, -25, 0.5, 6, 0, 1])
    }
  }

  @Test func aLongFileIsReadPieceByPieceAndMayHoldNoWord() throws {
    let lines = (0..<100_000).map { "word\($0) 0.125 1\n" }.joined() + "the 1 2"
    #expect(try read(lines.utf8).tokens == [1])
    #expect(try read("sun 1 2\n".utf8).tokens.isEmpty)
  }

  @Test(
    arguments: [
      ("", "no word vectors"), ("4 2\n", "no word vectors"), ("the 1\n", "model.embedding = 2 numbers, got 1"),
      ("the\n", "got 0"), ("\n", "got 0"),
      ("the 1 2 3\n", "got 3"), ("4 3\nthe 1 2 3\n", "got 3"), ("the 1 2\nrain 1\n", "line 2"),
      ("the 1 x\n", "got \"x\""), ("the nan 1\n", "not a number"), ("the 1 inf\n", "not a number"),
    ])
  func whatIsNoFileOfVectorsOfThisLengthIsRefused(text: String, what: String) {
    expectBadData(what, "v.txt") { _ = try read(text.utf8) }
  }

  @Test func latin1LinesWithoutAnEndAndMissingFilesAreRefused() throws {
    expectBadData("not UTF-8", "line 2") { _ = try read(Array("the 1 2\n".utf8) + [0xE9] + Array(" 1 2\n".utf8)) }
    expectBadData("line is too long") { _ = try read([UInt8](repeating: 0x61, count: 3 << 20)) }
    let error = #expect(throws: Problem.self) {
      _ = try WordVectors(
        path: "/nowhere/v.txt", vocabulary: Vocabulary(kind: .words, entries: ["<unk>", "a"]), width: 2)
    }
    #expect(error?.exitCode == 74)
  }
}
