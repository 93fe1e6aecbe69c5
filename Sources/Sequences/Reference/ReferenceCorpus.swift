import Files
import Problems

/// The slow truth of `TextCorpus`: the same vocabulary and tokens, of a text that is read whole.
package struct ReferenceCorpus: Sendable {
  /// The tokens of the training text, as it alone has them.
  package let vocabulary: Vocabulary
  /// The tokens to train on.
  package let training: [Int32]
  /// The tokens held out; nil where nothing is.
  package let validation: [Int32]?

  /// The corpus of a recipe; errors as `TextCorpus` has them.
  package init(_ recipe: TextRecipe) throws(Problem) {
    let (path, lineEnds) = (recipe.path, recipe.lineEnds)
    let (kind, maximum): (TokenKind, Int)
    switch recipe.numbers {
    case .counted(let counted, let most): (kind, maximum) = (counted, most)
    case .known(let known):
      (vocabulary, validation) = (known, nil)
      training = try ReferenceCorpus.tokens(ofFile: path, vocabulary: known, lineEnds: lineEnds)
      return
    }
    let text = try ReferenceCorpus.text(path, kind, lineEnds: lineEnds)
    // Before the cut, which would leave nothing to train on and blame the wrong part.
    try ReferenceCorpus.expectTwo(UTF8Text.count(of: kind, in: text, upTo: 2), part: "text", path)
    let cut = ReferenceCorpus.cut(text, kind: kind, validation: recipe.validation)
    let trainingText = cut == text.count ? text : Array(text[..<cut])
    let trainingPart = cut == text.count ? "text" : "training part of the text"
    vocabulary = try .build(
      from: trainingText, kind: kind, maximum: maximum, part: trainingPart, name: path)
    training = try ReferenceCorpus.atLeastTwo(
      vocabulary.encode(bytes: trainingText, name: path), part: trainingPart, path)
    switch recipe.validation {
    case .none: self.validation = nil
    case .fraction:
      self.validation = try ReferenceCorpus.atLeastTwo(
        vocabulary.encode(bytes: Array(text[cut...]), name: path), part: "validation part of the text", path)
    case .file(let file):
      self.validation = try ReferenceCorpus.tokens(ofFile: file, vocabulary: vocabulary, lineEnds: lineEnds)
    }
  }

  /// The tokens of a text in a vocabulary that is known already.
  private static func tokens(
    ofFile path: String, vocabulary: Vocabulary, lineEnds: Bool
  ) throws(Problem) -> [Int32] {
    let text = try text(path, vocabulary.kind, lineEnds: lineEnds)
    return try atLeastTwo(vocabulary.encode(bytes: text, name: path), part: "text", path)
  }

  /// A text as it is read: without a byte order mark at the beginning, which bytes alone keep, and with ends of lines
  /// written as a word where they count.
  private static func text(_ path: String, _ kind: TokenKind, lineEnds: Bool) throws(Problem) -> [UInt8] {
    let bytes = try nonEmpty(path)
    if kind != .bytes { try UTF8Text.validate(bytes, name: path, offersBytes: true) }
    if lineEnds { try LineEnds.expectFeeds(bytes, name: path) }
    let text = kind == .bytes ? bytes : Array(bytes.dropFirst(TextFile.lengthOfByteOrderMark(bytes)))
    let end = [UInt8](" <eos> ".utf8)
    return lineEnds ? text.flatMap { $0 == UInt8(ascii: "\n") ? end : [$0] } : text
  }

  /// Where the validation part begins: at a whole character, and for words at a whole word.
  private static func cut(_ text: [UInt8], kind: TokenKind, validation: TextRecipe.Validation) -> Int {
    guard case .fraction(let share) = validation else { return text.count }
    let place = Int((Double(text.count) * (1 - share)).rounded(.down))
    return switch kind {
    case .bytes: place
    case .characters, .symbols: UTF8Text.scalarStart(in: text, at: place)
    case .words: UTF8Text.wordStart(in: text, at: place)
    }
  }

  private static func nonEmpty(_ path: String) throws(Problem) -> [UInt8] {
    let text = try TextFile.read(path)
    guard !text.isEmpty else { throw .data("text is empty — expected at least 2 tokens, got an empty file (\(path))") }
    return text
  }

  /// One token has no target, so no loss.
  private static func atLeastTwo(
    _ tokens: [Int32], part: String, _ path: String
  ) throws(Problem) -> [Int32] {
    try expectTwo(tokens.count, part: part, path)
    return tokens
  }

  private static func expectTwo(_ count: Int, part: String, _ path: String) throws(Problem) {
    guard count >= 2 else {
      throw .data(
        "\(part) is too short — expected at least 2 tokens, got \(count) (\(path))",
        hint: part == "text" ? "give a longer text" : Vocabulary.shortPartHint)
    }
  }
}

extension UTF8Text {
  /// How many tokens of a kind the text has, counted no further than `limit`, so that the answer about a long text is
  /// quick.
  /// - Precondition: the bytes are valid UTF-8, other than for `bytes`.
  fileprivate static func count(of kind: TokenKind, in bytes: [UInt8], upTo limit: Int) -> Int {
    switch kind {
    case .bytes: min(bytes.count, limit)
    case .characters, .symbols: bytes.lazy.filter { $0 & 0xC0 != 0x80 }.prefix(limit).count
    case .words:
      String(decoding: bytes, as: UTF8.self).unicodeScalars
        .split(maxSplits: limit) { isWhitespace($0.value) }.prefix(limit).count
    }
  }

  /// Where the scalar begins that the byte at `offset` belongs to; the end of the text for its end.
  fileprivate static func scalarStart(in bytes: [UInt8], at offset: Int) -> Int {
    var place = offset
    while place > 0 && place < bytes.count && bytes[place] & 0xC0 == 0x80 { place -= 1 }
    return place
  }

  /// Where the word begins that the byte at `offset` belongs to; the end of the text for its end.
  fileprivate static func wordStart(in bytes: [UInt8], at offset: Int) -> Int {
    var place = scalarStart(in: bytes, at: offset)
    while place > 0 && place < bytes.count {
      let before = scalarStart(in: bytes, at: place - 1)
      if String(decoding: bytes[before..<place], as: UTF8.self).allSatisfy(\.isWhitespace) { break }
      place = before
    }
    return place
  }
}
