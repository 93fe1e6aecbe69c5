import ArgumentParser
import DataParallel
import JobHealth
import Kernels
import MPI
import Tasks

/// `sample`: text drawn from a saved model.
struct Sample: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws text from a saved model, token by token.",
    discussion: "A model of the Reber grammar draws whole strings, each marked legal or not.")

  @OptionGroup var model: ModelChoice
  @Option(help: "Text to go on from, printed first; by default a line feed or the most frequent word, not printed.")
  var prompt: String?
  @Option(help: "Tokens to draw, 200 by default; for the Reber grammar strings, 10 by default.") var length: Int?
  @Option(help: "Divides the logits: 0 takes the most likely token, 1 the model's own distribution.")
  var temperature = 1.0
  @Option(name: .customLong("top-k"), help: "Draws among this many of the most likely tokens only.") var topK: Int?
  @Option(
    name: .customLong("top-p"),
    help: "Draws among the fewest of the most likely tokens that have this share of the probability together.")
  var topP = 1.0
  @Option(help: "Seed of the draws.") var seed: UInt64 = 1
  @OptionGroup var ranks: RankOptions

  func validate() throws {
    if let length, !(1...10_000_000).contains(length) {
      throw ValidationError("--length — expected 1 to 10000000, got \(length)")
    }
    guard temperature.isFinite, temperature >= 0 else {
      throw ValidationError("--temperature — expected a number from 0, got \(temperature)")
    }
    if let topK, topK < 1 { throw ValidationError("--top-k — expected at least 1, got \(topK)") }
    guard topP > 0, topP <= 1 else {
      throw ValidationError("--top-p — expected a share above 0, at most 1, got \(topP)")
    }
  }

  private var options: SamplingOptions {
    SamplingOptions(
      prompt: prompt, length: length, temperature: temperature, limits: SamplingLimits(count: topK, share: topP))
  }

  func run() {
    runJob { world in
      let loaded = try model.load(world)
      world.agree {
        guard world.communicator.rank == 0 else { return }
        let shape = loaded.model.shape
        // The other ranks take nothing.
        try MemoryLimits.ofThisProcess(localRanks: 1).check(
          Sampler.memoryNeed(of: shape), for: "the model does not fit",
          hint: "use a machine with more memory")
        let parameters = FloatBuffer(count: shape.parameterCount)
        let sampling = try loaded.saved.configuration.learningTask.sampling(from: loaded.saved, options)
        if sampling.unknownPromptTokens > 0 {
          printError(
            "warning: the model does not know \(sampling.unknownPromptTokens) of the prompt's "
              + "\(sampling.promptTokens) tokens")
        }
        try loaded.model.readParameters(loaded.checkpoint, into: parameters.pointer)
        sampling.draw(Sampler(shape: shape, parameters: parameters.pointer, seed: seed)) { printLine($0.line) }
        withExtendedLifetime(parameters) {}
      }
      return 0
    }
  }
}
