import DataParallel
import LSTM
import Optimization
import Plan
import Testing

/// The estimate of a rank's memory, O(T·B·H·L).
struct MemoryEstimateTests {
  private struct Sizes {
    var (hidden, layers, timesteps, sequences, ranks) = (64, 2, 32, 16, 1)
    var accumulate = 1
    var segment: Int?
    var dropout: Float = 0
    var rule = TrainingSetup.adam
    var reduction = ReductionMethod.reproducible
    var sharing = 1

    func bytes() throws -> Int { try estimate().total }

    func estimate() throws -> MemoryEstimate {
      let setup = TrainingSetup(
        shape: ModelShape.languageModel(vocabulary: 50, embedding: 16, hidden: hidden, layers: layers),
        timesteps: timesteps, segment: segment,
        globalBatch: sequences, shards: 8, accumulate: accumulate, dropout: dropout, seed: 1, rule: rule,
        clip: .norm(1),
        reduction: reduction)
      return Training.memoryEstimate(
        setup, plan: try ShardPlan(globalBatch: sequences, shards: 8, ranks: ranks), sharing: sharing)
    }
  }

  private func bytes(_ change: (inout Sizes) -> Void = { _ in }) throws -> Int {
    var sizes = Sizes()
    change(&sizes)
    return try sizes.bytes()
  }

  @Test func everythingThatGrowsTheTrainingGrowsTheEstimate() throws {
    let base = try bytes()
    #expect(try bytes { $0.hidden = 65 } > base)
    #expect(try bytes { $0.layers = 3 } > base)
    #expect(try bytes { $0.timesteps = 64 } > base)
    #expect(try bytes { $0.sequences = 32 } > base)
    #expect(try bytes { $0.dropout = 0.5 } >= base)
    #expect(try bytes { $0.rule = .sgd(learningRate: 1) } < base)
  }

  @Test func activationsAreShared() throws {
    let counts = [1, 2, 4, 8]
    let long = try counts.map { ranks in
      try bytes {
        $0.ranks = ranks
        $0.timesteps = 1000
      }
    }
    for (more, fewer) in zip(long.dropFirst(), long) { #expect(more < fewer) }
  }

  /// Of 10,000 timesteps 100 are in memory: activations are some hundredths, and each of 8 shards has a gradient that
  /// waits for the next segment.
  @Test func segmentsTakeLittleOfTheActivations() throws {
    var sizes = Sizes()
    sizes.timesteps = 10_000
    let whole = try sizes.estimate()
    sizes.segment = 100
    let cut = try sizes.estimate()
    #expect(cut.activations < whole.activations / 20)
    #expect(cut.gradients == 9 * whole.gradients && cut.packed == whole.packed)
  }

  /// 8 shards: in 2 passes the first waits for nothing, in 4 and 8 the sums of one and of two nodes wait for the other
  /// half.
  @Test func passesShareActivationsAndTheGradientsThatWaitBetweenThemAreCounted() throws {
    func estimate(ranks: Int, _ passes: Int) throws -> MemoryEstimate {
      var sizes = Sizes()
      (sizes.ranks, sizes.accumulate) = (ranks, passes)
      return try sizes.estimate()
    }
    let alone = try [1, 2, 4, 8].map { try estimate(ranks: 1, $0) }
    for (more, fewer) in zip(alone.dropFirst(), alone) { #expect(more.activations < fewer.activations) }
    #expect(alone.map { $0.gradients / $0.parameters } == [1, 1, 2, 3])
    // Three ranks hold 2, 3 and 3 shards, so two subtrees at the end, and no more on the way.
    let three = try [1, 2, 8].map { try estimate(ranks: 3, $0) }
    #expect(three.map { $0.gradients / $0.parameters } == [2, 2, 2])
  }

  /// Nearly: the scratch memory of the weight gradient takes fewer panels at once where rows are many.
  @Test func eachTimestepAndEachSequenceTakesTheSame() throws {
    let byTime = try [100, 200, 300].map { T in try bytes { $0.timesteps = T } }
    let byLanes = try [100, 200, 300].map { B in try bytes { $0.sequences = B } }
    for sizes in [byTime, byLanes] {
      let (first, second) = (sizes[1] - sizes[0], sizes[2] - sizes[1])
      #expect(abs(second - first) < first / 50, "\(sizes)")
    }
  }

  @Test func parametersGradientsAndMomentsAreCounted() throws {
    let shape = ModelShape.languageModel(vocabulary: 50, embedding: 16, hidden: 64, layers: 2)
    // Parameters, gradient, two moments, and the weights in the order in which products read them.
    #expect(try bytes() > 5 * 4 * shape.parameterCount)
    // Four ranks that share memory have one copy of parameters, moments and packed weights; what is sent takes room,
    // but MPI's own reduction has room of its own.
    let (shared, sent, sentByMPI) = try (
      bytes {
        $0.ranks = 4
        $0.sharing = 4
      }, bytes { $0.ranks = 4 },
      bytes {
        $0.ranks = 4
        $0.reduction = .mpi
      }
    )
    #expect(sentByMPI - shared > 3 * 3 * shape.parameterCount && sent > sentByMPI)
  }
}

extension TrainingSetup {
  fileprivate static var adam: OptimizerRule {
    .adam(learningRate: 0.001, beta1: 0.9, beta2: 0.999, epsilon: 1e-8)
  }
}
