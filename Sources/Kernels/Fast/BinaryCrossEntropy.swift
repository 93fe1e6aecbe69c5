import ExactMath

/// Cross-entropy of K answers of yes or no at once, and its gradient, a row of logits at a time, in place.
///
/// ```
/// (U1) p = σ(z)
/// (U2) loss = −Σ_k y·ln p + (1 − y)·ln(1 − p) = Σ_k max(z, 0) − z·y + ln(1 + e^−|z|), in nats, in ascending k
/// (U3) dz = (p − y)·scale
/// ```
///
/// `logits` [padded K]: what stands behind K comes out as 0. y in [0, 1]; a row whose first target is NaN has no target:
/// the loss is 0 and the gradient +0.0. Truth: `Reference.binaryCrossEntropy`.
package func binaryCrossEntropy(
  logits: UnsafeMutablePointer<Float>, targets: UnsafePointer<Float>, count: Int, scale: Float
) -> Double {
  let width = padded(count)
  guard !targets[0].isNaN else {
    logits.update(repeating: 0, count: width)
    return 0
  }
  let loss = binaryCrossEntropyLoss(logits: logits, targets: targets, count: count)
  applySigmoid(logits, count: width)
  for k in 0..<count { logits[k] = (logits[k] - targets[k]) * scale }
  for k in count..<width { logits[k] = 0 }
  return loss
}

/// The loss alone, for evaluation.
package func binaryCrossEntropyLoss(
  logits: UnsafePointer<Float>, targets: UnsafePointer<Float>, count: Int
) -> Double {
  if targets[0].isNaN { return 0 }
  var sum = 0.0
  for k in 0..<count {
    let (z, y) = (Double(logits[k]), Double(targets[k]))
    sum += max(z, 0) - z * y + logarithm(1 + Double(exponential(-abs(logits[k]))))
  }
  return sum
}
