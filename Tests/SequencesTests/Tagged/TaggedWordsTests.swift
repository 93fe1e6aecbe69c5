import Foundation
import Problems
import Sequences
import Testing

/// Words with a label each, from the bytes of a file to batches.
@Suite struct TaggedWordsTests {
  private func read(_ text: String) throws -> TaggedWords { try .conll(bytes: Array(text.utf8), name: "file") }

  private func withFile<Result>(_ text: String, _ body: (String) throws -> Result) throws -> Result {
    let url = FileManager.default.temporaryDirectory.appending(path: "tagged-\(UUID().uuidString)")
    try Data(text.utf8).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url.path)
  }

  private func data(
    _ text: String, heldOut: HeldOut = .none, vocabulary: Int = 0
  ) throws -> TaggingData {
    try withFile(text) { try TaggingData(path: $0, maximumVocabulary: vocabulary, heldOut: heldOut, seed: 1) }
  }

  /// Byte order mark, CRLF, tabs, blank lines of white space, further columns, and a last line without an end.
  @Test func blankLinesStandBetweenSequences() throws {
    let words = try read("\u{FEFF}\n\nthe x D\r\nrain\ty  N\r\n\r\n \t\r\n\nété z N")
    #expect(words.count == 2 && words.lengths == [2, 1])
    #expect(words.names == ["file:3", "file:8"])
    #expect(words.elements.map(\.text) == ["the", "rain", "été"])
    let encoded = try data("the x D\nrain\ty  N\n\nété z N\n")
    #expect(encoded.encoding.classes == ["D", "N"] && encoded.encoding.trainingCounts == [1, 2])
    #expect(encoded.training.elements.map(\.label) == [0, 1, 1])
    #expect(Set(encoded.training.elements.map(\.token)) == [1, 2, 3])
  }

  @Test(arguments: [
    ("", "no sequences"), (" \n\t\r\n", "no sequences"), ("\u{FEFF}", "no sequences"),
    ("word\n", "a word and its label, at least 2, got 1 (file, line 1)"),
    ("a X\nb\n", "2 as in the first line, got 1 (file, line 2)"),
    ("a X\n\nb c Y\n", "2 as in the first line, got 3 (file, line 3)"),
    // White space that is none of ASCII's stands between columns, too.
    ("a X\nb\u{A0}c Y\n", "got 3 (file, line 2)"), ("a X\n\u{A0}\n", "got 0 (file, line 2)"),
  ]) func whatIsNoSuchFileIsRefused(text: String, words: String) throws {
    let error = #expect(throws: Problem.self) { try read(text) }
    #expect(error?.exitCode == 65 && error?.message.contains(words) == true, "\(error!)")
  }

  @Test func otherBytesThanUTF8AreRefused() throws {
    let error = #expect(throws: Problem.self) {
      try TaggedWords.conll(bytes: Array("caf".utf8) + [0xE9] + Array(" N\nb X\n".utf8), name: "file")
    }
    #expect(error?.exitCode == 65 && error?.message.contains("invalid byte at offset 3 (file)") == true)
    #expect(error?.hint?.contains("iconv -f WINDOWS-1252") == true)
  }

  @Test func oneLabelAloneIsRefused() throws {
    let error = #expect(throws: Problem.self) { try data("a X\nb X\n") }
    #expect(error?.exitCode == 65 && error?.message.contains("one label only") == true)
  }

  @Test func anotherColumnThanThatOfLabelsIsRefused() throws {
    func text(_ labels: Int) -> String { (1...labels).map { "word \($0)\nword \($0)\n" }.joined() }
    #expect(try data(text(4096)).encoding.classes.count == 4096)
    let error = #expect(throws: Problem.self) { try data(text(4097)) }
    #expect(error?.exitCode == 65 && error?.message.contains("at most 4096, got 4097") == true)
  }

  /// With one sequence there is nothing to hold out.
  @Test func oneSequenceIsTrainedOnButNotHeldOut() throws {
    let one = try data("a X\nb Y\n")
    #expect(one.training.count == 1 && one.heldOut == nil)
    for rule in [HeldOut.share(0.1), .fold(0, of: 2)] {
      let error = #expect(throws: Problem.self) { try data("a X\nb Y\n", heldOut: rule) }
      #expect(error?.exitCode == 65 && error?.message.contains("expected at least one sequence") == true)
    }
  }

  /// Words of the held-out part alone are unknown, its labels are not.
  @Test func theVocabularyIsThatOfTheTrainingPartAndTheLabelsAreThoseOfAll() throws {
    let text = (1...9).map { "w\($0) L\($0)\n" }.joined(separator: "\n")
    let parts = try data(text, heldOut: .fold(0, of: 3))
    #expect(parts.encoding.classes.count == 9 && parts.encoding.trainingCounts.count { $0 == 0 } == 3)
    #expect(parts.encoding.vocabulary?.count == 7)
    let heldOut = try #require(parts.heldOut)
    #expect(parts.training.count == 6 && heldOut.count == 3 && heldOut.elements.allSatisfy { $0.token == 0 })
    #expect(parts.encoding == (try ClassifierEncoding(json: parts.encoding.json(), name: "again")))
    #expect(try data(text, vocabulary: 3).encoding.vocabulary?.count == 3)
  }

  @Test func aLabelOfAnotherFileMustBeKnown() throws {
    let encoding = try data("a X\nb Y\n").encoding
    let other = try withFile("c Y\n\na X\n") { try TaggingData.input(path: $0, encoding: encoding) }
    #expect(other.elements.map(\.token) == [0, 1] && other.elements.map(\.label) == [1, 0])
    let error = #expect(throws: Problem.self) {
      try withFile("a X\n\nb Z\n") { try TaggingData.input(path: $0, encoding: encoding) }
    }
    #expect(error?.exitCode == 65 && error?.message.contains(#"expected one of X, Y, got "Z""#) == true)
  }

  /// The same letter in two spellings of Unicode is two words.
  @Test func wordsAreComparedByTheirBytes() throws {
    let spellings = try data("\u{E9} X\ne\u{301} Y\n")
    #expect(Set(spellings.training.elements.map(\.token)) == [1, 2])
  }

  @Test func wordsWithoutLabelsAreTheFirstColumn() throws {
    let words = try TaggedWords.unlabelled(of: [("a", Array("x\ny\n\nz".utf8)), ("b", Array("x".utf8))])
    #expect(words.names == ["a:1", "a:4", "b:1"] && words.lengths == [2, 1, 1])
    let tokens = try data("x X\ny Y\n").encoding.unlabelledTokens(words)
    #expect(tokens.elements.map(\.token) == [1, 2, 0, 1] && tokens.elements.allSatisfy { $0.label == noTarget })
  }

  // MARK: Batches

  /// Seven sequences of 1 to 7 words in batches of 3, one lane of the last of which is empty.
  @Test func everyTimestepStandsInOneBatchWithItsLabel() throws {
    let text = (1...7).map { n in (1...n).map { "w\(n)\($0) L\($0 % 2)\n" }.joined() }.joined(separator: "\n")
    let sequences = try data(text).training
    for seed in [nil, 4] as [UInt64?] {
      let source = TaggedBatches(sequences, globalBatch: 3, timesteps: 8, shuffleSeed: seed)
      var seen: [Int: [[Int32]]] = [:]
      for step in 0..<source.stepsPerEpoch {
        let indices = source.indices(atStep: step)
        #expect(source.targetCount(atStep: step) == indices.reduce(0) { $0 + sequences.length(of: $1) })
        for lane in 0..<3 {
          // One lane at a time, as another rank would ask for it.
          let batch = SequenceBatch.allocate(timesteps: 8, lanes: 1, inputs: .tokens, targets: .everyStep)
          defer { batch.deallocate() }
          batch.targets.update(repeating: 9)
          source.fill(step: step, lanes: lane..<lane + 1, batch: batch)
          let length = Int(batch.lengths[0])
          #expect(batch.targets[length...].allSatisfy { $0 == noTarget })
          if lane < indices.count {
            seen[indices[lane]] = (0..<length).map { [batch.tokens[$0], batch.targets[$0]] }
          } else {
            #expect(length == 0)
          }
        }
      }
      #expect((0..<7).allSatisfy { seen[$0] == sequences[$0].map { [$0.token, $0.label] } })
    }
  }

  @Test func theMostFrequentLabelOfEachWordIsABaseline() throws {
    // a is most often X; b and c are one unknown word, once Y and once X.
    let rare = try data("a X\na X\na Y\nb Y\n\nc X\n", vocabulary: 2).training
    #expect(FrequentLabels(rare, vocabulary: 2, labels: 2).accuracy(on: rare) == 3.0 / 5)
    // No word of the training part is unknown; X is the most frequent label.
    let all = try data("a X\na X\nb Y\n")
    let other = try withFile("b Y\nc X\nd Y\n") { try TaggingData.input(path: $0, encoding: all.encoding) }
    #expect(FrequentLabels(all.training, vocabulary: 3, labels: 2).accuracy(on: other) == 2.0 / 3)
  }
}
