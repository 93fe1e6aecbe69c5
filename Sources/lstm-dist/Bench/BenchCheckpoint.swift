import ArgumentParser
import Benchmarks
import DataParallel
import Files
import LSTM
import Problems

/// `bench checkpoint`: what checkpoints cost the training beside which they are written.
struct BenchCheckpoint: DistributedCommand {
  static let configuration = CommandConfiguration(
    commandName: "checkpoint",
    abstract: "Measures training with one checkpoint in each stretch, and without, in turn; with Adam.",
    discussion: "By default a language model of 25 million parameters, and a checkpoint a minute.")

  @Option(help: "V, tokens that are read, and classes of a softmax at every timestep.") var vocabulary = 65
  @Option(help: "L, LSTM layers.") var layers = 3
  @Option(help: "H, hidden units; the embedding is as large.") var hidden = 1024
  @Option(help: "B, sequences of all ranks together.") var sequences = 20
  @Option(help: "T, timesteps of a window.") var steps = 35
  @Option(help: "Seconds of a stretch.") var seconds = 60.0
  @Option(help: "Stretches of each kind.") var rounds = 2
  @Option(help: "Where the checkpoints are written, and removed.") var directory = "."
  @Flag(help: "Prints one JSON object.") var json = false
  @OptionGroup var ranks: RankOptions

  func validate() throws {
    for (name, value) in [
      ("--vocabulary", vocabulary), ("--layers", layers), ("--hidden", hidden), ("--sequences", sequences),
      ("--steps", steps), ("--rounds", rounds),
    ] where value < 1 || value > 1 << 20 {
      throw ValidationError("\(name) — expected 1 to \(1 << 20), got \(value)")
    }
    guard seconds > 0, seconds <= 86_400 else {
      throw ValidationError("--seconds — expected a number above 0 up to 86400, got \(seconds)")
    }
  }

  func run() {
    let model = ModelShape.languageModel(vocabulary: vocabulary, embedding: hidden, hidden: hidden, layers: layers)
    let shape = BenchmarkShape(name: "custom", work: .training(model), sequences: sequences, timesteps: steps)
    runJob { world in
      try warnOfPlacement(world)
      let result = try CheckpointBenchmark.run(
        shape, model: model, world: world, seconds: seconds, rounds: rounds, folder: directory)
      if world.communicator.rank == 0 { printLine(json ? record(result).text : text(result, model)) }
      return 0
    }
  }

  private func text(_ result: CheckpointBenchmark, _ model: ModelShape) -> String {
    let rows = [
      ("without", result.without), ("with", result.with), ("during one", result.during), ("beside it", result.beside),
    ].map {
      (name, steps) in
      [
        name, "\(steps.seconds.count)", rounded(steps.medianSeconds * 1e3, 1), rounded(steps.longestSeconds * 1e3, 1),
        rounded(steps.rate * Double(sequences * self.steps), 0),
      ]
    }
    return """
      \(rounded(Double(model.parameterCount) / 1e6, 1)) million parameters, \(sequences) sequences × \(steps) steps, \
      \(result.ranks) rank\(result.ranks == 1 ? "" : "s"); a checkpoint of \
      \(rounded(Double(result.checkpointBytes) / 1e6, 0)) MB every \(rounded(seconds, 0)) s
      \(table(["", "steps", "ms, median", "ms, longest", "tokens/s"], rows))
      overhead                     \(rounded(100 * result.overhead, 2)) %; \
      by the steps during a checkpoint \(rounded(100 * result.excess, 2)) %
      the copy                     \(rounded((result.copySeconds.max() ?? 0) * 1e3, 1)) ms at most; its step is \
      \(rounded(result.stepWithCopy, 2)) times the median
      longest step during one      \(rounded(result.during.longestSeconds / result.beside.medianSeconds, 2)) times the median
      longest step beside it       \(rounded(result.beside.longestSeconds / result.beside.medianSeconds, 2)) times the median
      """
  }

  private func record(_ result: CheckpointBenchmark) -> JSONRecord {
    func steps(_ steps: CheckpointBenchmark.Steps) -> JSON {
      .object([
        "steps": .integer(steps.seconds.count), "medianSeconds": .number(steps.medianSeconds),
        "longestSeconds": .number(steps.longestSeconds), "stepsPerSecond": .number(steps.rate),
      ])
    }
    return [
      "ranks": .integer(result.ranks), "checkpointBytes": .integer(result.checkpointBytes),
      "without": steps(result.without), "with": steps(result.with), "during": steps(result.during),
      "beside": steps(result.beside),
      "copySeconds": .array(result.copySeconds.map { .number($0) }), "overhead": .number(result.overhead),
      "excess": .number(result.excess), "stepWithCopy": .number(result.stepWithCopy),
    ]
  }
}
