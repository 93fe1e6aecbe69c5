import LSTM
import Plan
import Testing

/// The search for numbers that are not finite observes the walk over every kind of layer and head, and changes nothing
/// of what a step leaves behind.
@Suite struct ObservedWalkTests {
  /// Four lanes of up to four timesteps through bidirectional layers, of which the head reads the two ends.
  private func searchBidirectional(scale: Float, _ change: (ModelShape, inout [Float]) -> Void) -> NonFiniteValue? {
    let shape = ModelShape(
      input: .numbers(3), hidden: 6, layers: 2, isBidirectional: true, head: .pooled(classes: 5))
    let model = SequenceModel(shape: shape, passes: [ShardedRows(timesteps: 4, lanes: 4)])
    var parameters = [Float](repeating: 0, count: shape.parameterCount)
    shape.initialize(&parameters, seed: 1, method: .uniform, forgetBias: 1)
    change(shape, &parameters)
    model.pack(parameters)
    let numbers: [Float] = randomNumbers(4 * 4 * 3, seed: 3)
    let (lengths, targets): ([Int32], [Int32]) = ([4, 2, 0, 3], [0, 4, -1, 2])
    return numbers.withUnsafeBufferPointer { numbers in
      lengths.withUnsafeBufferPointer { lengths in
        targets.withUnsafeBufferPointer { targets in
          model.firstNonFinite(
            .numbers(numbers), lengths: lengths, targets: .classes(targets), parameters: parameters, step: 0,
            scale: scale)
        }
      }
    }
  }

  @Test func bothCellsOfALayerAreObserved() throws {
    #expect(searchBidirectional(scale: 1 / 3) { _, _ in } == nil)
    for cell in 0..<4 {
      let found = try #require(
        searchBidirectional(scale: 1 / 3) { shape, parameters in
          parameters[shape.layerRange(cell).upperBound - 24 + 6 + 2] = .nan
        })
      #expect(found.quantity == .forgetGate && found.layer == cell && found.unit == 2 && found.timestep == 0)
    }
  }

  @Test func whatReachesTheTwoEndsIsObserved() throws {
    let found = try #require(
      searchBidirectional(scale: 3e38) { shape, parameters in
        for place in shape.outputRange { parameters[place] *= 30 }
      })
    #expect(found.quantity == .dHidden && found.timestep == 1 && found.lane == 1, "\(found)")
  }

  /// Classes 3 and 4 are the first tail. The search comes after a step whose rows of the embedding are still to be
  /// cleared.
  @Test func aClassOfATailIsCalledByItsNumberAndTheTokensSeenStay() throws {
    let shape = ModelShape.languageModel(
      vocabulary: 8, embedding: 4, hidden: 6, layers: 1, softmax: (cutoffs: [3, 5], factor: 1))
    let rows = ShardedRows(timesteps: 3, lanes: 2)
    let model = SequenceModel(shape: shape, passes: [rows])
    var parameters = [Float](repeating: 0, count: shape.parameterCount)
    shape.initialize(&parameters, seed: 1, method: .uniform, forgetBias: 1)
    model.pack(parameters)
    let (tokens, targets): ([Int32], [Int32]) = ([7, 1, 2, 1, 5, 7], [0, 6, 1, 3, 4, 2])
    let lengths: [Int32] = [3, 3]
    var (gradient, losses) = (shape.gradientsToBe([rows]), [0.0])
    tokens.withUnsafeBufferPointer { tokens in
      targets.withUnsafeBufferPointer { targets in
        model.forward(.tokens(tokens), parameters: parameters, step: 0)
        losses.withUnsafeMutableBufferPointer {
          model.loss(targets: .classes(targets), scale: 1 / 6, shardLosses: $0)
        }
        model.backward(.tokens(tokens), step: 0, gradient: &gradient, subtreeStride: 0, finished: { _ in })
      }
    }
    #expect(model.tokensSeen == [1, 2, 5, 7])
    // The last row of W of the first tail.
    let tail = try #require(shape.adaptive).tails[0].weights
    parameters[shape.outputRange.lowerBound + tail.upperBound - 1] = .infinity
    model.pack(parameters)
    let found = tokens.withUnsafeBufferPointer { tokens in
      targets.withUnsafeBufferPointer { targets in
        lengths.withUnsafeBufferPointer { lengths in
          model.firstNonFinite(
            .tokens(tokens), lengths: lengths, targets: .classes(targets), parameters: parameters, step: 0,
            scale: 1 / 6)
        }
      }
    }
    #expect(
      found.map { $0.quantity == .logit && $0.unit == 4 && $0.timestep == 1 && $0.lane == 1 } == true,
      "\(String(describing: found))")
    #expect(model.tokensSeen == [1, 2, 5, 7])
  }
}
