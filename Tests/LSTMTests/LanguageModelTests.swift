import ExactMath
import Kernels
import LSTM
import Plan
import Testing

@Suite struct LanguageModelTests {
  /// The model in Double from the reference layers: what is minimized as a function of flat parameters, and the part of
  /// it that is the cross-entropy. `masks` multiply what each LSTM layer and, last, the output layer reads.
  static func referenceLoss(
    _ shape: ModelShape, _ parameters: [Double], tokens: [Int32], targets: [Int32], timesteps: Int, lanes: Int,
    masks: [[Double]]? = nil, penalty: ActivationPenalty = ActivationPenalty()
  ) -> (minimized: Double, crossEntropy: Double) {
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
    let states = x
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
    // (P1) and (P2)
    let (H, mean) = (shape.hidden, 1 / (count * Double(shape.hidden)))
    var penalties = 0.0
    for row in targets.indices where targets[row] >= 0 {
      for j in row * H..<(row + 1) * H {
        penalties += Double(penalty.activation) * mean * x[j] * x[j]
        guard row >= lanes else { continue }
        let change = states[j] - states[j - lanes * H]
        penalties += Double(penalty.temporal) * mean * change * change
      }
    }
    return (loss / count + penalties, loss / count)
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

    private static func factor(_ word: UInt32, _ rate: Float) -> Double {
      Philox.uniform(word) < rate ? 0 : 1 / (1 - Double(rate))
    }

    /// (D1) and (D3), as their definitions read: what is multiplied for each layer that reads, [T, B, units].
    func masks(_ dropout: Dropout) -> [[Double]] {
      let rows = Philox(seed: Run.seed, purpose: .embeddingDropout, step: Run.step)
      return (0...shape.layers).map { layer in
        let stream = Philox(seed: Run.seed, purpose: .dropout, step: Run.step, layer: layer)
        return (0..<T * B).flatMap { row in
          (0..<(layer == 0 ? shape.inputs : shape.hidden)).map { unit in
            let t = dropout.mask == .sequence ? 0 : row / B
            let words = stream.words(block: unit / 4, t: t, lane: Run.firstLane + row % B)
            let number = Run.factor(words[unit % 4], dropout.rate)
            let token = Int(tokens[row])
            return layer > 0
              ? number : number * Run.factor(rows.words(block: token / 4)[token % 4], dropout.embeddingRate)
          }
        }
      }
    }

    /// (D2), as its definition reads: W̃h in place of Wh.
    func keptWeights(_ parameters: [Double], _ dropout: Dropout) -> [Double] {
      var kept = parameters
      for (index, layer) in shape.lstm.enumerated() {
        let stream = Philox(seed: Run.seed, purpose: .weightDropout, step: Run.step, layer: index)
        let start = shape.layerRange(index).lowerBound + layer.inputs * layer.columns
        for k in 0..<layer.hidden {
          for n in 0..<layer.columns {
            kept[start + k * layer.columns + n] *= Run.factor(
              stream.words(block: n / 4, t: k)[n % 4], dropout.weightRate)
          }
        }
      }
      return kept
    }

    func gradient(
      shards: Int, dropout rate: Float = 0, _ given: Dropout? = nil, penalty: ActivationPenalty = ActivationPenalty(),
      segment: Int = 4
    ) -> (loss: Double, gradient: [Float]) {
      let dropout = given ?? Dropout(rate: rate, seed: Run.seed)
      let lanes = (0..<shards).map { $0 * B / shards..<($0 + 1) * B / shards }
      let rows = ShardedRows(
        timesteps: segment, firstLane: Run.firstLane, shardLanes: lanes, shards: 0..<shards, shardCount: shards)
      let model = SequenceModel(
        shape: shape, passes: [rows], timesteps: T, dropout: dropout, penalty: penalty)
      model.pack(parameters)
      model.packRecurrent(parameters, step: Run.step)
      var gradient = shape.gradientsToBe(1)
      var losses = [Double](repeating: .nan, count: shards)
      var finished: [Int] = []
      tokens.withUnsafeBufferPointer { tokens in
        targets.withUnsafeBufferPointer { targets in
          model.forward(.tokens(tokens), parameters: parameters, step: Run.step)
          for segment in model.segments.indices.reversed() {
            model.recompute(segment: segment, .tokens(tokens), parameters: parameters, step: Run.step)
            losses.withUnsafeMutableBufferPointer {
              model.loss(targets: .classes(targets), scale: 1 / 10, shardLosses: $0)
            }
            model.backward(
              .tokens(tokens), step: Run.step, gradient: &gradient, subtreeStride: 0,
              finished: { finished.append($0) })
          }
        }
      }
      #expect(finished == [3, 2, 1, 0])
      return (losses.reduce(0, +) / 10, gradient)
    }
  }

  /// Each way to regularize alone, and all together; rates other than ½, so that the kept share and the dropped one
  /// differ.
  static let regularized: [(Dropout, ActivationPenalty)] = {
    let none = ActivationPenalty()
    func dropout(_ rate: Float, _ mask: Dropout.Mask = .timestep, weights: Float = 0, embedding: Float = 0) -> Dropout {
      Dropout(rate: rate, mask: mask, weightRate: weights, embeddingRate: embedding, seed: Run.seed)
    }
    return [
      (dropout(0), none), (dropout(0.4), none), (dropout(0.4, .sequence), none), (dropout(0, weights: 0.4), none),
      (dropout(0, embedding: 0.4), none), (dropout(0), ActivationPenalty(activation: 3)),
      (dropout(0), ActivationPenalty(temporal: 5)),
      (
        dropout(0.3, .sequence, weights: 0.6, embedding: 0.2), ActivationPenalty(activation: 2, temporal: 3)
      ),
    ]
  }()

  @Test(arguments: regularized.indices)
  func everyGradientAgreesWithCentralDifferencesOfTheReferenceInDouble(index: Int) {
    let run = Run()
    let (dropout, penalty) = Self.regularized[index]
    let (loss, gradient) = run.gradient(shards: 1, dropout, penalty: penalty)
    let masks = run.masks(dropout)
    func reference(_ p: [Double]) -> (minimized: Double, crossEntropy: Double) {
      LanguageModelTests.referenceLoss(
        run.shape, run.keptWeights(p, dropout), tokens: run.tokens, targets: run.targets, timesteps: run.T,
        lanes: run.B, masks: masks, penalty: penalty)
    }
    func truth(_ p: [Double]) -> Double { reference(p).minimized }
    let parameters = run.parameters.map(Double.init)
    #expect(abs(reference(parameters).crossEntropy - loss) < 1e-6)
    for segment in 1...3 {
      let cut = run.gradient(shards: 1, dropout, penalty: penalty, segment: segment)
      #expect(cut.loss == loss && cut.gradient.map(\.bitPattern) == gradient.map(\.bitPattern))
    }
    let (_, other) = run.gradient(shards: 1)
    #expect(index == 0 || gradient != other)
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

  /// A window of 4 timesteps in memory for 7, whose targets behind it are missing: gradient, loss and the states that the
  /// next window begins with are those of a window of 4.
  @Test func paddingBehindAWindowChangesNothing() {
    let run = Run()
    func step(timesteps T: Int) -> (loss: Double, gradient: [Float], states: [Float]) {
      let rows = ShardedRows(timesteps: T, shardLanes: [0..<run.B], shards: 0..<1, shardCount: 1)
      let model = SequenceModel(shape: run.shape, passes: [rows], dropout: Dropout(rate: 0.25, seed: 1))
      model.pack(run.parameters)
      let padding = (T - run.T) * run.B
      let tokens = run.tokens + [Int32](repeating: 3, count: padding)
      let targets = run.targets + [Int32](repeating: -1, count: padding)
      var (gradient, losses) = (run.shape.gradientsToBe(1), [0.0])
      var states = [Float](repeating: .nan, count: run.B * model.stateSize)
      model.writeState(from: (0..<states.count).map { Float($0 % 5) * 0.1 })
      tokens.withUnsafeBufferPointer { tokens in
        targets.withUnsafeBufferPointer { targets in
          model.forward(.tokens(tokens), parameters: run.parameters, step: 2)
          model.readState(into: &states, after: run.T)
          losses.withUnsafeMutableBufferPointer {
            model.loss(targets: .classes(targets), scale: 0.1, shardLosses: $0)
          }
          model.backward(.tokens(tokens), step: 2, gradient: &gradient, subtreeStride: 0, finished: { _ in })
        }
      }
      return (losses[0], gradient, states)
    }
    let (window, padded) = (step(timesteps: run.T), step(timesteps: run.T + 3))
    #expect(window.loss == padded.loss && window.states == padded.states && window.states.allSatisfy(\.isFinite))
    #expect(window.gradient == padded.gradient)
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
