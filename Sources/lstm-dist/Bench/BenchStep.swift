import ArgumentParser
import Benchmarks
import DataParallel
import Files
import Kernels
import LSTM
import Plan
import Problems

/// `bench step`: the trainer's own step on random sequences.
struct BenchStep: DistributedCommand {
  static let configuration = CommandConfiguration(
    commandName: "step", abstract: "Measures the whole training step: forward, backward, reduction, clip, SGD.",
    discussion: """
      A language model carries its hidden state from step to step; sequences that get one class each start from zero. \
      small-shard is LSTM layers alone on one rank, forward and backward to the gradients of weights and inputs: without \
      an update, so that packing the weights is not in the measured time.
      """)

  /// The sizes that are not given: those of char-512.
  private enum Usual {
    static let (vocabulary, layers, hidden, sequences, steps) = (65, 2, 512, 64, 128)
  }

  @Option(help: "A named shape: \(BenchmarkShape.named.map(\.name).joined(separator: ", ")).")
  var shape: String?
  @Option(
    help: "V, tokens that are read, and classes of a softmax at every timestep. (default: \(Usual.vocabulary))")
  var vocabulary: Int?
  @Option(help: "D, numbers that are read at a timestep, instead of tokens.") var inputs: Int?
  @Option(help: "K, classes of a softmax at the last timestep, instead of one at every timestep.") var classes: Int?
  @Option(help: "L, LSTM layers. (default: \(Usual.layers))") var layers: Int?
  @Option(help: "H, hidden units; the embedding is as large. (default: \(Usual.hidden))") var hidden: Int?
  @Option(help: "B, sequences of all ranks together. (default: \(Usual.sequences))") var sequences: Int?
  @Option(help: "T, timesteps of a window. (default: \(Usual.steps))") var steps: Int?
  @Option(help: "Passes in which a rank accumulates its gradient, at most.") var accumulate = 1
  @Option(help: "Measured steps.") var rounds = 11
  @Option(help: "How gradients are added over ranks: reproducible or mpi.") var reduction = "reproducible"
  @Flag(help: "Prints one JSON object.") var json = false
  @OptionGroup var ranks: RankOptions

  /// The options that give sizes, as far as they are there.
  private var sizes: [(option: String, value: Int)] {
    [
      ("--vocabulary", vocabulary), ("--inputs", inputs), ("--classes", classes), ("--layers", layers),
      ("--hidden", hidden), ("--sequences", sequences), ("--steps", steps),
    ].compactMap { option, value in value.map { (option, $0) } }
  }

  func validate() throws {
    for (option, value) in sizes + [("--rounds", rounds), ("--accumulate", accumulate)]
    where value < 1 || value > 1 << 20 {
      throw ValidationError("\(option) — expected 1 to \(1 << 20), got \(value)")
    }
    if let shape {
      guard BenchmarkShape.named.contains(where: { $0.name == shape }) else {
        let known = BenchmarkShape.named.map(\.name).joined(separator: ", ")
        throw ValidationError("unknown shape — expected one of \(known), got \(shape)")
      }
      if let (option, value) = sizes.first {
        throw ValidationError(
          "the sizes of a named shape are fixed — expected --shape or sizes, got \(option) \(value)")
      }
    }
    guard ReductionMethod(rawValue: reduction) != nil else {
      throw ValidationError("--reduction — expected reproducible or mpi, got \(reduction)")
    }
  }

  func run() {
    let named = BenchmarkShape.named.first { $0.name == self.shape }
    let (vocabulary, hidden) = (self.vocabulary ?? Usual.vocabulary, self.hidden ?? Usual.hidden)
    let model = ModelShape(
      input: inputs.map { .numbers($0) } ?? .tokens(vocabulary: vocabulary, embedding: hidden), hidden: hidden,
      layers: layers ?? Usual.layers, head: classes.map { .pooled(classes: $0) } ?? .everyStep(classes: vocabulary))
    let custom = BenchmarkShape(
      name: "custom", work: .training(model), sequences: sequences ?? Usual.sequences, timesteps: steps ?? Usual.steps)
    runJob { world in
      try warnOfPlacement(world)
      let result = try StepBenchmark.run(
        named ?? custom, world: world, rounds: rounds, reduction: ReductionMethod(rawValue: reduction)!,
        accumulate: accumulate)
      if world.communicator.rank == 0 { printLine(json ? result.record.text : result.table) }
      return 0
    }
  }
}

extension StepBenchmark {
  fileprivate var record: JSONRecord {
    [
      "shape": .string(shape.name), "ranks": .integer(ranks), "medianSeconds": .number(medianSeconds),
      "gflops": .number(gflops), "peakGflops": .number(peakGflops),
      "instructionSet": .string(InstructionSet.current.rawValue), "shareOfPeak": .number(shareOfPeak),
      "runShareOfPeak": .number(runShareOfPeak),
      "computeShareOfPeak": .number(computeShareOfPeak), "communicationSeconds": .number(communicationSeconds),
      "waitingSeconds": .number(waitingSeconds), "tokensPerSecond": .number(tokensPerSecond),
      "peakMemoryBytes": .integer(peakMemoryBytes), "allMemoryBytes": .integer(allMemoryBytes),
      "estimatedMemory": memory.json, "bandwidths": levels.json,
      "rooflineSeconds": .number(roofline.seconds), "shareOfRoofline": .number(shareOfRoofline),
      "roofline": roofline.json,
    ]
  }

  fileprivate var table: String {
    let counted = "\(rounded(100 * shareOfPeak, 1)) %"
    let run = "\(rounded(100 * runShareOfPeak, 1)) %"
    return """
      \(shape.name): \(shape.work.sizes), \
      \(shape.sequences) sequences × \(shape.timesteps) steps, \(ranks) rank\(ranks == 1 ? "" : "s")
        step                     \(rounded(medianSeconds * 1e3, 2)) ms (median)
        timesteps                \(rounded(tokensPerSecond, 0)) a second
        speed                    \(rounded(gflops, 1)) GFLOP/s
        FMA peak, same run       \(rounded(peakGflops, 1)) GFLOP/s (\(InstructionSet.current.rawValue))
        share of the peak        \(counted)\(counted == run ? "" : ", by the operations that run \(run)")
        without the reduction    \(rounded(100 * computeShareOfPeak, 1)) %
        communication not hidden \(share(communicationSeconds))
        waiting for the slowest  \(share(waitingSeconds))
        memory of a rank         \(rounded(Double(peakMemoryBytes) / 1e6, 0)) MB, of which about \(memory.text)
        memory of all ranks      \(rounded(Double(allMemoryBytes) / 1e6, 0)) MB, what they share counted once

      \(roofline.text(levels))
      \(levels.text)
      the roofline allows \(rounded(roofline.seconds * 1e3, 2)) ms; reached: \(rounded(100 * shareOfRoofline, 1)) %
      """
  }

  /// Seconds of a step, and their share of it.
  private func share(_ seconds: Double) -> String {
    "\(rounded(seconds * 1e3, 2)) ms, \(rounded(100 * seconds / medianSeconds, 1)) %"
  }
}

extension BenchmarkShape.Work {
  /// The sizes in words.
  fileprivate var sizes: String {
    switch self {
    case .layers(let stack): return "D \(stack[0].inputs), \(stack.count) × \(stack[0].hidden), LSTM layers alone"
    case .training(let model):
      let input = model.vocabulary.map { "V \($0)" } ?? "D \(model.inputs)"
      let head =
        switch model.head {
        // Of as many classes as tokens: a language model.
        case .everyStep(model.vocabulary): ""
        case .everyStep(let classes): ", \(classes) classes at every step"
        case .everyStepUnits(let count): ", \(count) units at every step"
        case .pooled(let classes): ", \(classes) classes for a sequence"
        case .pooledNumbers(let count): ", \(count) numbers for a sequence"
        }
      return "\(input), \(model.layers) × \(model.hidden)\(head)"
    }
  }
}
