/// Bytes that training takes on the rank with the most lanes, by what they are for.
public struct MemoryEstimate: Equatable, Sendable {
  /// The parameters.
  public let parameters: Int
  /// One gradient for each subtree of the rank's shards, and those that wait between its passes.
  public let gradients: Int
  /// The weights in the order in which the products read them.
  public let packed: Int
  /// What a pass keeps of T·B rows, with the scratch memory of the products.
  public let activations: Int
  /// The optimizer's moments, and the slices that other ranks send.
  public let other: Int

  package init(parameters: Int, gradients: Int, packed: Int, activations: Int, other: Int) {
    self.parameters = parameters
    self.gradients = gradients
    self.packed = packed
    self.activations = activations
    self.other = other
  }

  /// All of it.
  public var total: Int { parameters + gradients + packed + activations + other }
}
