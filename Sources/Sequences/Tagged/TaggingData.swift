import Problems

/// The data of a tagger, read and split: the vocabulary is that of the training part alone, the labels are those of the
/// whole file.
package struct TaggingData: Sendable {
  /// How the sequences were read.
  package let encoding: ClassifierEncoding
  /// What is trained on.
  package let training: TaggedTokens
  /// What is held out; nil for nothing.
  package let heldOut: TaggedTokens?

  /// Reads the sequences at `path`. Errors as the reader has them; fewer than two labels are one too, or too many.
  /// - Parameters:
  ///   - maximumVocabulary: The most entries of the vocabulary, 0 for all.
  ///   - seed: The split follows from it.
  package init(
    path: String, columns: TaggedColumns = TaggedColumns(), maximumVocabulary: Int, heldOut rule: HeldOut, seed: UInt64,
    account: DataAccount = DataAccount()
  ) throws(Problem) {
    let all = try TaggedWords.conll(path: path, columns: columns, account: account)
    let labels = try TaggingData.labels(of: all, name: path)
    let parts = try all.split(rule, seed: seed) { other throws(Problem) in
      try .conll(path: other, columns: columns, account: account)
    }
    let vocabulary = try Vocabulary.build(
      ofWords: parts.training.elements.lazy.map(\.word), maximum: maximumVocabulary, name: path)
    var counts: [ExactString: Int] = [:]
    for word in parts.training.elements { counts[word.label, default: 0] += 1 }
    encoding = ClassifierEncoding(
      classes: labels.map(\.text), trainingCounts: labels.map { counts[$0] ?? 0 }, vocabulary: vocabulary)
    training = try encoding.tokens(parts.training)
    heldOut = if let words = parts.heldOut { try encoding.tokens(words) } else { nil }
    account.tellAlike(encoding.classes)
    account.count("sequence", training: training.count, heldOut: heldOut?.count ?? 0)
    account.count(
      classes: encoding.classes, training: encoding.trainingCounts,
      heldOut: heldOut?.elements.reduce(into: [Int](repeating: 0, count: labels.count)) { $0[Int($1.label)] += 1 })
    account.count(
      vocabulary, training: training.elements.lazy.map(\.token), heldOut: heldOut?.elements.lazy.map(\.token))
  }

  /// The labels that there are, in the order of their UTF-8 bytes, so that the order of lines changes no number.
  private static func labels(of words: TaggedWords, name: String) throws(Problem) -> [ExactString] {
    let counts = words.elements.reduce(into: [ExactString: Int]()) { $0[$1.label, default: 0] += 1 }
    let labels = counts.keys.sorted()
    guard labels.count <= mostLabels else {
      throw .data(
        "too many labels — expected at most \(mostLabels), got \(labels.count) (\(name))", hint: labelColumnHint)
    }
    guard labels.count >= 2 else {
      throw .data(
        "one label only — expected at least 2 labels, got \(quoted(labels[0].text)) for all \(words.elements.count) words "
          + "(\(name))",
        hint: labelColumnHint)
    }
    try ClassNames.check(counts, of: "word", source: name, hint: labelColumnHint)
    return labels
  }

  /// More are words, not labels: every one has a row and a column of the confusion matrix.
  private static let mostLabels = 4096
  private static let labelColumnHint =
    "data.labelColumn says which column has the labels: the last one, or UPOS of CoNLL-U, where it is not given"

  /// Other sequences, all of them, as a trained model reads them. A label that it does not know is an error with exit
  /// code 65.
  package static func input(
    path: String, columns: TaggedColumns = TaggedColumns(), encoding: ClassifierEncoding,
    account: DataAccount = DataAccount()
  ) throws(Problem) -> TaggedTokens {
    try encoding.tokens(.conll(path: path, columns: columns, account: account))
  }
}

extension LabelledSequences where Element == TaggedToken {
  /// Everything that tells these sequences from others, part after part: tokens, labels, lengths.
  package var fingerprint: [[Int32]] {
    [elements.map(\.token), elements.map(\.label), lengths.map { Int32(truncatingIfNeeded: $0) }]
  }
}

extension ClassifierEncoding {
  /// Words and labels as numbers.
  /// - Precondition: the model reads texts.
  func tokens(_ words: TaggedWords) throws(Problem) -> TaggedTokens {
    let numbers = Dictionary(uniqueKeysWithValues: zip(classes.map(ExactString.init), Int32(0)...))
    return try words.map(width: 1) { sequence, name throws(Problem) in
      var tokens: [TaggedToken] = []
      for word in sequence {
        guard let label = numbers[word.label] else {
          throw .data(
            "unknown label — expected one of \(listed(ClassNames.shown(classes))), got \(quoted(word.label.text)) (\(name))",
            hint: ClassNames.hint(unknown: word.label.text, among: classes)
              ?? "a model knows only the labels of its training data")
        }
        tokens.append(TaggedToken(token: number(of: word), label: label))
      }
      return tokens
    }
  }

  /// Words as numbers, without labels.
  /// - Precondition: the model reads texts.
  package func unlabelledTokens(_ words: TaggedWords) throws(Problem) -> TaggedTokens {
    try words.map(width: 1) { sequence, _ in
      sequence.map { TaggedToken(token: number(of: $0), label: noTarget) }
    }
  }

  private func number(of word: TaggedWord) -> Int32 { vocabulary!.number(ofWord: word.word) ?? vocabulary!.unknown! }
}
