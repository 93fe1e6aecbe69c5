/// The names that PyTorch gives the tensors of `nn.LSTM`. A cell is `l0`, `l0_reverse`, `l1`, …
package enum PyTorchNames {
  /// [4H, inputs]
  package static func inputWeight(_ cell: String) -> String { "weight_ih_\(cell)" }
  /// [4H, H]
  package static func recurrentWeight(_ cell: String) -> String { "weight_hh_\(cell)" }
  /// [4H], added to the other bias.
  package static func inputBias(_ cell: String) -> String { "bias_ih_\(cell)" }
  /// [4H]
  package static func recurrentBias(_ cell: String) -> String { "bias_hh_\(cell)" }

  /// The cell of a layer, in one of its directions.
  package static func cell(_ layer: Int, isReverse: Bool = false) -> String {
    "l\(layer)\(isReverse ? "_reverse" : "")"
  }
}
