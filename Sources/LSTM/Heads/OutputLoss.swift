import Kernels
import Plan

/// How logits become a loss: forward to the loss of a row, and back to dlogits, which replace the logits.
///
///   softmax           L = −ln p(target), p = softmax(logits)       dlogits = p − onehot(target)
///   adaptive softmax  L = −ln p_head − ln p_tail, (A1) and (A2)    dlogits of head and tail as above
///   sigmoid           L = −Σ_k yₖ·ln σₖ + (1 − yₖ)·ln(1 − σₖ)      dlogits = σ − y
///   squared error     L = 1/K · Σ_k (logitₖ − yₖ)²                 dlogits = 2/K · (logits − y)
///
/// Rows without a target have no loss and a gradient of zeros.
enum OutputLoss {
  case softmax
  case adaptiveSoftmax(AdaptiveTails)
  case sigmoid
  case squaredError

  init(_ shape: ModelShape, passes: [ShardedRows], weights: FloatArena?) {
    self =
      switch shape.head {
      case .everyStep, .pooled:
        shape.adaptive.map { .adaptiveSoftmax(AdaptiveTails($0, passes: passes, weights: weights)) } ?? .softmax
      case .everyStepUnits: .sigmoid
      case .pooledNumbers: .squaredError
      }
  }

  /// What stands behind the last logit of a row: −∞ where its probability must be zero, 0 where it must not count in a
  /// sum.
  static func padding(_ head: ModelShape.Head) -> Float {
    switch head {
    case .everyStep, .pooled: -.infinity
    case .everyStepUnits, .pooledNumbers: 0
    }
  }

  var tails: AdaptiveTails? { if case .adaptiveSoftmax(let tails) = self { tails } else { nil } }

  /// Targets of the logits: those of the head, whose tails compute the rows that are theirs. y [N, Hp].
  func assign(
    y: UnsafePointer<Float>, targets: SequenceTargets, rows: ShardedRows, between: () throws -> Void
  ) rethrows -> SequenceTargets {
    guard let tails, case .classes(let classes) = targets else { return targets }
    tails.assign(classes, rows: rows)
    try tails.forward(y: y, between: between)
    return .classes(UnsafeBufferPointer(rebasing: tails.headTargets[..<classes.count]))
  }

  /// The loss of a row, whose logits become dlogits times `scale`. Targets as from `assign`.
  func lossAndGradient(
    _ row: Int, _ logits: UnsafeMutableBufferPointer<Float>, targets: SequenceTargets, scale: Float
  ) -> Double {
    let (z, K) = (logits.baseAddress!, logits.count)
    switch (self, targets) {
    case (.softmax, .classes(let targets)):
      return crossEntropy(logits: z, vocabulary: K, target: targets[row], scale: scale)
    case (.adaptiveSoftmax(let tails), .classes(let targets)):
      return crossEntropy(logits: z, vocabulary: K, target: targets[row], scale: scale)
        + tails.lossAndGradient(row: row, scale: scale)
    case (.sigmoid, .numbers(let targets)):
      return binaryCrossEntropy(logits: z, targets: targets.baseAddress! + row * K, count: K, scale: scale)
    case (.squaredError, .numbers(let targets)):
      return Kernels.squaredError(predictions: z, targets: targets.baseAddress! + row * K, count: K, scale: scale)
    default: preconditionFailure("targets of another head")
    }
  }

  /// The loss alone; logits of a softmax are used up.
  func loss(_ row: Int, _ logits: UnsafeMutableBufferPointer<Float>, targets: SequenceTargets) -> Double {
    let (z, K) = (logits.baseAddress!, logits.count)
    switch (self, targets) {
    case (.softmax, .classes(let targets)):
      return crossEntropyLoss(logits: z, vocabulary: K, target: targets[row])
    case (.adaptiveSoftmax(let tails), .classes(let targets)):
      return crossEntropyLoss(logits: z, vocabulary: K, target: targets[row]) + tails.loss(row: row)
    case (.sigmoid, .numbers(let targets)):
      return binaryCrossEntropyLoss(logits: z, targets: targets.baseAddress! + row * K, count: K)
    case (.squaredError, .numbers(let targets)):
      return squaredErrorLoss(predictions: z, targets: targets.baseAddress! + row * K, count: K)
    default: preconditionFailure("targets of another head")
    }
  }
}
