import LSTM

extension ModelShape {
  /// Memory for the gradients of some subtrees as the backward pass expects it: the embedding's rows +0.0, and anything
  /// else, which it must overwrite, not a number.
  func gradientsToBe(_ subtrees: Int) -> [Float] {
    var one = [Float](repeating: .nan, count: parameterCount)
    if vocabulary != nil { for i in parts[0] { one[i] = 0 } }
    return (0..<subtrees).flatMap { _ in one }
  }
}
