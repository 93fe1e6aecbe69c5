import DataParallel
import LSTM
import MPI

/// A step that could be slow, timed in turn with one of the same work that is not.
package struct ExtremeTiming: Sendable {
  /// What is unusual, for example `vanishing gradients`.
  package let name: String
  /// What it is compared with.
  package let reference: String
  /// Median seconds of the unusual one.
  package let seconds: Double
  /// Median seconds of the reference.
  package let referenceSeconds: Double
  /// Median over the rounds of how many times as long as the reference it took.
  package let ratio: Double
  /// Denormal numbers that the unusual step has left in gradient and states: none where flush-to-zero is on.
  package let denormals: Int
}

/// Times the trainer's step on one core where its numbers or its sizes are extreme: gradients that vanish, saturated
/// gates, long silence, sizes far from whole registers.
package enum ExtremesBenchmark {
  /// `rounds` pairs of each, the two of a pair one right after the other.
  /// - Precondition: a world of one rank.
  package static func run(world: World, rounds: Int) throws -> [ExtremeTiming] {
    precondition(world.communicator.size == 1, "one core is measured")
    let usual = Sizes()
    var small: [(Sizes, String, Sizes, String)] = []
    for (few, many) in [(1, 16), (3, 16), (17, 32)] {
      small.append((Sizes(hidden: few), "H = \(few)", Sizes(hidden: many), "H = \(many)"))
    }
    small.append((Sizes(sequences: 1), "B = 1", Sizes(sequences: 6), "B = 6"))
    small.append((Sizes(timesteps: 1), "T = 1", Sizes(timesteps: 2), "T = 2"))
    let numbers = try [("vanishing gradients", vanish), ("saturated gates", saturate), ("long silence", silence)].map {
      try compare($0, Step(usual, world: world, change: $1), "random", Step(usual, world: world), rounds: rounds)
    }
    return try numbers
      + small.map {
        try compare($1, Step($0, world: world), $3, Step($2, world: world), rounds: rounds)
      }
  }

  private static func compare(
    _ name: String, _ unusual: Step, _ reference: String, _ usual: Step, rounds: Int
  ) throws -> ExtremeTiming {
    // The first of each touches all memory for the first time.
    _ = (try unusual.seconds(), try usual.seconds())
    let pairs = try (0..<rounds).map { _ in (try unusual.seconds(), try usual.seconds()) }
    return ExtremeTiming(
      name: name, reference: reference, seconds: median(pairs.map(\.0)), referenceSeconds: median(pairs.map(\.1)),
      ratio: median(pairs.map { $0.0 / $0.1 }), denormals: unusual.denormals)
  }

  // MARK: Numbers

  /// Output weights so small that what goes back from the output layer is denormal, and all gradients below it.
  private static func vanish(_ training: Training) {
    scale(training, training.setup.shape.outputRange, by: 1e-37)
  }

  /// Weights so large that every gate is open or shut, and every candidate ±1.
  private static func saturate(_ training: Training) {
    for layer in 0..<training.setup.shape.layers {
      scale(training, training.setup.shape.layerRange(layer), by: 1e4)
    }
  }

  /// Inputs of zero, and the state of a cell that has forgotten nearly all: its candidates are as small as numbers
  /// become.
  private static func silence(_ training: Training) {
    let shape = training.setup.shape
    scale(training, shape.embeddingRange!, by: 0)
    for (index, layer) in shape.lstm.enumerated() {
      let biases = shape.layerRange(index).upperBound - layer.columns..<shape.layerRange(index).upperBound
      scale(training, biases, by: 0)
      let first = biases.lowerBound + Gate.candidate.rawValue * layer.hidden
      for unit in 0..<layer.hidden { training.replica.parameters[first + unit] = 2e-38 }
    }
  }

  private static func scale(_ training: Training, _ range: Range<Int>, by factor: Float) {
    for i in range { training.replica.parameters[i] *= factor }
  }

  // MARK: Steps

  private struct Sizes {
    var hidden = 128
    var sequences = 8
    var timesteps = 32
  }

  /// A step of a model of some sizes. The learning rate is 0, so that what is extreme stays so.
  private final class Step {
    private let training: Training
    private let source: RandomSequences
    private var number = 0

    init(_ sizes: Sizes, world: World, change: (Training) -> Void = { _ in }) throws {
      let shape = ModelShape.languageModel(vocabulary: 65, embedding: sizes.hidden, hidden: sizes.hidden, layers: 2)
      training = try Training(
        world: world,
        setup: TrainingSetup(
          shape: shape, timesteps: sizes.timesteps, globalBatch: sizes.sequences, shards: 1, dropout: 0, seed: 1,
          rule: .sgd(learningRate: 0), clip: .none, reduction: .reproducible))
      source = RandomSequences(globalBatch: sizes.sequences, timesteps: sizes.timesteps, shape: shape)
      try training.initialize(method: .uniform, forgetBias: 1)
      change(training)
      try training.replica.parametersChanged()
    }

    /// Makes a step, and says how long it took.
    func seconds() throws -> Double {
      let start = World.wallTimeSeconds()
      let result = try training.step(number, source: source)
      precondition(result.isFinite, "an extreme step has a loss")
      number += 1
      return World.wallTimeSeconds() - start
    }

    /// Denormal numbers in the gradient of the last step and in the states of its timesteps.
    var denormals: Int {
      let model = training.replica.model
      func count(_ values: UnsafeMutablePointer<Float>, _ numbers: Int) -> Int {
        (0..<numbers).count { values[$0].isSubnormal }
      }
      return model.cells.reduce(count(training.memory.gradient(0), training.memory.count)) { sum, layer in
        let states = (layer.timesteps + 1) * layer.lanes * layer.hiddenStride
        return sum + count(layer.hidden(0), states) + count(layer.cell(0), states)
      }
    }
  }
}
