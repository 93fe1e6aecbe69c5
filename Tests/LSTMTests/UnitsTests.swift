import ExactMath
import LSTM
import Plan
import Testing

/// A model that says at every step which of four units are on, of sequences of uneven lengths, one lane of which is
/// empty.
private struct UnitsRun: RunInTurn {
  let shape = ModelShape(input: .numbers(3), hidden: 5, layers: 2, head: .everyStepUnits(4))
  let timesteps = 5
  let lanes = 7
  let shardCount = 8
  var segment = 5
  let lengths: [Int32] = [5, 1, 3, 0, 4, 2, 5]
  let parameters: [Float]
  /// [T, B, D]; and [T, B, K], NaN behind the lengths.
  let numbers: [Float]
  let values: [Float]

  init() {
    var parameters = [Float](repeating: 0, count: shape.parameterCount)
    shape.initialize(&parameters, seed: 1, method: .uniform, forgetBias: 1)
    self.parameters = parameters
    numbers = randomNumbers(5 * 7 * 3, seed: 2)
    let draws: [Float] = randomNumbers(5 * 7 * 4, seed: 3)
    values = draws.indices.map { [lengths] place in
      place / 28 >= Int(lengths[place / 4 % 7]) ? .nan : draws[place] < 0 ? 0 : 1
    }
  }

  func gradients(passes: [ShardedRows]) -> (gradients: [Float], losses: [Double]) {
    let model = SequenceModel(shape: shape, passes: passes, timesteps: timesteps)
    model.pack(parameters)
    var flat = shape.gradientsToBe(passes)
    var losses: [Double] = []
    for (index, pass) in passes.enumerated() {
      model.select(pass: index)
      model.writeState(from: [Float](repeating: 0, count: lanes * model.stateSize))
      var own = [Double](repeating: 0, count: pass.shardLanes.count)
      let lengths = Array(lengths[pass.globalLanes])
      lengths.withUnsafeBufferPointer { lengths in
        window(numbers, pass.globalLanes, width: 3).withUnsafeBufferPointer { numbers in
          model.forward(.numbers(numbers), lengths: lengths, parameters: parameters, step: 0)
          for segment in model.segments.indices.reversed() {
            model.recompute(
              segment: segment, .numbers(numbers), lengths: lengths, parameters: parameters, step: 0)
            window(values, pass.globalLanes, width: 4).withUnsafeBufferPointer { values in
              own.withUnsafeMutableBufferPointer {
                model.loss(targets: .numbers(values), scale: 1 / 20, shardLosses: $0)
              }
            }
            model.backward(
              .numbers(numbers), step: 0, gradient: &flat, subtreeStride: shape.parameterCount, finished: { _ in })
          }
        }
      }
      losses += own
    }
    return (flat, losses)
  }

  /// The summed loss in Double, each lane by itself and no longer than its sequence.
  func referenceLoss(_ parameters: [Double]) -> Double {
    lengths.indices.filter { lengths[$0] > 0 }.reduce(0) { sum, lane in
      let T = Int(lengths[lane])
      var x = (0..<T).flatMap { t in (0..<3).map { Double(numbers[(t * lanes + lane) * 3 + $0]) } }
      for (index, layerShape) in shape.lstm.enumerated() {
        var layer = ReferenceLSTM<Double>(
          shape: layerShape, timesteps: T, lanes: 1, weights: Array(parameters[shape.layerRange(index)]))
        layer.forward(x: x, a0: Array(repeating: 0, count: 5), c0: Array(repeating: 0, count: 5))
        x = Array(layer.a[5...])
      }
      let w = Array(parameters[shape.outputRange])
      return (0..<T).reduce(sum) { sum, t in
        (0..<4).reduce(sum) { sum, k in
          let z = (0..<5).reduce(w[20 + k]) { $0 + x[t * 5 + $1] * w[$1 * 4 + k] }
          let isOn = values[(t * lanes + lane) * 4 + k] == 1
          return sum - logarithm(Double.sigmoid(isOn ? z : -z))
        }
      }
    }
  }
}

@Suite struct UnitsTests {
  @Test func everyGradientAgreesWithCentralDifferencesOfTheReferenceInDouble() {
    let run = UnitsRun()
    let (gradient, losses, _) = run.run(ranks: 1)
    let parameters = run.parameters.map(Double.init)
    #expect(abs(run.referenceLoss(parameters) - losses.reduce(0, +)) < 1e-5)
    for i in gradient.indices {
      var (up, down) = (parameters, parameters)
      up[i] += 1e-5
      down[i] -= 1e-5
      let numeric = (run.referenceLoss(up) - run.referenceLoss(down)) / 2e-5 / 20
      #expect(abs(numeric - Double(gradient[i])) < 1e-6 + 1e-5 * abs(numeric), "parameter \(i)")
    }
  }

  @Test(arguments: [1, 2, 3, 4, 8], [(1, 5), (3, 5), (2, 2)])
  func bitsDependNeitherOnRanksNorPassesNorSegments(ranks: Int, cut: (passes: Int, segment: Int)) {
    var run = UnitsRun()
    let one = run.run(ranks: 1)
    run.segment = cut.segment
    let many = run.run(ranks: ranks, passes: cut.passes)
    #expect(many.losses == one.losses)
    #expect(many.gradient.map(\.bitPattern) == one.gradient.map(\.bitPattern))
  }
}
