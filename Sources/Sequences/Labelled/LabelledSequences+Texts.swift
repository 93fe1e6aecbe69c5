import Problems

extension LabelledSequences where Element == UInt8 {
  /// The vocabulary of these texts; errors as `Vocabulary.build` has them.
  package func vocabulary(
    of kind: TokenKind, maximum: Int = 0, name: String
  ) throws(Problem) -> Vocabulary {
    guard kind == .words else { return try .build(from: elements, kind: kind, maximum: maximum, name: name) }
    // The last word of a text and the first of the next are two.
    var spaced: [UInt8] = []
    spaced.reserveCapacity(elements.count + count)
    for index in 0..<count { spaced += self[index] + [0x20] }
    return try .build(from: spaced, kind: kind, maximum: maximum, name: name)
  }

  /// The texts as tokens. A text without any, such as white space where tokens are words, is an error with exit code
  /// 65.
  package func tokens(in vocabulary: Vocabulary) throws(Problem) -> LabelledTokens {
    try map(width: 1) { bytes, name throws(Problem) in
      let tokens = try vocabulary.encode(bytes: Array(bytes), name: name)
      guard !tokens.isEmpty else {
        throw .data("text without \(vocabulary.kind) — expected at least one, got none (\(name))")
      }
      return tokens
    }
  }
}
