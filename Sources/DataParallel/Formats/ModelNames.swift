import LSTM

/// The names of the tensors in `model.safetensors`: those of a PyTorch module with `embedding` (`nn.Embedding`), `lstm`
/// (`nn.LSTM`) and `output` (`nn.Linear`, or `nn.AdaptiveLogSoftmaxWithLoss` with `head_bias=True`).
enum ModelNames {
  static let embedding = "embedding.weight"

  static func inputWeight(_ cell: String) -> String { "lstm." + PyTorchNames.inputWeight(cell) }
  static func recurrentWeight(_ cell: String) -> String { "lstm." + PyTorchNames.recurrentWeight(cell) }
  static func inputBias(_ cell: String) -> String { "lstm." + PyTorchNames.inputBias(cell) }
  static func recurrentBias(_ cell: String) -> String { "lstm." + PyTorchNames.recurrentBias(cell) }

  static let outputWeight = "output.weight"
  static let outputBias = "output.bias"

  /// The head of an adaptive softmax.
  static let headWeight = "output.head.weight"
  static let headBias = "output.head.bias"
  /// The projection of one of its tails, and the weights of its classes.
  static func tailProjection(_ tail: Int) -> String { "output.tail.\(tail).0.weight" }
  static func tailWeight(_ tail: Int) -> String { "output.tail.\(tail).1.weight" }
  /// With tied weights: the rows of the head that stand for tails.
  static let tails = "output.tails.weight"

  /// The name of the same tensor of a moment, in `optimizer.safetensors`.
  static func prefix(ofMoment moment: String) -> String { moment + "." }
}
