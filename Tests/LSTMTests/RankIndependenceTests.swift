import Kernels
import LSTM
import Testing

/// The ranks of a run, one after the other in this process: each computes the gradients of its subtrees from the lanes
/// of its shards alone, and the rest of the summation tree is walked by hand.
protocol RunInTurn {
  var shape: ModelShape { get }
  var timesteps: Int { get }
  var lanes: Int { get }
  var shardCount: Int { get }
  /// One whole gradient for each subtree of `rows`, one behind the other, and the losses of its shards.
  func gradients(rows: ShardedRows, lanes: Range<Int>) -> (gradients: [Float], losses: [Double])
}

extension RunInTurn {
  private func firstLane(ofShard shard: Int) -> Int { shard * lanes / shardCount }

  /// The lanes of one rank of [T, B, width] numbers.
  func window<Number>(_ numbers: [Number], _ own: Range<Int>, width: Int = 1) -> [Number] {
    (0..<timesteps).flatMap {
      numbers[($0 * lanes + own.lowerBound) * width..<($0 * lanes + own.upperBound) * width]
    }
  }

  /// A rank's gradients by the leaves that they sum over, and the losses of its shards.
  func run(rank: Int, of ranks: Int) -> (gradients: [Range<Int>: [Float]], losses: [Double]) {
    let shards = rank * shardCount / ranks..<(rank + 1) * shardCount / ranks
    let first = firstLane(ofShard: shards.lowerBound)
    let shardLanes = shards.map { firstLane(ofShard: $0) - first..<firstLane(ofShard: $0 + 1) - first }
    let rows = ShardedRows(timesteps: timesteps, shardLanes: shardLanes, shards: shards, shardCount: shardCount)
    let (flat, losses) = gradients(rows: rows, lanes: first..<firstLane(ofShard: shards.upperBound))
    let size = shape.parameterCount
    var gradients: [Range<Int>: [Float]] = [:]
    for (index, subtree) in rows.subtrees.enumerated() {
      let leaves = subtree.leaves.lowerBound + shards.lowerBound..<subtree.leaves.upperBound + shards.lowerBound
      gradients[leaves] = Array(flat[index * size..<(index + 1) * size])
    }
    return (gradients, losses)
  }

  /// What all ranks together get.
  func run(ranks: Int) -> (gradient: [Float], losses: [Double], subtrees: Int) {
    var gradients: [Range<Int>: [Float]] = [:]
    var losses: [Double] = []
    for rank in 0..<ranks {
      let own = run(rank: rank, of: ranks)
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
  let lanes = 7
  let shardCount = 8
  let step = 3
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

  func gradients(rows: ShardedRows, lanes own: Range<Int>) -> (gradients: [Float], losses: [Double]) {
    let model = SequenceModel(
      shape: shape, rows: rows, firstLane: own.lowerBound, dropout: Dropout(rate: 0.5, seed: 9))
    model.pack(parameters)
    let size = shape.parameterCount
    var flat = shape.gradientsToBe(rows.subtrees.count)
    var losses = [Double](repeating: .nan, count: rows.shardLanes.count)
    window(tokens, own).withUnsafeBufferPointer { tokens in
      model.forward(.tokens(tokens), parameters: parameters, step: step)
      window(targets, own).withUnsafeBufferPointer { targets in
        losses.withUnsafeMutableBufferPointer { model.loss(targets: targets, scale: 1 / 28, shardLosses: $0) }
      }
      model.backward(.tokens(tokens), step: step, gradient: &flat, subtreeStride: size, finished: { _ in })
    }
    return (flat, losses)
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
