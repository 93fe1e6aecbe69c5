/// Bytes that training takes on the rank with the most lanes, by what they are for.
package struct MemoryEstimate: Equatable, Sendable {
  /// The parameters.
  package let parameters: Int
  /// One gradient for each subtree of the rank's shards, and those that wait between its passes.
  package let gradients: Int
  /// The weights in the order in which the products read them.
  package let packed: Int
  /// What a pass keeps of T·B rows, with the scratch memory of the products.
  package let activations: Int
  /// The optimizer's moments, and the slices that other ranks send.
  package let other: Int

  package init(parameters: Int, gradients: Int, packed: Int, activations: Int, other: Int) {
    self.parameters = parameters
    self.gradients = gradients
    self.packed = packed
    self.activations = activations
    self.other = other
  }

  /// All of it.
  package var total: Int { parameters + gradients + packed + activations + other }
}
