/// A text file made ready for training: vocabulary, training tokens and validation tokens.
public struct TextCorpus: Sendable {
  /// What is held out of training.
  public enum Validation: Sendable, Equatable {
    /// Nothing.
    case none
    /// This share of the text, 0 < share < 1, at its end.
    case fraction(Double)
    /// The text of another file.
    case file(String)
  }

  /// The tokens of the training text, as it alone has them.
  public let vocabulary: Vocabulary
  /// The tokens to train on.
  public let training: [Int32]
  /// The tokens held out; nil where nothing is.
  public let validation: [Int32]?

  /// Reads the file at `path`. Files that cannot be read are errors with exit code 74; text that is empty, of a single
  /// token, or not UTF-8 where it must be, has exit code 65.
  /// - Parameters:
  ///   - maximumVocabulary: the most entries of the vocabulary, 0 for all.
  ///   - lineEnds: whether the end of a line is the word `<eos>`.
  public init(
    path: String, tokens kind: TokenKind, maximumVocabulary: Int, lineEnds: Bool = false, validation: Validation
  ) throws(SequenceError) {
    let text = TextCorpus.spelled(try TextCorpus.nonEmpty(path), lineEnds: lineEnds)
    if kind != .bytes { try UTF8Text.validate(text, name: path) }
    // Before the cut, which would leave nothing to train on and blame the wrong part.
    try TextCorpus.expectTwo(UTF8Text.count(of: kind, in: text, upTo: 2), part: "text", path)
    let cut = TextCorpus.cut(text, kind: kind, validation: validation)
    let trainingText = cut == text.count ? text : Array(text[..<cut])
    let trainingPart = cut == text.count ? "text" : "training part of the text"
    vocabulary = try .build(
      from: trainingText, kind: kind, maximum: maximumVocabulary, part: trainingPart, name: path)
    training = try TextCorpus.atLeastTwo(
      vocabulary.encode(bytes: trainingText, name: path), part: trainingPart, path)
    switch validation {
    case .none: self.validation = nil
    case .fraction:
      self.validation = try TextCorpus.atLeastTwo(
        vocabulary.encode(bytes: Array(text[cut...]), name: path), part: "validation part of the text", path)
    case .file(let file):
      self.validation = try TextCorpus.tokens(ofFile: file, vocabulary: vocabulary, lineEnds: lineEnds)
    }
  }

  /// The tokens of another text in a vocabulary that is known already; errors as in `init`.
  public static func tokens(
    ofFile path: String, vocabulary: Vocabulary, lineEnds: Bool = false
  ) throws(SequenceError) -> [Int32] {
    let text = spelled(try nonEmpty(path), lineEnds: lineEnds)
    return try atLeastTwo(vocabulary.encode(bytes: text, name: path), part: "text", path)
  }

  /// A text in which, where they count, ends of lines are written as a word.
  private static func spelled(_ text: [UInt8], lineEnds: Bool) -> [UInt8] {
    let end = [UInt8](" <eos> ".utf8)
    return lineEnds ? text.flatMap { $0 == UInt8(ascii: "\n") ? end : [$0] } : text
  }

  /// Where the validation part begins: at a whole character, and for words at a whole word.
  private static func cut(_ text: [UInt8], kind: TokenKind, validation: Validation) -> Int {
    guard case .fraction(let share) = validation else { return text.count }
    precondition(share > 0 && share < 1, "a share of the text lies between 0 and 1")
    let place = Int((Double(text.count) * (1 - share)).rounded(.down))
    return switch kind {
    case .bytes: place
    case .characters, .symbols: UTF8Text.scalarStart(in: text, at: place)
    case .words: UTF8Text.wordStart(in: text, at: place)
    }
  }

  private static func nonEmpty(_ path: String) throws(SequenceError) -> [UInt8] {
    let text = try TextFile.read(path)
    guard !text.isEmpty else { throw .data("text is empty — expected at least 2 tokens, got an empty file (\(path))") }
    return text
  }

  /// One token has no target, so no loss.
  private static func atLeastTwo(
    _ tokens: [Int32], part: String, _ path: String
  ) throws(SequenceError) -> [Int32] {
    try expectTwo(tokens.count, part: part, path)
    return tokens
  }

  private static func expectTwo(_ count: Int, part: String, _ path: String) throws(SequenceError) {
    guard count >= 2 else {
      throw .data(
        "\(part) is too short — expected at least 2 tokens, got \(count) (\(path))",
        hint: part == "text" ? "give a longer text" : Vocabulary.shortPartHint)
    }
  }
}
