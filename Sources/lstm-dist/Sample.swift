import ArgumentParser
import Checkpoints
import Configuration
import DataParallel
import Kernels
import MPI
import Sequences

/// `sample`: text drawn from a saved model.
struct Sample: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Draws text from a saved model, token by token.",
    discussion: "A model of the Reber grammar draws whole strings, each marked legal or not.")

  @Argument(help: ArgumentHelp("A run directory (its newest valid checkpoint) or one checkpoint.", valueName: "run"))
  var path: String
  @Option(help: "Text to go on from, printed first; by default a line feed or the most frequent word, not printed.")
  var prompt: String?
  @Option(help: "Tokens to draw, 200 by default; for the Reber grammar strings, 10 by default.") var length: Int?
  @Option(help: "Divides the logits: 0 takes the most likely token, 1 the model's own distribution.")
  var temperature = 1.0
  @Option(help: "Seed of the draws.") var seed: UInt64 = 1

  func validate() throws {
    if let length, !(1...10_000_000).contains(length) {
      throw ValidationError("--length — expected 1 to 10000000, got \(length)")
    }
    guard temperature.isFinite, temperature >= 0 else {
      throw ValidationError("--temperature — expected a number from 0, got \(temperature)")
    }
  }

  func run() {
    runJob { world in
      let (saved, checkpoint) = loadModel(path, world: world)
      world.agree {
        guard world.communicator.rank == 0 else { return }
        let parameters = FloatBuffer(count: saved.model.shape.parameterCount)
        try saved.model.readParameters(checkpoint, into: parameters.pointer)
        let sampler = Sampler(shape: saved.model.shape, parameters: parameters.pointer, seed: seed)
        if saved.configuration.task == .reber {
          try sampleStrings(sampler)
        } else {
          try sampleText(sampler, saved.vocabulary)
        }
      }
      return 0
    }
  }

  private func sampleStrings(_ sampler: Sampler) throws {
    guard prompt == nil else {
      throw Failure("a model of the Reber grammar takes no prompt — expected no --prompt", hint: nil, exitCode: 64)
    }
    for _ in 0..<(length ?? 10) {
      let string = ReberResult.draw(sampler, temperature: temperature)
      print("\(ReberTask.vocabulary.decode(string))  \(ReberGrammar.isLegal(string) ? "legal" : "not legal")")
    }
  }

  private func sampleText(_ sampler: Sampler, _ vocabulary: Vocabulary) throws {
    var tokens = try vocabulary.encode(prompt ?? (vocabulary.kind == .words ? "" : "\n"))
    let unknown = tokens.count { $0 == vocabulary.unknown }
    if prompt != nil, unknown > 0 {
      printError("warning: the model does not know \(unknown) of the prompt's \(tokens.count) tokens")
    }
    // A prompt without a token, as for words: begin with the first that is not <unk>.
    if tokens.isEmpty { tokens = [vocabulary.unknown == 0 && vocabulary.count > 1 ? 1 : 0] }
    let shown = prompt == nil ? 0 : tokens.count
    for token in tokens { sampler.read(token) }
    var drawn = Array(tokens.prefix(shown))
    for _ in 0..<(length ?? 200) {
      let next = sampler.draw(temperature: temperature, excluding: vocabulary.unknown)
      drawn.append(next)
      sampler.read(next)
    }
    print(vocabulary.decode(drawn))
  }
}
