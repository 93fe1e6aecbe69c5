extension DataAccount {
  /// Counts the tokens of both parts, and those of them that stand for something that the vocabulary has not.
  func count(_ vocabulary: Vocabulary, training: some Sequence<Int32>, heldOut: (some Sequence<Int32>)?) {
    func unknown(_ tokens: some Sequence<Int32>) -> Unknown {
      tokens.reduce(into: Unknown(tokens: 0, unknown: 0)) { $0.add(isUnknown: $1 == vocabulary.unknown) }
    }
    count(vocabulary: vocabulary.count, training: unknown(training), heldOut: heldOut.map { unknown($0) })
  }
}
