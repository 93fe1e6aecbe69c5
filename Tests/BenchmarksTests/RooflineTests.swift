import Benchmarks
import LSTM
import Testing

/// The least time of a step, by hand-computed cases.
struct RooflineTests {
  /// L = 1, D = 3, H = 2, V = K = 5; T = 4, B = 2 on each of 2 ranks: 8 rows a rank.
  private static let sizes = StepWork.Sizes(
    layers: [LSTMShape(inputs: 3, hidden: 2)], vocabulary: 5, classes: 5, timesteps: 4, globalBatch: 4, lanes: 2,
    ranks: 2, subtrees: 1)

  private func phase(_ name: String, _ sizes: StepWork.Sizes = sizes) throws -> PhaseWork {
    try #require(StepWork(sizes, bytes: 1e6).phases.first { $0.name == name })
  }

  /// Floats that a phase reads or writes.
  private func moved(_ phase: PhaseWork) -> Int {
    Int(phase.data.reduce(0) { $0 + $1.bytes * $1.times }) / MemoryLayout<Float>.stride
  }

  @Test func operationsAreThoseOfTheFormula() {
    let work = StepWork(Self.sizes, bytes: 1e6)
    // 6·T·B·(4H(D + H) + H·V) = 6·8·(8·5 + 10)
    #expect(work.phases.reduce(0) { $0 + $1.flops } == 2400)
    let shape = ModelShape.languageModel(vocabulary: 5, embedding: 3, hidden: 2, layers: 1)
    #expect(shape.flopsPerStep(timesteps: 4, lanes: 2) == 2400)
  }

  @Test func everyPhaseMovesItsOperandsAndResults() throws {
    // x [8, 3], Wx [3, 8], Z [8, 8]
    #expect(moved(try phase("x·Wx")) == 24 + 24 + 64)
    // Wh [2, 8] at 4 timesteps, Z read and written, a and c [8, 2] written
    #expect(moved(try phase("recurrence, forward")) == 4 * 16 + 2 * 64 + 2 * 16)
    // Wh at 4 timesteps, gates read and dZ written, c and da read
    #expect(moved(try phase("recurrence, backward")) == 4 * 16 + 2 * 64 + 2 * 16)
    // x and a, dZ, dW and db [6, 8]
    #expect(moved(try phase("dW")) == 8 * 5 + 64 + 48)
    #expect(moved(try phase("dx")) == 24 + 64 + 24)
    // Wy and its transpose [2, 5], y [8, 2] twice, logits [8, 5] three times, dWy and dby [3, 5], dy
    #expect(moved(try phase("output layer")) == 20 + 32 + 120 + 15 + 16)
    #expect(moved(try phase("loss")) == 80)
    // Half of 15 + 48 + 15 numbers, of the gradient and of the parameters, sent and received
    #expect(moved(try phase("exchange")) == 39 * 4)
    #expect(moved(try phase("norm and update")) == 39 * 4)
    // 40 + 10 weights, read once and written twice
    #expect(moved(try phase("packing")) == 150)
  }

  @Test func onlyRowsOfTheEmbeddingThatABatchCanNameCount() throws {
    var sizes = Self.sizes
    sizes.vocabulary = 1000
    // 8 rows of 3 numbers, read from the table and written as x
    #expect(moved(try phase("embedding", sizes)) == 48)
    // 16 rows of the table, in place of 5, on two ranks
    #expect(moved(try phase("exchange", sizes)) == 2 * (48 + 48 + 15))
  }

  @Test func aRankAloneExchangesNothing() {
    var sizes = Self.sizes
    sizes.ranks = 1
    #expect(!StepWork(sizes, bytes: 1).phases.contains { $0.name == "exchange" })
  }

  @Test func ranksThatShareMemorySendNothingAndPackAPart() throws {
    var sizes = Self.sizes
    sizes.sharesMemory = true
    // 78 numbers of each of two ranks' gradients, half of them read by each, and half of the sums written
    #expect(moved(try phase("exchange", sizes)) == 78 + 39)
    #expect(moved(try phase("packing", sizes)) == 75)
    // All of Wx is read, but half of it stands for the rank in a shared cache.
    let product = try phase("x·Wx", sizes)
    #expect(moved(product) == 24 + 24 + 64)
    #expect(product.bytes == 4 * (24 + 12 + 64))
  }

  @Test func anOutputLayerAtTheLastTimestepSeesTheLanesAlone() throws {
    var sizes = Self.sizes
    sizes.isPooled = true
    #expect(try phase("output layer", sizes).flops == 6 * 2 * 2 * 5)
    #expect(moved(try phase("loss", sizes)) == 2 * 10)
  }

  @Test func layersAloneHaveNoHeadAndNoUpdate() {
    let work = StepWork(Self.sizes.layers, timesteps: 4, lanes: 2, bytes: 1)
    #expect(work.phases.map(\.name) == ["x·Wx", "recurrence, forward", "recurrence, backward", "dW", "dx"])
    // 6·T·B·4H(D + H)
    #expect(work.phases.reduce(0) { $0 + $1.flops } == 6 * 8 * 8 * 5)
  }

  @Test func numbersThatAreReadGetNoGradient() {
    var sizes = Self.sizes
    sizes.vocabulary = 0
    sizes.hasInputGradient = false
    #expect(!StepWork(sizes, bytes: 1).phases.contains { ["dx", "embedding"].contains($0.name) })
  }

  // MARK: Under a roof

  /// 1 Gflop/s; a first cache of 100 bytes, a cache of 1,000 bytes at 100 bytes a second, memory at 10.
  private static let roof = Roof(
    flopsPerSecond: 1e9,
    memory: MemoryLevels(
      firstCacheBytes: 100,
      levels: [
        MemoryLevel(name: "L2", capacityBytes: 1000, bytesPerSecond: 100),
        MemoryLevel(name: "memory", capacityBytes: .infinity, bytesPerSecond: 10),
      ]))

  private func bound(
    _ bytes: Double, times: Double = 1, _ reuse: DataMovement.Reuse, flops: Double = 0, step: Double = 500
  ) -> PhaseBound {
    PhaseWork(name: "phase", flops: flops, data: [DataMovement(bytes: bytes, times: times, reuse: reuse)])
      .bound(under: Self.roof, stepBytes: step)
  }

  @Test func dataComeFromTheSmallestCacheThatHoldsThem() {
    #expect(bound(80, .phase).bytesThrough == [0, 0])
    #expect(bound(200, times: 3, .phase).bytesThrough == [600, 0])
    #expect(bound(2000, .phase).bytesThrough == [2000, 2000])
    #expect(bound(200, .step, step: 1001).bytesThrough == [200, 200])
    #expect(bound(200, .step, step: 1000).bytesThrough == [200, 0])
    #expect(bound(50, times: 7, .timestep(bytes: 101)).bytesThrough == [350, 0])
    #expect(bound(50, times: 7, .timestep(bytes: 99)).bytesThrough == [0, 0])
  }

  @Test func theSlowestOfOperationsAndLevelsIsTheLimit() {
    let computing = bound(200, .phase, flops: 3e9)
    #expect(computing.seconds == 3 && computing.limit == "flop")
    let cached = bound(200, .phase, flops: 1e9)
    #expect(cached.seconds == 2 && cached.limit == "L2")
    let far = bound(2000, .phase, flops: 1e9)
    #expect(far.seconds == 200 && far.limit == "memory")
  }

  @Test func layersAddUp() {
    let shape = LSTMShape(inputs: 2, hidden: 2)
    var sizes = Self.sizes
    sizes.layers = [shape]
    let one = Roofline(StepWork(sizes, bytes: 1e6), under: Self.roof)
    sizes.layers = [shape, shape]
    let two = Roofline(StepWork(sizes, bytes: 1e6), under: Self.roof)
    #expect(one.phases.map(\.name) == two.phases.map(\.name))
    for (a, b) in zip(one.phases, two.phases) where ["x·Wx", "dW", "dx"].contains(a.name) {
      #expect(b.flops == 2 * a.flops && b.seconds == 2 * a.seconds)
    }
    #expect(two.seconds == two.phases.reduce(0) { $0 + $1.seconds })
  }

  // MARK: Shares of the caches

  @Test func ranksShareACacheEvenly() {
    let caches = [
      ProcessorCache(level: 1, bytes: 32, sharers: 2), ProcessorCache(level: 2, bytes: 512, sharers: 2),
      ProcessorCache(level: 3, bytes: 4096, sharers: 8),
    ]
    // Two threads a core: one rank for each core shares the last cache alone.
    #expect(MemoryLevels.shares(caches, localRanks: 4, processors: 8).map(\.bytes) == [32, 512, 1024])
    #expect(MemoryLevels.shares(caches, localRanks: 1, processors: 8).map(\.bytes) == [32, 512, 4096])
    #expect(MemoryLevels.shares(caches, localRanks: 8, processors: 8).map(\.bytes) == [16, 256, 512])
    // What a rank has of the last cache is less than what it has of the one before.
    let small = [ProcessorCache(level: 2, bytes: 512, sharers: 1), ProcessorCache(level: 3, bytes: 1024, sharers: 8)]
    #expect(MemoryLevels.shares(small, localRanks: 8, processors: 8).map(\.level) == [2])
  }
}
