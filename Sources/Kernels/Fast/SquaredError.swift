/// Squared error and its gradient, a row of predictions at a time, in place.
///
/// loss = (1/K) Σ_k (ŷ_k − y_k)², summed in ascending k; dŷ_k = 2/K · (ŷ_k − y_k) · scale.
///
/// `predictions` [padded K]: what stands behind K comes out as 0. A row whose first target is NaN has no target: the
/// loss is 0 and the gradient +0.0.
package func squaredError(
  predictions: UnsafeMutablePointer<Float>, targets: UnsafePointer<Float>, count: Int, scale: Float
) -> Double {
  let loss = squaredErrorLoss(predictions: predictions, targets: targets, count: count)
  let factor = targets[0].isNaN ? 0 : 2 * scale / Float(count)
  for k in 0..<count { predictions[k] = factor == 0 ? 0 : (predictions[k] - targets[k]) * factor }
  for k in count..<padded(count) { predictions[k] = 0 }
  return loss
}

/// The loss alone, for evaluation.
package func squaredErrorLoss(
  predictions: UnsafePointer<Float>, targets: UnsafePointer<Float>, count: Int
) -> Double {
  if targets[0].isNaN { return 0 }
  var sum = 0.0
  for k in 0..<count {
    let error = Double(predictions[k]) - Double(targets[k])
    sum += error * error
  }
  return sum / Double(count)
}
