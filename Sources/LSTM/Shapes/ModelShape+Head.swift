extension ModelShape {
  /// What the model predicts: at every timestep, or once for a sequence whose timesteps `pooling` makes one row.
  package enum Head: Equatable, Sendable {
    /// One of K classes at every timestep, by a softmax: the next of V tokens, for example.
    case everyStep(classes: Int)
    /// At every timestep of each of K units whether it is on, by a sigmoid: the notes of a piano, for example.
    case everyStepUnits(Int)
    /// One of K classes for a whole sequence, by a softmax.
    case pooled(classes: Int)
    /// K numbers for a whole sequence, by their squared error.
    case pooledNumbers(Int)
  }
}

extension ModelShape.Head {
  /// V or K.
  package var classes: Int {
    switch self {
    case .everyStep(let classes), .everyStepUnits(let classes), .pooled(let classes), .pooledNumbers(let classes):
      classes
    }
  }

  /// Whether there is one prediction for a whole sequence.
  package var isPooled: Bool {
    switch self {
    case .everyStep, .everyStepUnits: false
    case .pooled, .pooledNumbers: true
    }
  }
}

extension ModelShape.Head: CustomStringConvertible {
  /// As messages have it, with the names that files use: a pooled head is called after the last timestep there, which
  /// was the only pooling once.
  package var description: String {
    switch self {
    case .everyStep(let classes): "everyStep(classes: \(classes))"
    case .everyStepUnits(let units): "everyStepUnits(\(units))"
    case .pooled(let classes): "lastStep(classes: \(classes))"
    case .pooledNumbers(let count): "lastStepNumbers(\(count))"
    }
  }
}
