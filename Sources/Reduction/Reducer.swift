import MPI
import Plan
import Timing

/// How gradients are added over ranks.
package enum ReductionMethod: String, CaseIterable, Sendable {
  /// In the order of the summation tree over logical shards: the same bits for every number of ranks.
  case reproducible
  /// By `MPI_Allreduce`, whose order of additions the standard leaves open.
  case mpi
}

/// Which rows of an embedding's gradient travel between ranks; the sum has the same bits either way.
package enum EmbeddingRows: String, CaseIterable, Sendable {
  /// Those that some rank has seen.
  case sparse
  /// All of them.
  case dense
}

/// Adds the gradients of all ranks, part after part of the model, in the order in which the backward pass finishes
/// them: `submit` starts a part, `poll` lets it make progress, `finish` waits for all. Every rank updates the
/// parameters in the ranges of the sum that it owns: all of them, or a slice where ranks share the parameters.
package protocol Reducer: AnyObject {
  /// The ranges of the flat gradient that this rank owns after `finish`, one for each part, ascending.
  var ownedRanges: [Range<Int>] { get }
  /// The flat gradient in whose owned ranges the sum over all shards is, after `finish`.
  var sum: UnsafeMutablePointer<Float> { get }
  /// Where the embedding's gradient is, nil where there is none.
  var embedding: Range<Int>? { get }
  /// Where the owned gradient may be other than +0.0, after `finish`.
  var changedRanges: [Range<Int>] { get }
  /// The value of every shard, after `finish`.
  var shardValues: [Double] { get }
  /// The word of every rank about a stop (`StopListener.word`), after `finish`.
  var stopWords: [Double] { get }

  /// Runs in which the lowest layer's gradient is best computed, with a `submit` of its beginning after each.
  var runs: Int { get }

  /// The first so many numbers of a part's gradient stand, as `submit(part:rowsSeen:)` says of the whole, which follows.
  func submit(part: Int, first numbers: Int)
  /// The gradient of a part stands in every subtree's gradient, and is not touched until `finish`. `rowsSeen`: of an
  /// embedding, ascending, the rows that the gradient has.
  func submit(part: Int, rowsSeen: [Int32])
  /// Lets what was submitted make progress. Cheap where there is nothing to do: meant to be called between timesteps.
  func poll()
  /// Waits for all parts; afterwards the owned ranges of `sum` are the global gradient. Returns its global norm. Each
  /// rank brings the values of its own shards, and its word about a stop.
  func finish(ownShardValues: UnsafeBufferPointer<Double>, stopWord: Double) throws -> Double
  /// Sets what `finish` wrote into the embedding's gradient to +0.0, as the next backward pass expects it.
  func clearEmbedding()
}

extension Reducer {
  /// Where nothing sets out before the whole part is there.
  package var runs: Int { 1 }
  package func submit(part: Int, first numbers: Int) {}

  package func clearEmbedding() {
    guard let embedding else { return }
    for range in changedRanges where range.upperBound <= embedding.upperBound {
      (sum + range.lowerBound).update(repeating: 0, count: range.count)
    }
  }
}

/// What every reducer is about.
package struct ReductionPlan {
  /// The parts of the model in memory order.
  package let parts: [Range<Int>]
  /// The first part as rows, where it is an embedding, and how many rows a batch has at most.
  package let embedding: (rows: Int, size: Int, mostRows: Int)?
  /// Whether only those rows travel that some rank has seen.
  package let sendsRows: Bool
  /// Of tied weights the part that is the embedding too: as many numbers in the same order, to which those of the first
  /// part are added.
  package let sharedPart: Int?
  /// S.
  package let shardCount: Int
  /// The shards of each rank.
  package let shards: [Range<Int>]

  package init(
    parts: [Range<Int>], embedding: (rows: Int, size: Int, mostRows: Int)?, sendsRows: Bool, sharedPart: Int?,
    shardCount: Int, shards: [Range<Int>]
  ) {
    self.parts = parts
    self.embedding = embedding
    self.sendsRows = sendsRows
    self.sharedPart = sharedPart
    self.shardCount = shardCount
    self.shards = shards
  }

  /// The parts that parameters have: the embedding's own part is none where the weights are tied.
  package var parameterParts: Range<Int> { (sharedPart == nil ? 0 : 1)..<parts.count }

  /// Of tied weights: adds what came through the embedding to what came through the output, number by number where it
  /// is not 0, so that it is all the same which rows were looked at.
  package func join(_ gradient: UnsafeMutablePointer<Float>, changed: [Range<Int>]) {
    guard let sharedPart else { return }
    let offset = parts[sharedPart].lowerBound - parts[0].lowerBound
    for range in changed where range.upperBound <= parts[0].upperBound {
      let (from, to) = (gradient + range.lowerBound, gradient + (range.lowerBound + offset))
      for i in 0..<range.count { to[i] = from[i] == 0 ? to[i] : to[i] + from[i] }
    }
  }

  /// Those of ascending ranges that are of parameters.
  package func ofParameters(_ ranges: [Range<Int>]) -> ArraySlice<Range<Int>> {
    guard sharedPart != nil else { return ranges[...] }
    return ranges[(ranges.firstIndex { $0.lowerBound >= parts[0].upperBound } ?? ranges.count)...]
  }

  /// The embedding's numbers.
  package var embeddingRange: Range<Int>? { embedding == nil ? nil : parts[0] }

  /// The subtrees of each rank's shards.
  package var subtrees: [[Range<Int>]] { shards.map { SummationTree.subtrees(of: $0, leafCount: shardCount) } }
}

/// The way that the setup and the ranks' places call for: over shared memory, by messages, or both. Collective.
package func makeReducer(
  _ plan: ReductionPlan, reduction: ReductionMethod, memory: GradientMemory, sharing: NodeSharing, world: World,
  clock: StepClock
) throws -> any Reducer {
  if let node = sharing.node, let nodes = sharing.nodes {
    return try NodeReducer(plan, memory: memory, world: world, node: node, nodes: nodes, clock: clock)
  }
  if world.communicator.size == 1 || sharing.node != nil {
    return try SharedMemoryReducer(plan, memory: memory, world: world, node: sharing.node, clock: clock)
  }
  switch reduction {
  case .reproducible: return try MessageReducer(plan, memory: memory, world: world, clock: clock)
  case .mpi: return AllReduceReducer(plan, memory: memory, world: world, clock: clock)
  }
}
