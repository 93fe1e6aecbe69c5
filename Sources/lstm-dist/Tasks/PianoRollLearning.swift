import Configuration
import DataParallel
import LSTM
import MPI
import Sequences

/// Which keys of a piano sound next: a yes or no for each at every frame.
enum PianoRollLearning: LearningTask {
  static func data(_ configuration: Configuration) throws -> RunData {
    let rolls = try PianoRolls(path: configuration.data.path)
    let timesteps = longest(rolls)
    let model = configuration.model
    return RunData(
      shape: ModelShape(
        input: .numbers(PianoRollBatches.width), hidden: model.hidden, layers: model.layers,
        head: .everyStepUnits(PianoRollBatches.width)),
      timesteps: timesteps,
      training: PianoRollBatches(
        rolls.training, globalBatch: configuration.batch.sequences, timesteps: timesteps,
        shuffleSeed: configuration.seed),
      validation: source(rolls.validation, configuration, timesteps: timesteps),
      identity: DataIdentity(vocabulary: Array(try SortedJSON.data(PianoKeys())), tokens: rolls.fingerprint),
      unit: "frame"
    ) { model, _, _ in [""] + (try result(rolls, configuration, model)) }
  }

  static func evaluation(of saved: SavedRun, on path: String?) throws -> Evaluation {
    let configuration = saved.configuration
    try saved.check(input: .numbers(PianoRollBatches.width), head: .everyStepUnits(PianoRollBatches.width))
    let rolls = try PianoRolls(path: path ?? configuration.data.path)
    return Evaluation(timesteps: longest(rolls)) { model, _ in try result(rolls, configuration, model) }
  }

  /// The loss of what a training has not seen, each frame but the first of a piece counted once.
  private static func result(
    _ rolls: PianoRolls, _ configuration: Configuration, _ model: Replica
  ) throws -> [String] {
    try [("validation", rolls.validation), ("test", rolls.test)].map { name, pieces in
      let loss = try model.evaluate(source(pieces, configuration, timesteps: longest(rolls)))
      let frames = pieces.reduce(0) { $0 + $1.count - 1 }
      return "\(name): \(pieces.count) pieces, \(frames) frames, loss: \(loss) nats a frame"
    }
  }

  private static func source(
    _ pieces: [PianoRolls.Piece], _ configuration: Configuration, timesteps: Int
  ) -> PianoRollBatches {
    PianoRollBatches(
      pieces, globalBatch: configuration.batch.sequences, timesteps: timesteps, shuffleSeed: nil)
  }

  private static func longest(_ rolls: PianoRolls) -> Int {
    [rolls.training, rolls.validation, rolls.test].map(PianoRollBatches.longest).max()!
  }
}

/// What a checkpoint says of the numbers that it reads.
private struct PianoKeys: Encodable {
  let firstKey = PianoRolls.keys.lowerBound
  let lastKey = PianoRolls.keys.upperBound
}
