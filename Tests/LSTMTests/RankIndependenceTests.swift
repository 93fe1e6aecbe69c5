import LSTM
import Plan
import Testing

/// The ranks of a run, one after the other in this process: each computes the gradients of its subtrees from the lanes
/// of its shards alone, in one pass or several, and the rest of the summation tree is walked by hand.
protocol RunInTurn {
  var shape: ModelShape { get }
  var timesteps: Int { get }
  var lanes: Int { get }
  var shardCount: Int { get }
  /// Timesteps of a segment, T for a window in one piece.
  var segment: Int { get set }
  /// What a rank's passes leave: whole gradients one behind the other, those of its subtrees first; and the losses of
  /// its shards.
  func gradients(passes: [ShardedRows]) -> (gradients: [Float], losses: [Double])
}

extension ShardedRows {
  /// Lanes of the global batch.
  var globalLanes: Range<Int> { firstLane..<firstLane + lanes }
}

extension RunInTurn {
  private func firstLane(ofShard shard: Int) -> Int { shard * lanes / shardCount }

  /// The lanes of one rank of [T, B, width] numbers.
  func window<Number>(_ numbers: [Number], _ own: Range<Int>, width: Int = 1) -> [Number] {
    (0..<timesteps).flatMap {
      numbers[($0 * lanes + own.lowerBound) * width..<($0 * lanes + own.upperBound) * width]
    }
  }

  private func rows(_ shards: Range<Int>, ofRank own: Range<Int>) -> ShardedRows {
    let first = firstLane(ofShard: shards.lowerBound)
    let shardLanes = shards.map { firstLane(ofShard: $0) - first..<firstLane(ofShard: $0 + 1) - first }
    return ShardedRows(
      timesteps: segment, firstLane: first, shardLanes: shardLanes, shards: shards, ownShards: own,
      shardCount: shardCount)
  }

  /// The passes of a rank over its shards.
  func passes(ofShards shards: Range<Int>, atMost most: Int) -> [ShardedRows] {
    let n = min(most, shards.count)
    return (0..<n).map {
      let first = shards.lowerBound
      return rows(first + $0 * shards.count / n..<first + ($0 + 1) * shards.count / n, ofRank: shards)
    }
  }

  /// A rank's gradients by the leaves that they sum over, and the losses of its shards.
  func run(rank: Int, of ranks: Int, passes: Int = 1) -> (gradients: [Range<Int>: [Float]], losses: [Double]) {
    let shards = rank * shardCount / ranks..<(rank + 1) * shardCount / ranks
    let (flat, losses) = gradients(passes: self.passes(ofShards: shards, atMost: passes))
    let size = shape.gradientCount
    var gradients: [Range<Int>: [Float]] = [:]
    for (index, leaves) in SummationTree.subtrees(of: shards, leafCount: shardCount).enumerated() {
      gradients[leaves] = Array(flat[index * size..<(index + 1) * size])
    }
    return (gradients, losses)
  }

  /// What all ranks together get.
  func run(ranks: Int, passes: Int = 1) -> (gradient: [Float], losses: [Double], subtrees: Int) {
    var gradients: [Range<Int>: [Float]] = [:]
    var losses: [Double] = []
    for rank in 0..<ranks {
      let own = run(rank: rank, of: ranks, passes: passes)
      gradients.merge(own.gradients) { _, _ in preconditionFailure("two ranks with one subtree") }
      losses += own.losses
    }
    func sum(_ node: Range<Int>) -> [Float] {
      if let gradient = gradients[node] { return gradient }
      let middle = SummationTree.split(node)
      return zip(sum(node.lowerBound..<middle), sum(middle..<node.upperBound)).map(+)
    }
    return (sum(0..<shardCount), losses, gradients.count)
  }
}

/// A language model.
struct RanksInTurn: RunInTurn {
  let shape = ModelShape.languageModel(vocabulary: 6, embedding: 3, hidden: 5, layers: 2)
  let timesteps = 4
  var segment = 4
  let lanes = 7
  let shardCount = 8
  let step = 3
  var dropout = Dropout(rate: 0.5, seed: 9)
  var penalty = ActivationPenalty()
  let tokens: [Int32]
  let targets: [Int32]
  let parameters: [Float]

  init() {
    // Every token stands in some shards and is missing in others; the last one is in no lane at all.
    tokens = randomNumbers(timesteps * lanes, seed: 11).map { (number: Float) in Int32((number + 1) * 2.5) }
    targets = randomNumbers(timesteps * lanes, seed: 12).map { (number: Float) in Int32((number + 1) * 3) }
    var parameters = [Float](repeating: 0, count: shape.parameterCount)
    shape.initialize(&parameters, seed: 1, method: .uniform, forgetBias: 1)
    self.parameters = parameters
  }

  func gradients(passes: [ShardedRows]) -> (gradients: [Float], losses: [Double]) {
    let model = SequenceModel(
      shape: shape, passes: passes, timesteps: timesteps, dropout: dropout, penalty: penalty)
    return gradients(model, passes)
  }

  private func gradients(
    _ model: SequenceModel, _ passes: [ShardedRows], weights: [Float]? = nil
  ) -> (gradients: [Float], losses: [Double]) {
    model.pack(weights ?? parameters)
    model.packRecurrent(weights ?? parameters, step: step)
    var flat = shape.gradientsToBe(passes)
    var losses: [Double] = []
    for (index, pass) in passes.enumerated() {
      model.select(pass: index)
      model.writeState(from: states(pass.globalLanes, size: model.stateSize))
      losses += gradients(model, pass, into: &flat)
    }
    return (flat, losses)
  }

  /// The gradients of a step.
  func gradients(of model: SequenceModel, passes most: Int) -> [Float] {
    gradients(model, passes(ofShards: 0..<shardCount, atMost: most)).gradients
  }

  /// The gradients of a step after one in which every number went bad.
  func gradientsAfterNaN(passes most: Int) -> (bad: [Float], good: [Float]) {
    let passes = passes(ofShards: 0..<shardCount, atMost: most)
    let model = SequenceModel(shape: shape, passes: passes, timesteps: timesteps)
    let weights = parameters.map { _ in Float.nan }
    return (gradients(model, passes, weights: weights).gradients, gradients(model, passes).gradients)
  }

  /// The tokens that a rank alone sees in two steps of so many passes, and what is left of the embedding's gradients
  /// then.
  func tokensSeen(passes most: Int) -> (seen: [Int32], rest: [Float]) {
    let passes = passes(ofShards: 0..<shardCount, atMost: most)
    let model = SequenceModel(shape: shape, passes: passes, timesteps: timesteps)
    _ = gradients(model, passes)
    var (flat, _) = gradients(model, passes)
    model.clearEmbeddingGradient(&flat, subtreeStride: shape.parameterCount)
    let starts = stride(from: 0, to: flat.count, by: shape.parameterCount)
    return (model.tokensSeen, starts.flatMap { flat[$0 + shape.parts[0].lowerBound..<$0 + shape.parts[0].upperBound] })
  }

  /// What the lanes carry over from an earlier window.
  private func states(_ own: Range<Int>, size: Int) -> [Float] {
    let all: [Float] = randomNumbers(lanes * size, seed: 13)
    return Array(all[own.lowerBound * size..<own.upperBound * size])
  }

  private func gradients(_ model: SequenceModel, _ pass: ShardedRows, into flat: inout [Float]) -> [Double] {
    var losses = [Double](repeating: .nan, count: pass.shardLanes.count)
    window(tokens, pass.globalLanes).withUnsafeBufferPointer { tokens in
      model.forward(.tokens(tokens), parameters: parameters, step: step)
      for segment in model.segments.indices.reversed() {
        model.recompute(segment: segment, .tokens(tokens), parameters: parameters, step: step)
        window(targets, pass.globalLanes).withUnsafeBufferPointer { targets in
          losses.withUnsafeMutableBufferPointer {
            model.loss(targets: .classes(targets), scale: 1 / 28, shardLosses: $0)
          }
        }
        model.backward(
          .tokens(tokens), step: step, gradient: &flat, subtreeStride: shape.parameterCount, finished: { _ in })
      }
    }
    return losses
  }
}

@Suite struct RankIndependenceTests {
  static let run = RanksInTurn()

  @Test(arguments: [2, 3, 4, 5, 8])
  func gradientsOfRanksSummedInTreeOrderHaveTheBitsOfASingleRank(ranks: Int) {
    let one = RankIndependenceTests.run.run(ranks: 1)
    let many = RankIndependenceTests.run.run(ranks: ranks)
    #expect(one.subtrees == 1 && many.subtrees >= ranks)
    #expect(many.losses == one.losses)
    let shape = RankIndependenceTests.run.shape
    for (index, part) in shape.parts.enumerated() {
      let differing = part.filter { many.gradient[$0].bitPattern != one.gradient[$0].bitPattern }.count
      #expect(differing == 0, "part \(index)")
      #expect(one.gradient[part].contains { $0 != 0 })
    }
  }

  @Test(arguments: [1, 2, 3, 5], [2, 3, 4, 8])
  func gradientsOfSeveralPassesHaveTheBitsOfASinglePass(ranks: Int, passes: Int) {
    let one = RankIndependenceTests.run.run(ranks: 1)
    let many = RankIndependenceTests.run.run(ranks: ranks, passes: passes)
    #expect(many.losses == one.losses)
    #expect(many.gradient.map(\.bitPattern) == one.gradient.map(\.bitPattern))
  }

  /// With everything that regularizes, which changes the gradient.
  @Test(arguments: [1, 2, 3, 4, 8], [1, 3])
  func regularizedGradientsHaveTheSameBits(ranks: Int, passes: Int) {
    var run = RankIndependenceTests.run
    let plain = run.run(ranks: 1)
    run.dropout = Dropout(rate: 0.5, mask: .sequence, weightRate: 0.3, embeddingRate: 0.3, seed: 9)
    run.penalty = ActivationPenalty(activation: 2, temporal: 1)
    let one = run.run(ranks: 1)
    for segment in [4, 3] {
      run.segment = segment
      let many = run.run(ranks: ranks, passes: passes)
      #expect(many.losses == one.losses && one.losses != plain.losses)
      #expect(many.gradient.map(\.bitPattern) == one.gradient.map(\.bitPattern))
    }
  }

  /// Windows of 4 timesteps in segments of 3, 2 and 1, twice in the same memory.
  @Test(arguments: [1, 2, 3, 4], [1, 2, 3])
  func gradientsOfSegmentsHaveTheBitsOfOnePiece(ranks: Int, segment: Int) {
    let whole = RankIndependenceTests.run.run(ranks: 1)
    var run = RankIndependenceTests.run
    run.segment = segment
    for passes in 1...3 {
      let cut = run.run(ranks: ranks, passes: passes)
      #expect(cut.losses == whole.losses)
      #expect(cut.gradient.map(\.bitPattern) == whole.gradient.map(\.bitPattern))
    }
    let (bad, good) = run.gradientsAfterNaN(passes: ranks)
    let (_, clean) = RankIndependenceTests.run.gradientsAfterNaN(passes: ranks)
    #expect(bad.contains { $0.isNaN } && good.map(\.bitPattern) == clean.map(\.bitPattern))
  }

  /// Five passes have 0, 2, 1, 2 and 2 lanes, with padding behind 5 units: what the one of a single lane leaves there
  /// must not be an initial state of the others in the next step.
  @Test(arguments: [1, 2, 3, 5, 8])
  func aStepThatWasNotFiniteLeavesNothingBehind(passes: Int) {
    let run = RankIndependenceTests.run
    let (bad, good) = run.gradientsAfterNaN(passes: passes)
    #expect(bad.contains { $0.isNaN })
    let clean = SequenceModel(shape: run.shape, passes: run.passes(ofShards: 0..<run.shardCount, atMost: passes))
    #expect(good.map(\.bitPattern) == run.gradients(of: clean, passes: passes).map(\.bitPattern))
  }

  /// As many tokens as are in a step, each once, ascending, and a gradient that is zero again afterwards.
  @Test(arguments: [4, 3, 1]) func theTokensOfAllPassesAreSeen(segment: Int) {
    var run = RankIndependenceTests.run
    run.segment = segment
    for passes in 1...4 {
      let (seen, rest) = run.tokensSeen(passes: passes)
      #expect(seen == Set(run.tokens).sorted())
      #expect(rest.allSatisfy { $0.bitPattern == 0 })
    }
  }

  @Test func aRankOfThreeHasTwoSubtrees() {
    let leaves = RankIndependenceTests.run.run(rank: 1, of: 3).gradients.keys.sorted { $0.lowerBound < $1.lowerBound }
    #expect(leaves == [2..<4, 4..<5])
  }

  @Test func aTokenThatNoLaneHasGetsNoGradient() {
    let run = RankIndependenceTests.run
    #expect(!run.tokens.contains(5) && Set(run.tokens).count == 5)
    #expect(run.run(ranks: 3).gradient[5 * 3..<6 * 3].allSatisfy { $0.bitPattern == 0 })
  }
}
