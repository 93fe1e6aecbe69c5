import ExactMath
import LSTM
import Plan
import Testing

/// A language model with an adaptive softmax of two tails: classes 0 to 2 in the head, 3 to 6 and 7 to 10 in tails of 2
/// units and of one.
private let adaptiveShape = ModelShape.languageModel(
  vocabulary: 11, embedding: 3, hidden: 5, layers: 1, softmax: ([3, 7], 2))

/// The same classes with tied weights, in one softmax or cut.
private let tiedShape = ModelShape.languageModel(vocabulary: 11, embedding: 5, hidden: 5, layers: 1, isTied: true)
private let tiedAdaptiveShape = ModelShape.languageModel(
  vocabulary: 11, embedding: 5, hidden: 5, layers: 1, softmax: ([3, 7], 1), isTied: true)
private let shapes = [adaptiveShape, tiedShape, tiedAdaptiveShape]

/// Its loss as the definition reads, in Double: the whole distribution of every row, from dense matrices.
private struct AdaptiveReference {
  let shape: ModelShape
  let parameters: [Double]

  private func matrix(_ x: [Double], first: Int, outputs: Int) -> [Double] {
    (0..<outputs).map { n in x.indices.reduce(0) { $0 + x[$1] * parameters[first + $1 * outputs + n] } }
  }

  private func logSoftmax(_ logits: [Double]) -> [Double] {
    let sum = logits.reduce(0) { $0 + (1 / Double.sigmoid(-$1) - 1) }
    return logits.map { $0 - logarithm(sum) }
  }

  /// ln p(w) of all classes for one row of y.
  func logProbabilities(_ y: [Double]) -> [Double] {
    if shape.isTied { return tiedLogProbabilities(y) }
    let (adaptive, first) = (shape.adaptive!, shape.outputRange.lowerBound)
    let head = logSoftmax(matrix(y + [1], first: first, outputs: adaptive.headClasses))
    return adaptive.tails.enumerated().reduce(Array(head[..<adaptive.cutoffs[0]])) { all, tail in
      let (j, tail) = tail
      let q = matrix(y, first: first + tail.projection.lowerBound, outputs: tail.units)
      let own = logSoftmax(matrix(q, first: first + tail.weights.lowerBound, outputs: tail.classes.count))
      return all + own.map { head[adaptive.cutoffs[0] + j] + $0 }
    }
  }

  /// E [11, 5], rows of tails, biases.
  private func tiedLogProbabilities(_ y: [Double]) -> [Double] {
    let first = shape.outputRange.lowerBound
    let cuts = (shape.adaptive?.cutoffs ?? []) + [11]
    let tails = cuts.count - 1
    func said(_ row: Int) -> Double { y.indices.reduce(0) { $0 + y[$1] * parameters[first + row * 5 + $1] } }
    let rows = Array(0..<cuts[0]) + (0..<tails).map { 11 + $0 }
    let head = logSoftmax(rows.enumerated().map { said($1) + parameters[first + (11 + tails) * 5 + $0] })
    return (0..<tails).reduce(Array(head[..<cuts[0]])) { all, j in
      all + logSoftmax((cuts[j]..<cuts[j + 1]).map(said)).map { head[cuts[0] + j] + $0 }
    }
  }

  func loss(tokens: [Int32], targets: [Int32], timesteps: Int, lanes: Int) -> Double {
    let H = shape.hidden
    var layer = ReferenceLSTM<Double>(
      shape: shape.lstm[0], timesteps: timesteps, lanes: lanes, weights: Array(parameters[shape.layerRange(0)]))
    let zero = [Double](repeating: 0, count: lanes * H)
    layer.forward(
      x: tokens.flatMap { token in
        let row = shape.embeddingRange!.lowerBound + Int(token) * shape.inputs
        return parameters[row..<row + shape.inputs]
      }, a0: zero, c0: zero)
    let y = Array(layer.a[(lanes * H)...])
    return targets.enumerated().filter { $0.element >= 0 }.reduce(0) { sum, target in
      sum - logProbabilities(Array(y[target.offset * H..<(target.offset + 1) * H]))[Int(target.element)]
    }
  }
}

/// The ranks of a run in turn. Shards are without any word of a tail in some windows; words of the second are rare.
private struct AdaptiveRanks: RunInTurn {
  let shape: ModelShape
  let timesteps = 4
  let lanes = 7
  let shardCount = 8
  var segment = 4
  let tokens: [Int32]
  let targets: [Int32]
  let parameters: [Float]

  init(_ shape: ModelShape = adaptiveShape, seed: UInt64 = 21) {
    self.shape = shape
    tokens = randomNumbers(28, seed: seed).map { (number: Float) in Int32((number + 1) * 5.5) }
    targets = randomNumbers(28, seed: seed + 1).map { (number: Float) in
      let square = (number + 1) * (number + 1) / 4
      return Int32(square * 12) - 1
    }
    var parameters = [Float](repeating: 0, count: shape.parameterCount)
    shape.initialize(&parameters, seed: 1, method: .uniform, forgetBias: 1)
    self.parameters = parameters
  }

  func gradients(passes: [ShardedRows]) -> (gradients: [Float], losses: [Double]) {
    let model = SequenceModel(shape: shape, passes: passes, dropout: nil)
    model.pack(parameters)
    var flat = shape.gradientsToBe(passes)
    var losses: [Double] = []
    for (index, pass) in passes.enumerated() {
      model.select(pass: index)
      model.writeState(from: [Float](repeating: 0, count: lanes * model.stateSize))
      var own = [Double](repeating: .nan, count: pass.shardLanes.count)
      window(tokens, pass.globalLanes).withUnsafeBufferPointer { tokens in
        model.forward(.tokens(tokens), parameters: parameters, step: 3)
        window(targets, pass.globalLanes).withUnsafeBufferPointer { targets in
          own.withUnsafeMutableBufferPointer { model.loss(targets: .classes(targets), scale: 0.5, shardLosses: $0) }
        }
        model.backward(
          .tokens(tokens), step: 3, gradient: &flat, subtreeStride: shape.gradientCount, finished: { _ in })
      }
      losses += own
    }
    return (flat, losses)
  }
}

@Suite struct AdaptiveSoftmaxTests {
  @Test func itsPartsLieOneBehindTheOther() {
    let adaptive = adaptiveShape.adaptive!
    #expect(adaptive.headClasses == 5 && adaptive.headParameterCount == 30)
    #expect(adaptive.tails.map(\.classes) == [3..<7, 7..<11])
    #expect(adaptive.tails.map(\.units) == [2, 1])
    #expect(adaptive.tails.map(\.projection) == [30..<40, 48..<53])
    #expect(adaptive.tails.map(\.weights) == [40..<48, 53..<57])
    #expect(adaptiveShape.outputRange.count == 57)
  }

  @Test(arguments: [[], [0, 3], [3, 3], [5, 3], [3, 11]])
  func cutoffsThatCutNothingAreNoCutoffs(cutoffs: [Int]) {
    #expect(!AdaptiveShape.isPossible(cutoffs: cutoffs, classes: 11))
  }

  @Test(arguments: shapes)
  func everyGradientAgreesWithCentralDifferencesOfTheDefinitionInDouble(shape: ModelShape) {
    let run = AdaptiveRanks(shape)
    let targets = Set(
      run.targets.map { target in adaptiveShape.adaptive!.tails.firstIndex { $0.classes.contains(Int(target)) } })
    #expect(targets == [nil, 0, 1] && run.targets.contains(-1))
    let (both, losses, _) = run.run(ranks: 1)
    let gradient = shape.joined(both)
    #expect(gradient.count == shape.parameterCount)
    func truth(_ p: [Double]) -> Double {
      AdaptiveReference(shape: run.shape, parameters: p)
        .loss(tokens: run.tokens, targets: run.targets, timesteps: run.timesteps, lanes: run.lanes)
    }
    let parameters = run.parameters.map(Double.init)
    #expect(abs(truth(parameters) - losses.reduce(0, +)) < 1e-5)
    for i in gradient.indices {
      var (up, down) = (parameters, parameters)
      up[i] += 1e-5
      down[i] -= 1e-5
      let numeric = 0.5 * (truth(up) - truth(down)) / 2e-5
      #expect(abs(numeric - Double(gradient[i])) < 2e-6 + 1e-5 * abs(numeric), "parameter \(i)")
    }
  }

  @Test(arguments: [1, 2, 3, 4, 5, 8], [1, 2, 3, 8])
  func gradientsHaveTheSameBitsForAnyNumberOfRanksAndPasses(ranks: Int, passes: Int) {
    for (shape, seed) in zip(shapes + shapes, [21, 30, 40, 50, 60, 70] as [UInt64]) {
      let run = AdaptiveRanks(shape, seed: seed)
      let (one, many) = (run.run(ranks: 1), run.run(ranks: ranks, passes: passes))
      #expect(many.losses == one.losses)
      #expect(many.gradient.map(\.bitPattern) == one.gradient.map(\.bitPattern))
    }
  }

  /// A window in two segments, or in three of which the last is shorter, has the bits of one piece.
  @Test(arguments: shapes, [1, 2, 3]) func segmentsChangeNoBit(shape: ModelShape, segment: Int) {
    let run = AdaptiveRanks(shape)
    func gradient(_ segment: Int) -> (gradient: [Float], losses: [Double]) {
      let lanes = [0..<2, 2..<2, 2..<7]
      let rows = ShardedRows(timesteps: segment, shardLanes: lanes, shards: 0..<3, shardCount: 3)
      let model = SequenceModel(
        shape: shape, passes: [rows], timesteps: run.timesteps, dropout: Dropout(rate: 0.3, seed: 1))
      model.pack(run.parameters)
      var (gradient, losses) = (shape.gradientsToBe(1), [0.0, 0, 0])
      run.tokens.withUnsafeBufferPointer { tokens in
        model.forward(.tokens(tokens), parameters: run.parameters, step: 3)
        for index in model.segments.indices.reversed() {
          model.recompute(segment: index, .tokens(tokens), parameters: run.parameters, step: 3)
          run.targets.withUnsafeBufferPointer { targets in
            losses.withUnsafeMutableBufferPointer { model.loss(targets: .classes(targets), scale: 1, shardLosses: $0) }
          }
          model.backward(.tokens(tokens), step: 3, gradient: &gradient, subtreeStride: 0, finished: { _ in })
        }
      }
      return (gradient, losses)
    }
    let (one, several) = (gradient(run.timesteps), gradient(segment))
    #expect(several.losses == one.losses)
    #expect(several.gradient.map(\.bitPattern) == one.gradient.map(\.bitPattern))
  }

  /// What a tail computes may not depend on the steps before, in which it had other rows.
  @Test(arguments: shapes) func aStepLeavesNothingBehind(shape: ModelShape) {
    let (run, other) = (AdaptiveRanks(shape), AdaptiveRanks(shape, seed: 30))
    let rows = ShardedRows(timesteps: run.timesteps, lanes: run.lanes)
    func gradient(after first: AdaptiveRanks?) -> [Float] {
      let model = SequenceModel(shape: run.shape, passes: [rows])
      model.pack(run.parameters)
      var gradient = run.shape.gradientsToBe(1)
      for part in [first, run].compactMap(\.self) {
        gradient = run.shape.gradientsToBe(1)
        model.writeState(from: [Float](repeating: 0, count: run.lanes * model.stateSize))
        var loss = [0.0]
        part.tokens.withUnsafeBufferPointer { tokens in
          model.forward(.tokens(tokens), parameters: run.parameters, step: 0)
          part.targets.withUnsafeBufferPointer { targets in
            loss.withUnsafeMutableBufferPointer { model.loss(targets: .classes(targets), scale: 1, shardLosses: $0) }
          }
          model.backward(.tokens(tokens), step: 0, gradient: &gradient, subtreeStride: 0, finished: { _ in })
        }
      }
      return gradient
    }
    #expect(gradient(after: other).map(\.bitPattern) == gradient(after: nil).map(\.bitPattern))
  }

  @Test(arguments: [adaptiveShape, tiedAdaptiveShape])
  func logProbabilitiesOfAllClassesAreExactAndTheLossIsTheTargets(shape: ModelShape) {
    let run = AdaptiveRanks(shape)
    let model = SequenceModel(shape: run.shape, passes: [ShardedRows(timesteps: run.timesteps, lanes: run.lanes)])
    model.pack(run.parameters)
    run.tokens.withUnsafeBufferPointer { model.forward(.tokens($0), parameters: run.parameters, step: nil) }
    var sum = 0.0
    for (row, target) in run.targets.enumerated() {
      let all = model.logits(lane: row % run.lanes, t: row / run.lanes).map(Double.init)
      #expect(all.count == 11)
      #expect(abs(all.reduce(0) { $0 + Double(exponential(Float($1))) } - 1) < 1e-6)
      if target >= 0 { sum -= all[Int(target)] }
    }
    var loss = [Double.nan]
    run.targets.withUnsafeBufferPointer { targets in
      loss.withUnsafeMutableBufferPointer { model.evaluationLoss(targets: .classes(targets), shardLosses: $0) }
    }
    #expect(abs(sum - loss[0]) < 1e-5)
    let truth = AdaptiveReference(shape: run.shape, parameters: run.parameters.map(Double.init))
      .loss(tokens: run.tokens, targets: run.targets, timesteps: run.timesteps, lanes: run.lanes)
    #expect(abs(truth - loss[0]) < 1e-5)
  }
}
