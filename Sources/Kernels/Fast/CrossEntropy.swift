import ExactMath

/// Softmax cross-entropy and its gradient, a row of logits at a time, in place.
///
/// loss = ln Σ_v e^(logit_v − max) + max − logit_target, in nats; dlogit_v = (p_v − [v = target]) · scale.
///
/// `logits` [padded V]: columns from V on must be −∞ and come out as 0. The denominator is summed in sixteen fixed
/// lanes, then halves upon halves. A negative target is no target: the loss is 0 and the gradient +0.0.
/// Cost: the row is walked three times, for its maximum, its exponentials and its gradient. Truth:
/// `Reference.crossEntropy`.
package func crossEntropy(
  logits: UnsafeMutablePointer<Float>, vocabulary: Int, target: Int32, scale: Float
) -> Double {
  let width = padded(vocabulary)
  guard target >= 0 else {
    logits.update(repeating: 0, count: width)
    return 0
  }
  let targetLogit = logits[Int(target)]
  let (maximum, sum) = exponentials(logits, width: width)
  let factor = scale / sum
  for v in 0..<width { logits[v] *= factor }
  logits[Int(target)] -= scale
  return logarithm(Double(sum)) + (Double(maximum) - Double(targetLogit))
}

/// The loss alone, for evaluation. The row is left as e^(logit − max).
package func crossEntropyLoss(logits: UnsafeMutablePointer<Float>, vocabulary: Int, target: Int32) -> Double {
  guard target >= 0 else { return 0 }
  let targetLogit = logits[Int(target)]
  let (maximum, sum) = exponentials(logits, width: padded(vocabulary))
  return logarithm(Double(sum)) + (Double(maximum) - Double(targetLogit))
}

/// Replaces a row by e^(logit − max) and returns the maximum and the sum of what it wrote.
private func exponentials(_ logits: UnsafeMutablePointer<Float>, width: Int) -> (maximum: Float, sum: Float) {
  var largest = Vector(repeating: -.infinity)
  for v in stride(from: 0, to: width, by: vectorWidth) {
    let row = Vector(logits + v)
    largest.replace(with: row, where: row .> largest)
  }
  let maximum = largest.max()
  applyExponential(logits, minus: maximum, count: width, on: .current)
  var sums = Vector.zero
  for v in stride(from: 0, to: width, by: vectorWidth) { sums += Vector(logits + v) }
  return (maximum, sums.fixedOrderSum)
}
