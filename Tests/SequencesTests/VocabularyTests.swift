import ExactMath
import Foundation
import Problems
import Sequences
import Testing

@Suite struct VocabularyTests {
  private func build(_ text: String, _ kind: TokenKind, maximum: Int = 0) throws -> Vocabulary {
    try .build(from: Array(text.utf8), kind: kind, maximum: maximum, name: "test")
  }

  @Test func charactersAreNumberedByFrequencyThenByBytesBehindUnk() throws {
    let vocabulary = try build("banana bandana", .characters)
    #expect(vocabulary.count == 6 && vocabulary.unknown == 0)
    #expect(try vocabulary.encode("anb d") == [1, 2, 3, 4, 5])
  }

  @Test func charactersSurviveEncodingAndDecodingWhateverTheirLengthInUTF8() throws {
    let text = "añ→𝄞\n\u{0}e\u{301}é\u{212B}\u{C5}\u{10FFFF}\u{80}\u{7FF}\u{800}\u{FFFF}\u{10000}"
    let vocabulary = try build(text, .characters)
    let tokens = try vocabulary.encode(text)
    #expect(tokens.count == text.unicodeScalars.count && !tokens.contains(0))
    #expect(Array(vocabulary.decode(tokens).utf8) == Array(text.utf8))
  }

  @Test func canonicallyEquivalentCharactersAreDifferentEntries() throws {
    let vocabulary = try build("\u{212B}\u{C5}", .characters)
    #expect(vocabulary.count == 3)
    let again = try Vocabulary(json: vocabulary.json(), name: "test")
    let tokens = try again.encode("\u{212B}\u{C5}")
    #expect(again == vocabulary && Set(tokens).count == 2)
  }

  @Test func aCharacterThatTrainingTextLacksIsUnkShownAsUFFFD() throws {
    let vocabulary = try build("abc", .characters)
    #expect(try vocabulary.encode("aλc") == [1, 0, 3])
    #expect(vocabulary.decode([1, 0, 3]) == "a\u{FFFD}c")
  }

  @Test func bytesHaveExactly256EntriesAndReadAnything() throws {
    let all = (0...255).map { UInt8($0) }
    let vocabulary = try Vocabulary.build(from: [1, 2], kind: .bytes, name: "test")
    #expect(vocabulary == .bytes && vocabulary.count == 256 && vocabulary.unknown == nil)
    #expect(try vocabulary.encode(bytes: all, name: "test") == (0...255).map { Int32($0) })
    #expect(vocabulary.decode(try vocabulary.encode("grüße")) == "grüße")
  }

  @Test func wordsAreNumberedByFrequencyThenByBytes() throws {
    let vocabulary = try build("\u{3000}b a\u{A0}c\na\r\n\tb \u{2028} a zebra\u{85}", .words)
    #expect(vocabulary.count == 5)
    #expect(try vocabulary.encode("a b c zebra unseen <unk>") == [1, 2, 3, 4, 0, 0])
    #expect(vocabulary.decode([1, 4, 0]) == "a zebra <unk>")
  }

  @Test func aMaximumKeepsTheMostFrequentEntries() throws {
    let words = try build("a a a <unk> <unk> <unk> <unk> b b c", .words, maximum: 3)
    #expect(words.count == 3 && words.decode([0, 1, 2]) == "<unk> a b")
    #expect(try words.encode("c <unk>") == [0, 0])
    let characters = try build("aaabbc", .characters, maximum: 3)
    #expect(try characters.encode("abc") == [1, 2, 0])
  }

  @Test func wordsAgreeWithAPlainSplitForRandomTexts() throws {
    var draws = PhiloxSequence(seed: 1, purpose: .sampling)
    let pieces = ["a", "bb", "é", "𝄞", " ", "\n", "\u{2003}", "\t ", "e\u{301}"]
    for _ in 0..<200 {
      let text = "x " + (0..<40).map { _ in pieces[draws.below(pieces.count)] }.joined()
      let expected = text.unicodeScalars.split { $0.properties.isWhitespace }.map { String($0) }
      let vocabulary = try build(text, .words)
      let tokens = try vocabulary.encode(text)
      #expect(Array(vocabulary.decode(tokens).utf8) == Array(expected.joined(separator: " ").utf8), "\(text)")
    }
  }

  @Test func textThatIsNotUTF8IsAnErrorWithTheOffsetAndAHintThatNamesBytes() {
    for kind in [TokenKind.characters, .words] {
      let error = #expect(throws: Problem.self) {
        try Vocabulary.build(from: [0x61, 0xC3, 0xA9, 0xFF, 0x62], kind: kind, name: "latin.txt")
      }
      #expect(error?.exitCode == 65 && error?.message.contains("offset 3 (latin.txt)") == true)
      #expect(error?.hint?.contains("bytes") == true)
    }
  }

  @Test(
    arguments: [
      [0xC0, 0x80], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0x61, 0xE2, 0x82],
    ])
  func malformedSequencesAreNotUTF8(bytes: [UInt8]) {
    #expect(throws: Problem.self) { try Vocabulary.build(from: bytes, kind: .characters, name: "test") }
  }

  @Test func everyKindSurvivesJSONWithTheSameBytesEachTime() throws {
    let text = "the \"quick\" \\ / brown fox\u{1}\u{7F} é e\u{301} 𝄞"
    var vocabularies = [Vocabulary.bytes, ReberTask.vocabulary]
    vocabularies += try [build(text, .characters), build(text, .words)]
    for vocabulary in vocabularies {
      let json = try vocabulary.json()
      let again = try Vocabulary(json: json, name: "test")
      #expect(again == vocabulary)
      #expect(try again.json() == json)
      if vocabulary.kind == .characters { #expect(try again.encode(text) == vocabulary.encode(text)) }
    }
  }

  @Test(
    arguments: [
      "", "[]", "{}", #"{"kind":"characters"}"#, #"{"kind":"letters","entries":["<unk>","a"]}"#,
      #"{"kind":"characters","entries":["<unk>","a","a"]}"#, #"{"kind":"characters","entries":["a","b"]}"#,
      #"{"kind":"characters","entries":["<unk>","ab"]}"#, #"{"kind":"characters","entries":["<unk>",""]}"#,
      #"{"kind":"characters","entries":["<unk>"]}"#, #"{"kind":"characters","entries":[]}"#,
      #"{"kind":"words","entries":["<unk>"," "]}"#, #"{"kind":"words","entries":["<unk>",""]}"#,
      #"{"kind":"bytes","entries":["a"]}"#, #"{"kind":"symbols","entries":[]}"#,
      #"{"kind":"symbols","entries":["BT"]}"#, #"{"kind":"symbols","entries":["B","B"]}"#,
      #"{"kind":"words","entries":[1,2]}"#, #"{"kind":"words","entries":["<unk>","a"]"#,
    ])
  func malformedVocabulariesAreErrorsWithExitCode65ThatNameTheFile(json: String) {
    let error = #expect(throws: Problem.self) { try Vocabulary(json: Data(json.utf8), name: "v.json") }
    #expect(error?.exitCode == 65 && error?.message.contains("(v.json)") == true)
  }

  @Test func aVocabularyWithTooManyEntriesIsAnError() {
    let entries = ["<unk>"] + (0..<Vocabulary.maximumCount).map { "w\($0)" }
    #expect(throws: Problem.self) { try Vocabulary(kind: .words, entries: entries) }
  }

  @Test func symbolsTakeOnlyTheirOwnAlphabet() throws {
    #expect(try ReberTask.vocabulary.encode("BTPSXVE") == [0, 1, 2, 3, 4, 5, 6])
    #expect(ReberTask.vocabulary.decode([0, 6]) == "BE" && ReberTask.vocabulary.unknown == nil)
    let error = #expect(throws: Problem.self) { try ReberTask.vocabulary.encode("BTA") }
    #expect(error?.message.contains("symbol 3") == true)
    #expect(throws: Problem.self) { try Vocabulary(symbols: "ABA") }
  }
}
