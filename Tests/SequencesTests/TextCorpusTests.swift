import Foundation
import Problems
import Sequences
import Testing

@Suite final class TextCorpusTests {
  private let folder = FileManager.default.temporaryDirectory.appending(path: "corpus-\(UUID().uuidString)")

  init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(at: folder) }

  private func file(_ bytes: [UInt8], _ name: String = "input.txt") throws -> String {
    let url = folder.appending(path: name)
    try Data(bytes).write(to: url)
    return url.path
  }

  private func corpus(
    _ path: String, _ kind: TokenKind = .characters, _ validation: TextRecipe.Validation = .fraction(0.1)
  ) throws -> TextCorpus {
    try corpus(TextRecipe(path: path, numbers: .counted(kind, maximum: 0), validation: validation))
  }

  /// The text is small, so in memory.
  private func corpus(_ recipe: TextRecipe) throws -> TextCorpus {
    try TextCorpus(recipe, cache: TokenCache(directory: "/dev/null"))
  }

  @Test func theLastTenthIsHeldOutAndTheVocabularyKnowsOnlyTheRest() throws {
    let corpus = try corpus(file(Array((String(repeating: "ab", count: 9) + "xy").utf8)))
    #expect(corpus.training.count == 18 && corpus.vocabulary.count == 3)
    #expect(corpus.validation.map(Array.init) == [0, 0])
  }

  @Test func trainingAndValidationTogetherAreTheWholeText() throws {
    let text = "é→𝄞a é→𝄞 bé\u{3000}c→ 𝄞𝄞 d\u{3000}e f→ g"
    let path = try file(Array(text.utf8))
    for percent in stride(from: 20, through: 50, by: 1) {
      let share = TextRecipe.Validation.fraction(Double(percent) / 100)
      let characters = try corpus(path, .characters, share)
      #expect(characters.training.count + characters.validation!.count == text.unicodeScalars.count)
      #expect(
        characters.vocabulary.decode(characters.training).unicodeScalars.elementsEqual(
          text.unicodeScalars.prefix(characters.training.count)))
      let words = try corpus(path, .words, share)
      #expect(words.training.count + words.validation!.count == 9)
      let bytes = try corpus(path, .bytes, share)
      #expect(Array(bytes.training) + bytes.validation! == text.utf8.map { Int32($0) })
    }
  }

  @Test func withoutValidationAllOfTheTextIsTrainedOn() throws {
    let path = try file(Array("hello world".utf8))
    let none = try corpus(path, .characters, .none)
    #expect(none.training.count == 11 && none.validation == nil)
    let other = try corpus(path, .characters, .file(file(Array("old".utf8), "other.txt")))
    #expect(other.training.count == 11 && other.vocabulary.decode(other.validation!) == "old")
    let again = try corpus(TextRecipe(path: path, numbers: .known(other.vocabulary)))
    #expect(again.training.elementsEqual(other.training) && again.vocabulary == other.vocabulary)
  }

  @Test func theEndOfEachLineCanBeAWordOfTheTextAndOfOneReadLater() throws {
    let path = try file(Array("a b\r\n\nb <eos>\na".utf8))
    let corpus = try corpus(
      TextRecipe(path: path, numbers: .counted(.words, maximum: 0), lineEnds: true, validation: .file(path)))
    #expect(corpus.vocabulary.decode(corpus.training) == "a b <eos> <eos> b <eos> <eos> a")
    #expect(corpus.validation!.elementsEqual(corpus.training) && corpus.vocabulary.count == 4)
    let again = try self.corpus(TextRecipe(path: path, numbers: .known(corpus.vocabulary), lineEnds: true))
    #expect(again.training.elementsEqual(corpus.training))
  }

  @Test(arguments: [[], [0x61], [0xC3, 0xA9]] as [[UInt8]])
  func emptyTextAndTextOfOneTokenAreBadData(bytes: [UInt8]) throws {
    let path = try file(bytes)
    for validation in [TextRecipe.Validation.none, .fraction(0.1)] {
      for kind in [TokenKind.characters, .words] {
        let error = #expect(throws: Problem.self) { try corpus(path, kind, validation) }
        #expect(error?.exitCode == 65 && error?.message.contains(path) == true)
      }
    }
  }

  @Test(
    arguments: [
      ("a", .characters, 1), ("é", .characters, 1), ("a", .bytes, 1), (" one\n ", .words, 1), (" \n\t", .words, 0),
    ] as [(String, TokenKind, Int)])
  func aWholeTextOfFewerThanTwoTokensIsCalledThat(text: String, kind: TokenKind, count: Int) throws {
    let path = try file(Array(text.utf8))
    for validation in [TextRecipe.Validation.none, .fraction(0.1), .fraction(0.9)] {
      let error = #expect(throws: Problem.self) { try corpus(path, kind, validation) }
      #expect(error?.exitCode == 65)
      #expect(error?.message == "text is too short — expected at least 2 tokens, got \(count) (\(path))")
    }
  }

  @Test func aPartOfFewerThanTwoTokensIsNamed() throws {
    let path = try file(Array("ab".utf8), "two.txt")
    let empty = #expect(throws: Problem.self) { try corpus(path, .characters, .fraction(0.9)) }
    #expect(
      empty?.message == "no characters in the training part of the text — expected at least one, got none (\(path))")
    let one = #expect(throws: Problem.self) { try corpus(path, .characters, .fraction(0.5)) }
    #expect(
      one?.message == "training part of the text is too short — expected at least 2 tokens, got 1 (\(path))")
    let longer = try file(Array("abcd".utf8), "four.txt")
    let held = #expect(throws: Problem.self) { try corpus(longer, .characters, .fraction(0.1)) }
    #expect(
      held?.message == "validation part of the text is too short — expected at least 2 tokens, got 1 (\(longer))")
    for error in [empty, one, held] {
      #expect(error?.exitCode == 65 && error?.hint?.contains("data.validation") == true)
    }
  }

  @Test func wordsThatAreAllUnkMakeNoVocabulary() throws {
    let path = try file(Array("<unk> <unk> <unk>".utf8))
    let error = #expect(throws: Problem.self) { try corpus(path, .words, .none) }
    #expect(
      error?.message == "no words in the text — expected at least one other than <unk>, got none (\(path))")
  }

  @Test func whiteSpaceAloneHasNoWords() throws {
    let path = try file(Array(" \n\t ".utf8))
    #expect(throws: Problem.self) { try corpus(path, .words, .none) }
  }

  @Test func textThatIsNotUTF8CanBeReadAsBytesAlone() throws {
    for place in [0, 50, 99] {
      var bytes = [UInt8](repeating: 0x61, count: 100)
      bytes[place] = 0xFE
      let path = try file(bytes)
      for kind in [TokenKind.characters, .words] {
        let error = #expect(throws: Problem.self) { try corpus(path, kind) }
        #expect(error?.exitCode == 65 && error?.message.contains("offset \(place) ") == true)
        #expect(error?.hint?.contains("bytes") == true)
      }
      #expect(try corpus(path, .bytes).training.count == 90)
    }
  }

  @Test func missingFilesDirectoriesAndDevicesAreInputErrors() throws {
    for path in [folder.appending(path: "absent").path, folder.path, "/dev/null", ""] {
      let error = #expect(throws: Problem.self) { try corpus(path) }
      #expect(error?.exitCode == 74 && error?.message.contains("(\(path))") == true)
    }
    let good = try file(Array("some text".utf8))
    let error = #expect(throws: Problem.self) {
      try corpus(good, .characters, .file(folder.appending(path: "absent").path))
    }
    #expect(error?.exitCode == 74)
  }

  @Test(.enabled(if: geteuid() != 0, "root reads everything"))
  func aFileWithoutPermissionIsAnInputError() throws {
    let path = try file(Array("some text".utf8))
    try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
    let error = #expect(throws: Problem.self) { try corpus(path) }
    #expect(error?.exitCode == 74)
  }
}
