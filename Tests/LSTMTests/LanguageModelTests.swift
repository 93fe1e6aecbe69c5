import Kernels
import LSTM
import Randomness
import Testing

@Suite struct LanguageModelTests {
  /// The model in Double from the reference layers: the loss as a function of flat parameters. `masks` multiply what
  /// each LSTM layer and, last, the output layer reads.
  static func referenceLoss(
    _ shape: ModelShape, _ parameters: [Double], tokens: [Int32], targets: [Int32], timesteps: Int, lanes: Int,
    masks: [[Double]]? = nil
  ) -> Double {
    func masked(_ x: [Double], _ layer: Int) -> [Double] { masks.map { zip(x, $0[layer]).map(*) } ?? x }
    var x = tokens.flatMap { token in
      (0..<shape.inputs).map { parameters[Int(token) * shape.inputs + $0] }
    }
    for (index, layerShape) in shape.lstm.enumerated() {
      var layer = ReferenceLSTM<Double>(
        shape: layerShape, timesteps: timesteps, lanes: lanes, weights: Array(parameters[shape.layerRange(index)]))
      let zero = [Double](repeating: 0, count: lanes * shape.hidden)
      layer.forward(x: masked(x, index), a0: zero, c0: zero)
      x = Array(layer.a[(lanes * shape.hidden)...])
    }
    x = masked(x, shape.layers)
    let w = Array(parameters[shape.outputRange])
    let count = Double(targets.filter { $0 >= 0 }.count)
    var loss = 0.0
    for (row, target) in targets.enumerated() where target >= 0 {
      let logits = (0..<shape.classes).map { v in
        (0..<shape.hidden).reduce(w[shape.hidden * shape.classes + v]) {
          $0 + x[row * shape.hidden + $1] * w[$1 * shape.classes + v]
        }
      }
      loss += logarithm(logits.reduce(0) { $0 + exponentialInDouble($1) }) - logits[Int(target)]
    }
    return loss / count
  }

  private static func exponentialInDouble(_ x: Double) -> Double { 1 / Double.sigmoid(-x) - 1 }

  struct Run {
    let shape = ModelShape.languageModel(vocabulary: 7, embedding: 3, hidden: 5, layers: 2)
    let T = 4
    let B = 3
    let tokens: [Int32] = [0, 1, 2, 3, 4, 5, 6, 0, 1, 1, 1, 2]
    let targets: [Int32] = [1, 2, 3, 4, 5, 6, 0, 1, -1, 2, 2, -1]
    var parameters: [Float]

    init() {
      parameters = Array(repeating: 0, count: shape.parameterCount)
      shape.initialize(&parameters, seed: 1, method: .uniform, forgetBias: 1)
    }

    /// With dropout the lanes are a later part of a batch, in a later step: every coordinate of a draw counts.
    static let firstLane = 2
    static let step = 6
    static let seed: UInt64 = 9

    /// What dropout multiplies by, as its definition reads: for each layer that reads, [T, B, units].
    func masks(rate: Float) -> [[Double]] {
      (0...shape.layers).map { layer in
        let stream = Philox(seed: Run.seed, purpose: .dropout, step: Run.step, layer: layer)
        return (0..<T * B).flatMap { row in
          (0..<(layer == 0 ? shape.inputs : shape.hidden)).map { unit in
            let words = stream.words(block: unit / 4, t: row / B, lane: Run.firstLane + row % B)
            return Philox.uniform(words[unit % 4]) < rate ? 0 : 1 / (1 - Double(rate))
          }
        }
      }
    }

    func gradient(shards: Int, dropout: Float = 0) -> (loss: Double, gradient: [Float]) {
      let lanes = (0..<shards).map { $0 * B / shards..<($0 + 1) * B / shards }
      let rows = ShardedRows(
        timesteps: T, firstLane: Run.firstLane, shardLanes: lanes, shards: 0..<shards, shardCount: shards)
      let model = SequenceModel(shape: shape, passes: [rows], dropout: Dropout(rate: dropout, seed: Run.seed))
      model.pack(parameters)
      var gradient = shape.gradientsToBe(1)
      var losses = [Double](repeating: .nan, count: shards)
      var finished: [Int] = []
      tokens.withUnsafeBufferPointer { tokens in
        targets.withUnsafeBufferPointer { targets in
          model.forward(.tokens(tokens), parameters: parameters, step: Run.step)
          losses.withUnsafeMutableBufferPointer {
            model.loss(targets: .classes(targets), scale: 1 / 10, shardLosses: $0)
          }
          model.backward(
            .tokens(tokens), step: Run.step, gradient: &gradient, subtreeStride: 0, finished: { finished.append($0) })
        }
      }
      #expect(finished == [3, 2, 1, 0])
      return (losses.reduce(0, +) / 10, gradient)
    }
  }

  /// Without dropout; with a rate other than ½, so that the kept share and the dropped one differ.
  @Test(arguments: [0, 0.4] as [Float])
  func everyGradientAgreesWithCentralDifferencesOfTheReferenceInDouble(dropout: Float) {
    let run = Run()
    let (loss, gradient) = run.gradient(shards: 1, dropout: dropout)
    let masks = dropout > 0 ? run.masks(rate: dropout) : nil
    func truth(_ p: [Double]) -> Double {
      LanguageModelTests.referenceLoss(
        run.shape, p, tokens: run.tokens, targets: run.targets, timesteps: run.T, lanes: run.B,
        masks: masks)
    }
    let parameters = run.parameters.map(Double.init)
    #expect(abs(truth(parameters) - loss) < 1e-6)
    for i in gradient.indices {
      var (up, down) = (parameters, parameters)
      up[i] += 1e-5
      down[i] -= 1e-5
      let numeric = (truth(up) - truth(down)) / 2e-5
      #expect(abs(numeric - Double(gradient[i])) < 2e-7 + 1e-5 * abs(numeric), "parameter \(i)")
    }
  }

  @Test func shardsThatComeOutEmptyChangeOnlyTheOrderOfSums() {
    let run = Run()
    let (loss, whole) = run.gradient(shards: 1)
    for shards in [2, 3, 5, 8] {
      let (sharded, gradient) = run.gradient(shards: shards)
      #expect(abs(sharded - loss) < 1e-12)
      #expect(zip(whole, gradient).allSatisfy { abs($0 - $1) < 1e-6 })
    }
  }

  @Test func dropoutChangesTheGradientAndDrawsTheSameAgain() {
    let run = Run()
    let (_, plain) = run.gradient(shards: 2)
    let (_, first) = run.gradient(shards: 2, dropout: 0.5)
    let (_, second) = run.gradient(shards: 2, dropout: 0.5)
    #expect(first == second && first != plain)
    #expect(first.allSatisfy { $0.isFinite })
  }
}
