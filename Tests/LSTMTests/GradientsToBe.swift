import LSTM
import Plan

extension ModelShape {
  /// Memory for so many gradients as the backward pass expects it: the embedding's rows +0.0, and anything
  /// else, which it must overwrite, not a number.
  func gradientsToBe(_ count: Int) -> [Float] {
    var one = [Float](repeating: .nan, count: gradientCount)
    if vocabulary != nil { for i in parts[0] { one[i] = 0 } }
    return (0..<count).flatMap { _ in one }
  }

  /// A gradient as that of the parameters: of tied weights both parts of the shared matrix's are added up.
  func joined(_ gradient: [Float]) -> [Float] {
    var joined = Array(gradient[gradientShift...])
    if isTied { for (i, place) in embeddingRange!.enumerated() { joined[place] += gradient[i] } }
    return joined
  }

  /// The same for all gradients of a rank's passes.
  func gradientsToBe(_ passes: [ShardedRows]) -> [Float] {
    gradientsToBe(passes.flatMap(\.subtrees).map { $0.place.index + 1 }.max() ?? 0)
  }
}
