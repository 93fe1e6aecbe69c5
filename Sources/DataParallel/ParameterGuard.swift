import MPI
import Problems

/// Finds what nobody may have done: parameters that have changed between two updates, by a fault of the memory or a
/// stray write. Ranks alone cannot find it by comparing, for at the end of a step each number comes from its owner: a
/// wrong one is then either on all ranks or on none.
final class ParameterGuard {
  private let tensors: ParameterTensors
  private var hashes: [UInt64]

  /// The parameters as they are now are right.
  init(_ tensors: ParameterTensors, parameters: UnsafePointer<Float>) {
    self.tensors = tensors
    hashes = tensors.hashes(parameters)
  }

  /// The parameters have been updated, on all ranks.
  func updated(_ parameters: UnsafePointer<Float>) { hashes = tensors.hashes(parameters) }

  /// Before an update, while no rank can have begun it.
  /// - Throws: where a bit of a tensor differs from what the last update left.
  func check(_ parameters: UnsafePointer<Float>, step: Int) throws {
    let now = tensors.hashes(parameters)
    guard let tensor = hashes.indices.first(where: { hashes[$0] != now[$0] }) else { return }
    throw Problem(
      .internalError,
      "parameters have changed between two updates — expected \(tensors.names[tensor]) as the last "
        + "update left it, got other bits (step \(step + 1))",
      hint: "no step writes there: suspect the memory of this "
        + "rank's node; the checkpoints so far are from before")
  }
}
