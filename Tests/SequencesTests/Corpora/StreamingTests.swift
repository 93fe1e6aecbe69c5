import ExactMath
import Problems
import Sequences
import Testing

/// What a corpus of a recipe is, or the error that it ends with.
enum CorpusOutcome: Equatable {
  case corpus(vocabulary: Vocabulary, training: [Int32], validation: [Int32]?)
  case error(Problem)

  /// Of the text read whole.
  init(reference recipe: TextRecipe) throws {
    do {
      let corpus = try ReferenceCorpus(recipe)
      self = .corpus(vocabulary: corpus.vocabulary, training: corpus.training, validation: corpus.validation)
    } catch {
      self = .error(error)
    }
  }

  /// Of the text read in pieces.
  init(_ recipe: TextRecipe, cache: TokenCache) throws {
    do {
      try cache.prepare(recipe) { _ in }
      let corpus = try TextCorpus(recipe, cache: cache)
      self = .corpus(
        vocabulary: corpus.vocabulary, training: Array(corpus.training), validation: corpus.validation.map(Array.init))
    } catch let error as Problem {
      self = .error(error)
    }
  }
}

@Suite struct StreamingTests {
  /// Characters of one to four bytes, white space of one and three, ends of lines, and words that are entries already.
  private static let text =
    "é→𝄞a é→𝄞\r\nbé\u{3000}c→ 𝄞𝄞 d\n\n\u{2003}e<unk> <unk> <eos>\u{3000}\u{3000}abc𝄞def é→𝄞 漢字漢字 e\u{301}\u{85}z"

  private func recipes(_ path: String, other: String) -> [TextRecipe] {
    let shares = stride(from: 0.04, to: 1, by: 0.04).map { TextRecipe.Validation.fraction($0) }
    return [TokenKind.bytes, .characters, .words].flatMap { kind in
      ([.none, .file(other), .fraction(1e-17)] + shares).flatMap { validation in
        [(0, false), (0, true), (5, false)].map { maximum, lineEnds in
          TextRecipe(
            path: path, numbers: .counted(kind, maximum: maximum), lineEnds: lineEnds, validation: validation)
        }
      }
    }
  }

  @Test func piecesOfAnySizeGiveTheTokensOfTheWholeText() throws {
    let folder = try TestFolder()
    let path = try folder.write(Self.text.utf8, "text.txt")
    let other = try folder.write("é a\r\nx".utf8, "other.txt")
    for recipe in recipes(path, other: other) {
      let whole = try CorpusOutcome(reference: recipe)
      for size in Array(1...9) + [31, 1000] {
        let cache = TokenCache(directory: folder.path + "/cache", pieceBytes: size)
        #expect(try CorpusOutcome(recipe, cache: cache) == whole, "\(recipe) in pieces of \(size)")
      }
    }
  }

  @Test func aKnownVocabularyNumbersAnotherTextAsItIsNumberedWhole() throws {
    let folder = try TestFolder()
    let path = try folder.write(Self.text.utf8, "text.txt")
    for kind in [TokenKind.bytes, .characters, .words] {
      let vocabulary = try Vocabulary.build(from: Array("é a → <eos> z".utf8), kind: kind, name: "test")
      for lineEnds in [false, true] {
        let recipe = TextRecipe(path: path, numbers: .known(vocabulary), lineEnds: lineEnds)
        let whole = try CorpusOutcome(reference: recipe)
        for size in 1...5 {
          let cache = TokenCache(directory: folder.path + "/cache", pieceBytes: size)
          #expect(try CorpusOutcome(recipe, cache: cache) == whole)
        }
      }
    }
  }

  @Test func malformedTextHasTheErrorAndOffsetOfTheWholeText() throws {
    let folder = try TestFolder()
    let good = Array(Self.text.utf8)
    var draws = PhiloxSequence(seed: 5, purpose: .dataOrder, step: 0)
    var (errors, tries) = (0, 0)
    for _ in 0..<150 {
      var bytes = good
      for _ in 0...draws.below(2) {
        let place = draws.below(bytes.count)
        switch draws.below(3) {
        case 0: bytes[place] = UInt8(draws.below(256))
        case 1: bytes.removeSubrange(place..<min(bytes.count, place + 1 + draws.below(3)))
        default: bytes.insert([0xC3, 0xF0, 0xED, 0xA0, 0x80, 0xFF][draws.below(6)], at: place)
        }
      }
      bytes.removeLast(draws.below(4))
      let path = try folder.write(bytes, "text.txt")
      for kind in [TokenKind.characters, .words] {
        let recipe = TextRecipe(
          path: path, numbers: .counted(kind, maximum: 0), lineEnds: draws.below(2) == 0, validation: .fraction(0.3))
        let whole = try CorpusOutcome(reference: recipe)
        if case .error = whole { errors += 1 }
        tries += 1
        for size in [1, 2, 3, 7, 1000] {
          let cache = TokenCache(directory: folder.path + "/cache", pieceBytes: size)
          #expect(try CorpusOutcome(recipe, cache: cache) == whole, "\(bytes) in pieces of \(size)")
        }
      }
    }
    #expect(errors > 50 && errors < tries)
  }

  @Test func marksAndOtherEncodingsAreFoundInPiecesOfAnySize() throws {
    let folder = try TestFolder()
    let other = try folder.write("\u{FEFF}é a\r\nx".utf8, "other.txt")
    let texts: [[UInt8]] = [
      Array(("\u{FEFF}" + Self.text).utf8), Array("\u{FEFF}".utf8), Array("\u{FEFF}\u{FEFF}ab\r\rc d\r\n".utf8),
      Array("ab\rcd\re\r".utf8), Array("ab\r\ncd\r".utf8), Array("ab c\0d".utf8), [0x61, 0, 0x62, 0, 0x0A, 0],
      [0x1F, 0x8B, 8, 0], Array("(lp0\nI1\na.".utf8), Array("abc".utf8) + [0xE9], Array("éé".utf8).dropLast(),
    ]
    var errors = 0
    for text in texts {
      let path = try folder.write(text, "text.txt")
      for recipe in recipes(path, other: other).filter({ $0.validation == .none || $0.validation == .file(other) }) {
        let whole = try CorpusOutcome(reference: recipe)
        if case .error = whole { errors += 1 }
        for size in Array(1...7) + [1000] {
          let cache = TokenCache(directory: folder.path + "/cache", pieceBytes: size)
          #expect(try CorpusOutcome(recipe, cache: cache) == whole, "\(text) in pieces of \(size)")
        }
      }
    }
    #expect(errors > 40)
  }

  @Test func aWordMayBeLongerThanManyPieces() throws {
    let folder = try TestFolder()
    let path = try folder.write((String(repeating: "é", count: 500_000) + "x ax").utf8, "text.txt")
    let recipe = TextRecipe(path: path, numbers: .counted(.words, maximum: 0))
    let whole = try CorpusOutcome(reference: recipe)
    let cache = TokenCache(directory: folder.path + "/cache", pieceBytes: 100)
    #expect(try CorpusOutcome(recipe, cache: cache) == whole)
  }

  /// Texts of so many different words each, in a cache of their own.
  private func stored(_ counts: [Int], _ folder: TestFolder, _ body: (TextRecipe, TokenCache) throws -> Void) throws {
    let recipes = try counts.map { count in
      let text = (0..<count).map { "w\($0 * 7919 % count)" }.joined(separator: " ") + " w7 w0 w7"
      return TextRecipe(
        path: try folder.write(text.utf8, "\(count).txt"), numbers: .counted(.words, maximum: 0),
        validation: .fraction(0.01))
    }
    for recipe in recipes { try body(recipe, TokenCache(directory: folder.path + "/cache", smallestText: 0)) }
  }

  @Test func tokensAreStoredInOneTwoOrFourBytes() throws {
    try stored([200, 255, 256, 300, 65_535, 65_536, 70_000], TestFolder()) { recipe, cache in
      let whole = try CorpusOutcome(reference: recipe)
      #expect(try CorpusOutcome(recipe, cache: cache) == whole)
    }
  }

  @Test func batchesOfStoredTokensAreThoseOfTokensInMemory() throws {
    try stored([200, 300, 70_000], TestFolder()) { recipe, cache in
      try cache.prepare(recipe) { _ in }
      let stored = try TextCorpus(recipe, cache: cache).training
      let whole = try ReferenceCorpus(recipe).training
      for deviation in [0, 1] {
        let source = { (tokens: TokenSequence) in
          try TokenStream(tokens: tokens, globalBatch: 3, timesteps: 5, deviation: deviation, seed: 2, name: "test")
        }
        let (one, other) = (try source(stored), try source(try TokenSequence(whole)))
        for step in [0, 1, one.stepsPerEpoch - 1, one.stepsPerEpoch + 1] {
          #expect(Window(one, step: step, lanes: 0..<3) == Window(other, step: step, lanes: 0..<3))
        }
      }
      let (one, other) = (
        try EvaluationStream(tokens: stored, globalBatch: 3, timesteps: 5, name: "test"),
        try EvaluationStream(tokens: whole, globalBatch: 3, timesteps: 5, name: "test")
      )
      for step in [0, one.stepsPerEpoch - 1] {
        #expect(Window(one, step: step, lanes: 1..<3) == Window(other, step: step, lanes: 1..<3))
      }
    }
  }
}
