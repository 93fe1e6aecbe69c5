import Problems

/// Labelled sequences in the form in which a classifier reads them.
package enum ClassifierInput: Sendable {
  /// Tokens of texts.
  case tokens(LabelledTokens)
  /// Normalized numbers.
  case values(LabelledValues)

  /// The timesteps of each sequence.
  package var lengths: [Int] {
    switch self {
    case .tokens(let sequences): sequences.lengths
    case .values(let sequences): sequences.lengths
    }
  }

  /// The class of each sequence.
  package var labels: [Int32] {
    switch self {
    case .tokens(let sequences): sequences.labels
    case .values(let sequences): sequences.labels
    }
  }

  /// What each sequence is called.
  package var names: [String] {
    switch self {
    case .tokens(let sequences): sequences.names
    case .values(let sequences): sequences.names
    }
  }

  /// Everything that tells these sequences from others, part after part: elements, lengths, labels.
  package var fingerprint: [[Int32]] {
    let elements: [Int32] =
      switch self {
      case .tokens(let sequences): sequences.elements
      case .values(let sequences): sequences.elements.map { Int32(bitPattern: $0.bitPattern) }
      }
    return [elements, lengths.map { Int32(truncatingIfNeeded: $0) }, labels]
  }

  /// Batches of these sequences, as `LabelledBatches` makes them.
  package func batches(globalBatch: Int, timesteps: Int, shuffleSeed: UInt64?) -> any SequenceSource & IndexedBatches {
    switch self {
    case .tokens(let sequences):
      LabelledBatches(sequences, globalBatch: globalBatch, timesteps: timesteps, shuffleSeed: shuffleSeed)
    case .values(let sequences):
      LabelledBatches(sequences, globalBatch: globalBatch, timesteps: timesteps, shuffleSeed: shuffleSeed)
    }
  }
}

/// Sequences of different lengths, each with a name.
package protocol NamedSequences {
  /// The timesteps of each sequence.
  var lengths: [Int] { get }
  /// What each sequence is called.
  var names: [String] { get }
}

extension ClassifierInput: NamedSequences {}
extension LabelledSequences: NamedSequences {}

extension NamedSequences {
  /// The timesteps of a window for all these sequences: `most`, or where that is 0 those of the longest. An error with
  /// exit code 65 where a sequence has more than `most`.
  package static func timesteps(for inputs: [Self], most: Int) throws(Problem) -> Int {
    var longest = 0
    for input in inputs {
      for (length, name) in zip(input.lengths, input.names) where length > longest {
        guard most == 0 || length <= most else {
          throw .data(
            "sequence is too long — expected at most batch.steps = \(most) timesteps, got \(length) (\(name))",
            hint: "raise batch.steps; 0 takes the longest")
        }
        longest = length
      }
    }
    return most == 0 ? longest : most
  }
}

/// Batches that say which sequence stands in which lane.
package protocol IndexedBatches {
  /// The indices of the step's sequences, lane by lane.
  func indices(atStep step: Int) -> [Int]
}

/// The data of a classifier, read and split: vocabulary and normalization are fitted on the training part alone.
package struct ClassificationData: Sendable {
  /// How the sequences were read.
  package let encoding: ClassifierEncoding
  /// What is trained on.
  package let training: ClassifierInput
  /// What is held out; nil for nothing.
  package let heldOut: ClassifierInput?

  /// Reads the sequences at `path`. Errors as the readers have them.
  /// - Parameters:
  ///   - tokens: What a token of a text is; nil for numbers.
  ///   - maximumVocabulary: The most entries of the vocabulary, 0 for all.
  ///   - seed: The split follows from it.
  package init(
    path: String, files: LabelledFiles, tokens: TokenKind?, maximumVocabulary: Int, heldOut rule: HeldOut, seed: UInt64,
    account: DataAccount = DataAccount()
  ) throws(Problem) {
    if let tokens {
      let all = try files.texts(at: path, tokens: tokens, classes: nil, account: account)
      let parts = try all.split(rule, seed: seed) { other throws(Problem) in
        try files.texts(at: other, tokens: tokens, classes: all.classes, account: account)
      }
      let vocabulary = try parts.training.vocabulary(of: tokens, maximum: maximumVocabulary, name: path)
      let encoding = ClassifierEncoding(parts.training, vocabulary: vocabulary)
      training = .tokens(try encoding.tokens(parts.training))
      heldOut = if let texts = parts.heldOut { .tokens(try encoding.tokens(texts)) } else { nil }
      self.encoding = encoding
    } else {
      let (all, rate) = try files.values(at: path, classes: nil, rate: nil, account: account)
      let parts = try all.split(rule, seed: seed) { other throws(Problem) in
        try files.values(at: other, classes: all.classes, rate: rate, account: account).sequences
      }
      let encoding = ClassifierEncoding(parts.training, rate: rate)
      training = .values(try encoding.values(parts.training, name: path))
      heldOut = if let values = parts.heldOut { .values(try encoding.values(values, name: path)) } else { nil }
      self.encoding = encoding
    }
    tell(account)
  }

  private func tell(_ account: DataAccount) {
    account.tellAlike(encoding.classes)
    account.count("sequence", training: training.labels.count, heldOut: heldOut?.labels.count ?? 0)
    account.count(
      classes: encoding.classes, training: encoding.trainingCounts,
      heldOut: heldOut?.labels.reduce(into: [Int](repeating: 0, count: encoding.classes.count)) { $0[Int($1)] += 1 })
    if let vocabulary = encoding.vocabulary, case .tokens(let training) = training {
      var heldOutTokens: [Int32]?
      if case .tokens(let texts) = heldOut { heldOutTokens = texts.elements }
      account.count(vocabulary, training: training.elements, heldOut: heldOutTokens)
    }
  }

  /// Other sequences of the same form, all of them, as a trained model reads them. A class that it does not know is an
  /// error with exit code 65.
  package static func input(
    path: String, files: LabelledFiles, encoding: ClassifierEncoding,
    account: DataAccount = DataAccount()
  ) throws(Problem) -> ClassifierInput {
    if let vocabulary = encoding.vocabulary {
      return .tokens(
        try encoding.tokens(files.texts(at: path, tokens: vocabulary.kind, classes: encoding.classes, account: account))
      )
    }
    let values = try files.values(at: path, classes: encoding.classes, rate: encoding.rate, account: account).sequences
    return .values(try encoding.values(values, name: path))
  }
}
