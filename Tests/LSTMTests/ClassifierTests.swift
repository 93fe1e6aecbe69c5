import ExactMath
import Kernels
import LSTM
import Plan
import Testing

/// A model that says a class or numbers of sequences of uneven lengths, or a class of each of their timesteps; one lane
/// is empty.
struct ClassifierRun: RunInTurn {
  /// Tokens where the model has a vocabulary, numbers else.
  let shape: ModelShape
  /// T, at least the longest sequence.
  let timesteps: Int
  var segment: Int
  let dropout: Float
  let lanes = 7
  let shardCount = 8
  let step = 3
  let lengths: [Int32] = [5, 1, 3, 0, 4, 2, 5]
  let labels: [Int32] = [3, 0, 1, -1, 2, 2, 0]
  let parameters: [Float]
  /// [T, B, D] and [T, B]; what stands behind the lengths is `padding`.
  let numbers: [Float]
  let tokens: [Int32]

  static let numeric = ModelShape(input: .numbers(3), hidden: 5, layers: 2, head: .pooled(classes: 4))
  static let textual = ModelShape(
    input: .tokens(vocabulary: 6, embedding: 3), hidden: 5, layers: 2, head: .pooled(classes: 4))

  static let bothWays = ModelShape(
    input: .numbers(3), hidden: 5, layers: 2, isBidirectional: true, head: .pooled(classes: 4))
  static let textBothWays = ModelShape(
    input: .tokens(vocabulary: 6, embedding: 3), hidden: 17, layers: 1, isBidirectional: true,
    head: .pooledNumbers(2))
  static let deepBothWays = ModelShape(
    input: .tokens(vocabulary: 6, embedding: 3), hidden: 4, layers: 3, isBidirectional: true,
    head: .pooled(classes: 4))

  static let mean = ModelShape(
    input: .tokens(vocabulary: 6, embedding: 3), hidden: 5, layers: 2, head: .pooled(classes: 4), pooling: .mean)
  static let maximum = ModelShape(
    input: .numbers(3), hidden: 17, layers: 1, head: .pooled(classes: 4), pooling: .max)
  static let meanOfBoth = ModelShape(
    input: .numbers(3), hidden: 5, layers: 2, isBidirectional: true, head: .pooled(classes: 4), pooling: .mean)
  static let maximumOfBoth = ModelShape(
    input: .tokens(vocabulary: 6, embedding: 3), hidden: 4, layers: 2, isBidirectional: true,
    head: .pooledNumbers(2), pooling: .max)

  static let tagger = ModelShape(
    input: .tokens(vocabulary: 6, embedding: 3), hidden: 5, layers: 1, head: .everyStep(classes: 4))
  static let taggerOfBoth = ModelShape(
    input: .tokens(vocabulary: 6, embedding: 3), hidden: 5, layers: 1, isBidirectional: true,
    head: .everyStep(classes: 4))

  static let regression = ModelShape(input: .numbers(3), hidden: 5, layers: 2, head: .pooledNumbers(4))

  /// [T, B]: what a model of timesteps should say; −1 behind the ends.
  var timestepLabels: [Int32] {
    (0..<timesteps * lanes).map { $0 / lanes < lengths[$0 % lanes] ? Int32($0 * 3 % shape.classes) : -1 }
  }

  /// Targets of the global batch.
  var targetCount: Int { shape.head.isPooled ? 6 : Int(lengths.reduce(0, +)) }

  /// [B, K]: what a model of numbers should say; NaN for the empty lane.
  var values: [Float] {
    let drawn: [Float] = randomNumbers(lanes * shape.classes, seed: 6)
    return drawn.enumerated().map { labels[$0 / shape.classes] < 0 ? .nan : $1 }
  }

  init(_ shape: ModelShape, timesteps: Int = 5, padding: (number: Float, token: Int32) = (0, 0), dropout: Float = 0.4) {
    self.shape = shape
    self.timesteps = timesteps
    segment = timesteps
    self.dropout = dropout
    var parameters = [Float](repeating: 0, count: shape.parameterCount)
    shape.initialize(&parameters, seed: 1, method: .uniform, forgetBias: 1)
    self.parameters = parameters
    let drawn: [Float] = randomNumbers(5 * lanes * shape.inputs, seed: 4)
    let lengths = lengths
    func isPadding(_ row: Int) -> Bool { row / 7 >= Int(lengths[row % 7]) }
    numbers = (0..<timesteps * lanes * shape.inputs).map {
      isPadding($0 / shape.inputs) ? padding.number : drawn[$0]
    }
    tokens = (0..<timesteps * lanes).map { isPadding($0) ? padding.token : Int32($0 * 5 % 6) }
  }

  func gradients(passes: [ShardedRows]) -> (gradients: [Float], losses: [Double]) {
    let model = SequenceModel(
      shape: shape, passes: passes, timesteps: timesteps, dropout: Dropout(rate: dropout, seed: 9))
    model.pack(parameters)
    var flat = shape.gradientsToBe(passes)
    var losses: [Double] = []
    for (index, pass) in passes.enumerated() {
      model.select(pass: index)
      model.writeState(from: [Float](repeating: 0, count: pass.lanes * model.stateSize))
      losses += gradients(model, pass, into: &flat)
    }
    return (flat, losses)
  }

  private func gradients(_ model: SequenceModel, _ pass: ShardedRows, into flat: inout [Float]) -> [Double] {
    let own = pass.globalLanes
    var losses = [Double](repeating: .nan, count: pass.shardLanes.count)
    var finished: [Int] = []
    withInput(own) { input in
      Array(lengths[own]).withUnsafeBufferPointer { lengths in
        model.forward(input, lengths: lengths, parameters: parameters, step: step)
        for segment in model.segments.indices.reversed() {
          model.recompute(segment: segment, input, lengths: lengths, parameters: parameters, step: step)
          withTargets(own) { targets in
            losses.withUnsafeMutableBufferPointer {
              model.loss(targets: targets, scale: 1 / Float(targetCount), shardLosses: $0)
            }
          }
          model.backward(
            input, step: step, gradient: &flat, subtreeStride: shape.parameterCount,
            finished: { finished.append($0) })
        }
      }
    }
    #expect(finished == shape.parts.indices.reversed())
    return losses
  }

  private func withInput(_ own: Range<Int>, _ body: (SequenceInput) -> Void) {
    if shape.vocabulary == nil {
      window(numbers, own, width: shape.inputs).withUnsafeBufferPointer { body(.numbers($0)) }
    } else {
      window(tokens, own).withUnsafeBufferPointer { body(.tokens($0)) }
    }
  }

  private func withTargets(_ own: Range<Int>, _ body: (SequenceTargets) -> Void) {
    guard case .pooledNumbers(let count) = shape.head else {
      let labels = shape.head.isPooled ? Array(labels[own]) : window(timestepLabels, own)
      return labels.withUnsafeBufferPointer { body(.classes($0)) }
    }
    Array(values[own.lowerBound * count..<own.upperBound * count]).withUnsafeBufferPointer { body(.numbers($0)) }
  }

  /// The mean loss in Double, each lane by itself and no longer than its sequence.
  func referenceLoss(_ parameters: [Double]) -> Double {
    let lossOfLanes = labels.indices.filter { labels[$0] >= 0 }.map { lane -> Double in
      let T = Int(lengths[lane])
      var x = (0..<T).flatMap { t -> [Double] in
        let row = t * lanes + lane
        if shape.vocabulary == nil { return (0..<shape.inputs).map { Double(numbers[row * shape.inputs + $0]) } }
        let embedded = (0..<shape.inputs).map { parameters[Int(tokens[row]) * shape.inputs + $0] }
        return zip(embedded, mask(layer: 0, t: t, lane: lane, units: shape.inputs)).map(*)
      }
      let (H, Y) = (shape.hidden, shape.outputs)
      var (ends, rows): ([Double], [[Double]]) = ([], [])
      for index in 0..<shape.layers {
        let both = states(of: index, x, T, parameters)
        ends = both.flatMap { $0.suffix(H) }
        // (R2)
        x = []
        for t in 0..<T {
          for (direction, a) in both.enumerated() {
            let time = direction == 0 ? t : T - 1 - t
            x += a[time * H..<(time + 1) * H]
          }
        }
        rows = (0..<T).map { Array(x[$0 * Y..<($0 + 1) * Y]) }
        if index + 1 < shape.layers {
          let masks = (0..<T).flatMap { mask(layer: index + 1, t: $0, lane: lane, units: Y) }
          x = zip(x, masks).map(*)
        }
      }
      // Of two directions the end of the second is not what it says of the last timestep.
      let read = shape.pooling == .last ? ends : ReferencePooling.forward(shape.pooling, rows)
      if shape.head.isPooled { return loss(of: read, t: 0, lane: lane, target: labels[lane], parameters) }
      return (0..<T).reduce(0) {
        $0 + loss(of: rows[$1], t: $1, lane: lane, target: timestepLabels[$1 * lanes + lane], parameters)
      }
    }
    return lossOfLanes.reduce(0, +) / Double(targetCount)
  }

  /// The loss of what the head predicts from a row, [Y].
  private func loss(of row: [Double], t: Int, lane: Int, target: Int32, _ parameters: [Double]) -> Double {
    let (w, K, Y) = (Array(parameters[shape.outputRange]), shape.classes, shape.outputs)
    let y = zip(row, mask(layer: shape.layers, t: t, lane: lane, units: Y)).map(*)
    let logits = (0..<K).map { k in y.indices.reduce(w[Y * K + k]) { $0 + y[$1] * w[$1 * K + k] } }
    if case .pooledNumbers = shape.head {
      return logits.indices.reduce(0) { sum, k in
        let error = logits[k] - Double(values[lane * K + k])
        return sum + error * error / Double(K)
      }
    }
    let sum = logits.reduce(0) { $0 + 1 / Double.sigmoid(-$1) - 1 }
    return logarithm(sum) - logits[Int(target)]
  }

  /// a of the cells of a layer, [T, H] each, in the time of the cell. x [T, D].
  private func states(of layer: Int, _ x: [Double], _ T: Int, _ parameters: [Double]) -> [[Double]] {
    (0..<shape.directions).map { direction in
      let index = shape.directions * layer + direction
      let D = shape.lstm[index].inputs
      // (R1)
      var read = x
      if direction == 1 { read = (0..<T).flatMap { t in Array(x[(T - 1 - t) * D..<(T - t) * D]) } }
      var cell = ReferenceLSTM<Double>(
        shape: shape.lstm[index], timesteps: T, lanes: 1, weights: Array(parameters[shape.layerRange(index)]))
      let zero = [Double](repeating: 0, count: shape.hidden)
      cell.forward(x: read, a0: zero, c0: zero)
      return Array(cell.a[shape.hidden...])
    }
  }

  /// What dropout multiplies by, as its definition reads.
  private func mask(layer: Int, t: Int, lane: Int, units: Int) -> [Double] {
    let stream = Philox(seed: 9, purpose: .dropout, step: step, layer: layer)
    return (0..<units).map { unit in
      let word = stream.words(block: unit / 4, t: t, lane: lane)[unit % 4]
      return Philox.uniform(word) < dropout ? 0 : 1 / (1 - Double(dropout))
    }
  }
}

@Suite struct ClassifierTests {
  static let oneWay = [
    ClassifierRun.numeric, ClassifierRun.textual, ClassifierRun.regression, ClassifierRun.mean, ClassifierRun.maximum,
    ClassifierRun.tagger,
  ]
  static let shapes =
    oneWay + [
      ClassifierRun.bothWays, ClassifierRun.textBothWays, ClassifierRun.deepBothWays, ClassifierRun.meanOfBoth,
      ClassifierRun.maximumOfBoth, ClassifierRun.taggerOfBoth,
    ]

  @Test(arguments: shapes, [0, 0.4] as [Float])
  func everyGradientAgreesWithCentralDifferencesOfTheReferenceInDouble(shape: ModelShape, dropout: Float) {
    let run = ClassifierRun(shape, dropout: dropout)
    let (gradient, losses, _) = run.run(ranks: 1)
    let parameters = run.parameters.map(Double.init)
    #expect(abs(run.referenceLoss(parameters) - losses.reduce(0, +) / Double(run.targetCount)) < 1e-6)
    for i in gradient.indices {
      var (up, down) = (parameters, parameters)
      up[i] += 1e-5
      down[i] -= 1e-5
      let numeric = (run.referenceLoss(up) - run.referenceLoss(down)) / 2e-5
      #expect(abs(numeric - Double(gradient[i])) < 2e-7 + 1e-5 * abs(numeric), "parameter \(i)")
    }
  }

  @Test(arguments: shapes, [2, 3, 4, 5, 8])
  func gradientsOfRanksSummedInTreeOrderHaveTheBitsOfASingleRank(shape: ModelShape, ranks: Int) {
    let run = ClassifierRun(shape)
    let (one, many) = (run.run(ranks: 1), run.run(ranks: ranks))
    #expect(one.subtrees == 1 && many.subtrees >= ranks)
    #expect(many.losses == one.losses)
    #expect(many.gradient.map(\.bitPattern) == one.gradient.map(\.bitPattern))
    for part in shape.parts { #expect(one.gradient[part].contains { $0 != 0 }) }
  }

  @Test(arguments: shapes, [2, 3, 8])
  func gradientsOfSeveralPassesHaveTheBitsOfASinglePass(shape: ModelShape, passes: Int) {
    let run = ClassifierRun(shape)
    let one = run.run(ranks: 1)
    for ranks in [1, 3] {
      let many = run.run(ranks: ranks, passes: passes)
      #expect(many.losses == one.losses)
      #expect(many.gradient.map(\.bitPattern) == one.gradient.map(\.bitPattern), "\(ranks) ranks")
    }
  }

  @Test(arguments: shapes)
  func whatStandsBehindTheEndAndHowFarItReachesChangesNoBit(shape: ModelShape) {
    let plain = ClassifierRun(shape).run(ranks: 1)
    for (timesteps, number, token) in [(5, Float.nan, Int32(3)), (9, 1e30, 5), (6, 0, 0)] {
      let padded = ClassifierRun(shape, timesteps: timesteps, padding: (number, token)).run(ranks: 1)
      #expect(padded.losses == plain.losses)
      #expect(padded.gradient.map(\.bitPattern) == plain.gradient.map(\.bitPattern), "\(timesteps), \(number)")
    }
  }

  /// Lanes end in any of the segments; some segments are behind all ends, and the last one is shorter than the others.
  @Test(arguments: oneWay, [1, 2, 3, 4])
  func gradientsOfSegmentsHaveTheBitsOfOnePiece(shape: ModelShape, segment: Int) {
    let whole = ClassifierRun(shape, timesteps: 7).run(ranks: 1)
    var run = ClassifierRun(shape, timesteps: 7, padding: (.nan, 3))
    run.segment = segment
    for (ranks, passes) in [(1, 1), (2, 1), (3, 2), (4, 2), (1, 8)] {
      let cut = run.run(ranks: ranks, passes: passes)
      #expect(cut.losses == whole.losses)
      #expect(cut.gradient.map(\.bitPattern) == whole.gradient.map(\.bitPattern), "\(ranks) ranks, \(passes) passes")
    }
  }

  @Test func numbersAreReadWithoutAPartOfTheirOwn() {
    let (numeric, textual) = (ClassifierRun.numeric, ClassifierRun.textual)
    #expect(numeric.embeddingRange == nil && numeric.parts.count == 3)
    #expect(numeric.parts.map(\.count) == Array(textual.parts.map(\.count).dropFirst()))
    #expect(textual.embeddingRange == 0..<18 && numeric.layerRange(0).lowerBound == 0)
  }
}
