/// What a model reads of a step, for its lanes.
public enum SequenceInput {
  /// [T, B].
  case tokens(UnsafeBufferPointer<Int32>)
  /// [T, B, D], row-major.
  case numbers(UnsafeBufferPointer<Float>)
}

/// What a model should say in a step, for its lanes.
public enum SequenceTargets {
  /// [T, B], or [B] with a head at the last timestep; negative where there is none.
  case classes(UnsafeBufferPointer<Int32>)
  /// [B, K], row-major; NaN where there is none.
  case numbers(UnsafeBufferPointer<Float>)

  /// Whether a row has a target, of a model with so many outputs.
  func has(row: Int, outputs: Int) -> Bool {
    switch self {
    case .classes(let classes): classes[row] >= 0
    case .numbers(let numbers): !numbers[row * outputs].isNaN
    }
  }
}
