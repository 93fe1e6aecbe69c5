import LSTM
import Testing

@Suite struct InitializationTests {
  /// D, H and V all different, so that each matrix has a range of its own.
  static let shape = ModelShape.languageModel(vocabulary: 40, embedding: 10, hidden: 24, layers: 2)

  static func parameters(_ method: Initialization, seed: UInt64 = 3, forgetBias: Float = 1.5) -> [Float] {
    var parameters = [Float](repeating: .nan, count: shape.parameterCount)
    shape.initialize(&parameters, seed: seed, method: method, forgetBias: forgetBias)
    return parameters
  }

  /// All within ±limit, on both sides of zero, and nearly as far as the limit.
  private func expectUniform(_ values: ArraySlice<Float>, limit: Float, _ what: Comment) {
    let (least, greatest) = (values.min()!, values.max()!)
    #expect(least >= -limit && greatest <= limit, what)
    #expect(least < -0.95 * limit && greatest > 0.95 * limit, what)
  }

  @Test func xavierRangesFollowTheSizesOfEachMatrixAndBiasesAreZeroButForgets() {
    let shape = InitializationTests.shape
    let (H, V) = (shape.hidden, shape.classes)
    let parameters = InitializationTests.parameters(.xavier)
    expectUniform(parameters[shape.embeddingRange!], limit: 0.1, "embedding")
    for (index, layer) in shape.lstm.enumerated() {
      let range = shape.layerRange(index)
      let recurrentStart = range.lowerBound + layer.inputs * 4 * H
      let biasStart = recurrentStart + H * 4 * H
      expectUniform(
        parameters[range.lowerBound..<recurrentStart], limit: (6 / Float(layer.inputs + H)).squareRoot(), "W of x")
      expectUniform(parameters[recurrentStart..<biasStart], limit: (6 / Float(2 * H)).squareRoot(), "W of a")
      let biases = (0..<4).flatMap { [Float](repeating: $0 == Gate.forget.rawValue ? 1.5 : 0, count: H) }
      #expect(Array(parameters[biasStart..<range.upperBound]) == biases)
    }
    let output = shape.outputRange
    let biasStart = output.lowerBound + H * V
    expectUniform(parameters[output.lowerBound..<biasStart], limit: (6 / Float(H + V)).squareRoot(), "Wy")
    #expect(Array(parameters[biasStart..<output.upperBound]) == [Float](repeating: 0, count: V))
  }

  @Test func uniformRangesFollowTheHiddenSizeAndTheForgetBiasIsSet() {
    let shape = InitializationTests.shape
    let (H, limit) = (shape.hidden, 1 / Float(shape.hidden).squareRoot())
    let parameters = InitializationTests.parameters(.uniform)
    expectUniform(parameters[shape.embeddingRange!], limit: 0.1, "embedding")
    for index in 0..<shape.layers {
      let range = shape.layerRange(index)
      let biasStart = range.upperBound - 4 * H
      let forgetStart = biasStart + Gate.forget.rawValue * H
      expectUniform(parameters[range.lowerBound..<biasStart], limit: limit, "W")
      #expect(parameters[biasStart..<forgetStart].allSatisfy { $0 != 0 && abs($0) <= limit })
      #expect(parameters[forgetStart..<forgetStart + H].allSatisfy { $0 == 1.5 })
      #expect(parameters[forgetStart + H..<range.upperBound].allSatisfy { $0 != 0 && abs($0) <= limit })
    }
    expectUniform(parameters[shape.outputRange], limit: limit, "Wy and by")
  }

  @Test(arguments: Initialization.allCases)
  func anotherSeedGivesOtherNumbersAndNoMatrixRepeatsAnother(method: Initialization) {
    let parameters = InitializationTests.parameters(method)
    #expect(parameters != InitializationTests.parameters(method, seed: 4))
    let firsts = InitializationTests.shape.parts.map { parameters[$0.lowerBound] / parameters[$0.lowerBound + 1] }
    #expect(Set(firsts).count == firsts.count)
  }

  @Test func theInputBiasIsAddedToTheInputGateAlone() {
    let plain = Self.parameters(.uniform)
    let shape = Self.shape
    var lower = [Float](repeating: 0, count: shape.parameterCount)
    shape.initialize(&lower, seed: 3, method: .uniform, forgetBias: 1.5, inputBias: -3)
    let gates = (0..<shape.layers).flatMap { layer in
      let first = shape.layerRange(layer).upperBound - shape.lstm[layer].columns
      return first..<first + shape.hidden
    }
    for place in plain.indices {
      #expect(lower[place] == (gates.contains(place) ? plain[place] - 3 : plain[place]))
    }
  }
}
