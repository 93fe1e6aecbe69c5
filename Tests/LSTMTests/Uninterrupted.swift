import Kernels
import LSTM

// Passes that nobody interrupts, as nearly all tests make them.

extension LSTMLayer {
  func forward(x: UnsafePointer<Float>) { forward(x: x, between: {}) }

  func backward(da: UnsafeMutablePointer<Float>, dcT: UnsafePointer<Float>? = nil, continuing: Bool = false) {
    backward(da: da, dcT: dcT, continuing: continuing, between: {})
  }

  func weightGradient(
    x: UnsafePointer<Float>, using product: WeightGradient, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int
  ) {
    weightGradient(x: x, using: product, gradient: gradient, subtreeStride: subtreeStride, between: {})
  }

  func inputGradient(_ dx: UnsafeMutablePointer<Float>) { inputGradient(dx, between: {}) }
}

extension SequenceModel {
  func forward(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>? = nil, parameters: UnsafePointer<Float>, step: Int?
  ) {
    forward(input, lengths: lengths, parameters: parameters, step: step, between: {})
  }

  func recompute(
    segment: Int, _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>? = nil,
    parameters: UnsafePointer<Float>, step: Int?
  ) {
    recompute(segment: segment, input, lengths: lengths, parameters: parameters, step: step, between: {})
  }

  func loss(targets: SequenceTargets, scale: Float, shardLosses: UnsafeMutableBufferPointer<Double>) {
    loss(targets: targets, scale: scale, shardLosses: shardLosses, between: {})
  }

  func evaluationLoss(targets: SequenceTargets, shardLosses: UnsafeMutableBufferPointer<Double>) {
    evaluationLoss(targets: targets, shardLosses: shardLosses, between: {})
  }

  func backward(
    _ input: SequenceInput, step: Int, gradient: UnsafeMutablePointer<Float>, subtreeStride: Int, runs: Int = 1,
    written: (_ part: Int, _ numbers: Int) -> Void = { _, _ in }, finished: (_ part: Int) -> Void
  ) {
    backward(
      input, step: step, gradient: gradient, subtreeStride: subtreeStride, runs: runs, between: {}, written: written,
      finished: finished)
  }
}
