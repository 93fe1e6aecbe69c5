import ExactMath

/// How weights begin. Every number is a function of (seed, part, place), so all ranks make the same.
package enum Initialization: String, CaseIterable, Sendable {
  /// U(−1/√H, 1/√H) for every weight and bias of the LSTM and of the output layer, as the documentation of PyTorch's
  /// `nn.LSTM` and `nn.Linear` describes; for the embedding U(−0.1, 0.1), the range of Zaremba et al. (2014).
  case uniform
  /// U(±√(6 / (inputs + outputs))) for every matrix and zero for biases (Glorot and Bengio, "Understanding the
  /// difficulty of training deep feedforward neural networks", 2010), gate by gate; the embedding as above.
  case xavier
}

extension ModelShape {
  /// Fills flat memory with initial parameters. The forget gate's bias becomes `forgetBias`: 1 lets gradients pass
  /// from the start (Gers, Schmidhuber and Cummins 2000; Jozefowicz, Zaremba and Sutskever 2015). The update gate's
  /// biases get `inputBias` more: below 0 a cell takes little in until it has learned what (Hochreiter and Schmidhuber
  /// 1997, section 5.4).
  package func initialize(
    _ parameters: UnsafeMutablePointer<Float>, seed: UInt64, method: Initialization, forgetBias: Float,
    inputBias: Float = 0
  ) {
    if let embeddingRange { fill(parameters, range: embeddingRange, part: 0, seed: seed, limit: 0.1) }
    for (index, layer) in lstm.enumerated() {
      let range = layerRange(index)
      let biasStart = range.upperBound - layer.columns
      let recurrentStart = biasStart - layer.hidden * layer.columns
      fill(
        parameters, range: range.lowerBound..<recurrentStart, part: 2 * index + 1, seed: seed,
        limit: method.limit(inputs: layer.inputs, outputs: hidden, hidden: hidden))
      fill(
        parameters, range: recurrentStart..<range.upperBound, part: 2 * index + 2, seed: seed,
        limit: method.limit(inputs: hidden, outputs: hidden, hidden: hidden))
      if method == .xavier { (parameters + biasStart).update(repeating: 0, count: layer.columns) }
      (parameters + biasStart + Gate.forget.rawValue * hidden).update(repeating: forgetBias, count: hidden)
      for unit in 0..<hidden { parameters[biasStart + Gate.update.rawValue * hidden + unit] += inputBias }
    }
    initializeOutput(parameters, seed: seed, method: method)
  }

  /// The head, and each matrix of the tails of an adaptive softmax, whose parts are behind those of the layers.
  private func initializeOutput(_ parameters: UnsafeMutablePointer<Float>, seed: UInt64, method: Initialization) {
    // A shared matrix begins as the embedding that it is.
    let first = isTied ? embeddingRange!.upperBound : outputRange.lowerBound
    let headEnd = adaptive.map { first + $0.headParameterCount } ?? outputRange.upperBound
    fill(
      parameters, range: first..<headEnd, part: 2 * lstm.count + 1, seed: seed,
      limit: method.limit(inputs: outputs, outputs: outputClasses, hidden: outputs))
    if method == .xavier {
      (parameters + headEnd - outputClasses).update(repeating: 0, count: outputClasses)
    }
    for (index, tail) in (isTied ? [] : adaptive?.tails ?? []).enumerated() {
      let matrices = [(tail.projection, hidden, tail.units), (tail.weights, tail.units, tail.classes.count)]
      for (which, (range, inputs, outputs)) in matrices.enumerated() {
        fill(
          parameters, range: first + range.lowerBound..<first + range.upperBound,
          part: 2 * lstm.count + 2 + 2 * index + which, seed: seed,
          limit: method.limit(inputs: inputs, outputs: outputs, hidden: inputs))
      }
    }
  }

  private func fill(
    _ parameters: UnsafeMutablePointer<Float>, range: Range<Int>, part: Int, seed: UInt64, limit: Float
  ) {
    let stream = Philox(seed: seed, purpose: .initialization, layer: part)
    for block in 0..<(range.count + 3) / 4 {
      let words = stream.words(block: block)
      for i in 0..<min(4, range.count - 4 * block) {
        parameters[range.lowerBound + 4 * block + i] = (2 * Philox.uniform(words[i]) - 1) * limit
      }
    }
  }
}

extension Initialization {
  /// The half width of the uniform distribution of a matrix.
  fileprivate func limit(inputs: Int, outputs: Int, hidden: Int) -> Float {
    switch self {
    case .uniform: 1 / Float(hidden).squareRoot()
    case .xavier: (6 / Float(inputs + outputs)).squareRoot()
    }
  }
}
