import LSTM
import Plan
import Testing

/// A number is made infinite or NaN in one place; the search finds that place, and nothing else.
@Suite struct NonFiniteValueTests {
  private struct Run {
    let shape: ModelShape
    let model: SequenceModel
    /// The same in segments of 3 and of 1 timesteps: the finding must be the same.
    let segmented: [SequenceModel]
    var parameters: [Float]
    var numbers: [Float] = []
    var targets: [Int32]
    var lengths: [Int32] = [4, 2, 0, 3]
    var scale: Float = 1 / 9

    /// Four lanes of up to four timesteps.
    init(_ head: ModelShape.Head = .everyStep(classes: 5), _ pooling: Pooling = .last) {
      shape = ModelShape(input: .numbers(3), hidden: 6, layers: 2, head: head, pooling: pooling)
      model = Self.model(shape, segment: 4)
      segmented = [Self.model(shape, segment: 3), Self.model(shape, segment: 1)]
      parameters = Array(repeating: 0, count: shape.parameterCount)
      shape.initialize(&parameters, seed: 1, method: .uniform, forgetBias: 1)
      numbers = randomNumbers(4 * 4 * 3, seed: 3)
      switch head {
      case .everyStep: targets = (0..<16).map { Int32($0 % 5) }
      case .pooled: targets = [0, 1, -1, 2]
      case .everyStepUnits, .pooledNumbers: preconditionFailure("these runs have classes")
      }
    }

    private static func model(_ shape: ModelShape, segment: Int) -> SequenceModel {
      SequenceModel(
        shape: shape, passes: [ShardedRows(timesteps: segment, lanes: 4)], timesteps: 4,
        dropout: Dropout(rate: 0.5, seed: 2))
    }

    func search() -> NonFiniteValue? {
      for model in segmented {
        model.select(pass: 0)
        for (layer, whole) in zip(model.cells, self.model.cells) {
          layer.hidden(0).update(from: whole.hidden(0), count: 4 * layer.hiddenStride)
          layer.cell(0).update(from: whole.cell(0), count: 4 * layer.hiddenStride)
        }
      }
      let found = ([model] + segmented).map(search)
      for other in found { #expect(other.map { "\($0)" } == found[0].map { "\($0)" }) }
      return found[0]
    }

    private func search(_ model: SequenceModel) -> NonFiniteValue? {
      model.pack(parameters)
      return numbers.withUnsafeBufferPointer { numbers in
        lengths.withUnsafeBufferPointer { lengths in
          targets.withUnsafeBufferPointer { targets in
            model.firstNonFinite(
              .numbers(numbers), lengths: lengths, targets: .classes(targets), parameters: parameters, step: 3,
              scale: scale)
          }
        }
      }
    }

    /// In W of a layer: the row of an input, of a hidden unit behind them, or of b.
    mutating func setWeight(layer: Int, row: Int, column: Int, _ value: Float) {
      parameters[shape.layerRange(layer).lowerBound + row * 24 + column] = value
    }
  }

  @Test func finiteNumbersAreNoFinding() {
    #expect(Run().search() == nil)
    for pooling in Pooling.allCases { #expect(Run(.pooled(classes: 5), pooling).search() == nil) }
  }

  @Test func theInputIsNamedAndPaddingIsNot() throws {
    var run = Run()
    // Timestep 2 of lane 1 and all of lane 2 are padding.
    for (t, lane) in [(2, 1), (0, 2)] { run.numbers[(t * 4 + lane) * 3] = .nan }
    #expect(run.search() == nil)
    run.numbers[(2 * 4 + 3) * 3 + 2] = -.infinity
    let found = try #require(run.search())
    #expect(found == NonFiniteValue(quantity: .input, layer: nil, timestep: 2, lane: 3, unit: 2, value: -.infinity))
    #expect(found.shifted(lanes: 10).lane == 13)
  }

  @Test func aStateIsNamed() throws {
    for layer in 0..<2 {
      let run = Run()
      run.model.cells[layer].cell(0)[3 * 16 + 4] = .infinity
      #expect(
        run.search()
          == NonFiniteValue(quantity: .initialCell, layer: layer, timestep: 0, lane: 3, unit: 4, value: .infinity))
      run.model.clearState(lane: 3)
      #expect(run.search() == nil)
    }
    let run = Run()
    run.model.cells[1].hidden(0)[5] = .nan
    #expect(
      run.search().map { [$0.quantity == .initialHidden, $0.layer == 1, $0.lane == 0, $0.unit == 5] } == [
        true, true, true, true,
      ])
  }

  /// One gate after the other, in both layers: from a bias, a NaN shows in every lane from the first timestep on.
  @Test func theGateIsNamed() throws {
    let quantities: [NonFiniteValue.Quantity] = [.updateGate, .forgetGate, .outputGate, .candidate]
    for layer in 0..<2 {
      for gate in 0..<4 {
        var run = Run()
        run.lengths[0] = 0
        run.setWeight(layer: layer, row: run.shape.lstm[layer].rows - 1, column: gate * 6 + 2, .nan)
        let found = try #require(run.search())
        #expect(found.quantity == quantities[gate] && found.layer == layer && found.unit == 2)
        #expect(found.timestep == 0 && found.lane == 1 && found.value.isNaN)
      }
    }
  }

  @Test func theHeadIsNamed() throws {
    for (head, timestep) in [(ModelShape.Head.everyStep(classes: 5), 0), (.pooled(classes: 5), 1)] {
      var run = Run(head)
      run.parameters[run.shape.outputRange.upperBound - 2] = .infinity
      let logit = try #require(run.search())
      #expect(logit.quantity == .logit && logit.unit == 3 && logit.value == .infinity && logit.layer == nil)
      #expect(logit.timestep == timestep && logit.lane == (timestep == 0 ? 0 : 1))
    }
    // Without a target in that row the next one is the first.
    var run = Run()
    run.parameters[run.shape.outputRange.upperBound - 2] = .nan
    run.targets[0] = -1
    #expect(run.search()?.lane == 1)
  }

  /// Lanes have 4, 2, 0 and 3 timesteps: at the last one of each, or at all of them, too much comes from the head.
  @Test(arguments: [(Pooling.last, 1, 1), (.mean, 0, 0)])
  func whatTheHeadHandsDownIsNamed(pooling: Pooling, timestep: Int, lane: Int) throws {
    var run = Run(.pooled(classes: 5), pooling)
    (run.scale, run.targets[1]) = (3e38, 4)
    for place in run.shape.outputRange { run.parameters[place] *= 30 }
    let found = try #require(run.search())
    #expect(found.quantity == .dHidden && found.timestep == timestep && found.lane == lane, "\(found)")
  }

  /// All is finite forward: layer 0 says exactly 0, so that the huge weights of layer 1 meet zeros alone. On the way
  /// back dx = dZ·Wᵀ overflows.
  @Test func theWayBackIsNamed() throws {
    var run = Run()
    run.scale = 1000
    for row in 0..<10 { for column in 18..<24 { run.setWeight(layer: 0, row: row, column: column, 0) } }
    for row in 0..<6 { for column in 0..<24 { run.setWeight(layer: 1, row: row, column: column, 3e38) } }
    let found = try #require(run.search())
    #expect(found.quantity == .dInput && found.layer == 1 && found.timestep == 0 && found.lane == 0, "\(found)")
  }

  @Test func theOrderIsThatOfTheComputation() {
    func value(_ quantity: NonFiniteValue.Quantity, _ layer: Int?, _ t: Int, _ lane: Int = 0) -> NonFiniteValue {
      NonFiniteValue(quantity: quantity, layer: layer, timestep: t, lane: lane, unit: 0, value: .nan)
    }
    let ascending = [
      value(.input, nil, 3, 7), value(.initialHidden, 0, 0, 7), value(.updateGate, 0, 0), value(.hidden, 0, 0),
      value(.updateGate, 0, 0, 1), value(.updateGate, 0, 1), value(.initialCell, 1, 0), value(.cell, 1, 3),
      value(.logit, nil, 0), value(.loss, nil, 3), value(.dHidden, nil, 0), value(.dCandidate, 1, 3),
      value(.dUpdateGate, 1, 2), value(.dInput, 1, 0), value(.dUpdateGate, 0, 3), value(.dInput, 0, 3),
    ].map { $0.order(layers: 2, timesteps: 4) }
    for (before, after) in zip(ascending, ascending.dropFirst()) {
      #expect(before.lexicographicallyPrecedes(after), "\(before) \(after)")
    }
    #expect(ascending.allSatisfy { $0.allSatisfy { $0 >= 0 } })
  }
}
