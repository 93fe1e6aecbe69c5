/// The input of a step, for the lanes of a model.
package enum SequenceInput {
  /// [T, B].
  case tokens(UnsafeBufferPointer<Int32>)
  /// [T, B, D], row-major.
  case numbers(UnsafeBufferPointer<Float>)

  /// Some of its T = `window` timesteps.
  func timesteps(_ range: Range<Int>, of window: Int) -> SequenceInput {
    switch self {
    case .tokens(let tokens): .tokens(tokens.timesteps(range, of: window))
    case .numbers(let numbers): .numbers(numbers.timesteps(range, of: window))
    }
  }
}

extension UnsafeBufferPointer {
  /// Some of T = `window` timesteps, time first.
  fileprivate func timesteps(_ range: Range<Int>, of window: Int) -> UnsafeBufferPointer {
    let size = count / window
    return UnsafeBufferPointer(rebasing: self[range.lowerBound * size..<range.upperBound * size])
  }
}

/// The targets of a step, for the lanes of a model.
package enum SequenceTargets {
  /// [T, B], or [B] with a pooled head; negative where there is none.
  case classes(UnsafeBufferPointer<Int32>)
  /// [T, B, K], or [B, K] with a pooled head, row-major; NaN where there is none.
  case numbers(UnsafeBufferPointer<Float>)

  /// Some of its T = `window` timesteps.
  func timesteps(_ range: Range<Int>, of window: Int) -> SequenceTargets {
    switch self {
    case .classes(let classes): .classes(classes.timesteps(range, of: window))
    case .numbers(let numbers): .numbers(numbers.timesteps(range, of: window))
    }
  }

  /// Whether a row has a target, of a model with K = `outputs`.
  func has(row: Int, outputs: Int) -> Bool {
    switch self {
    case .classes(let classes): classes[row] >= 0
    case .numbers(let numbers): !numbers[row * outputs].isNaN
    }
  }
}
