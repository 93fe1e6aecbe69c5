import Files

extension DataAccount {
  /// Counts the tokens of both parts, and those of them that stand for something that the vocabulary has not.
  func count(_ vocabulary: Vocabulary, training: [Int32], heldOut: [Int32]?) {
    func unknown(_ tokens: [Int32]) -> Unknown {
      Unknown(tokens: tokens.count, unknown: tokens.count { $0 == vocabulary.unknown })
    }
    count(vocabulary: vocabulary.count, training: unknown(training), heldOut: heldOut.map(unknown))
  }
}
