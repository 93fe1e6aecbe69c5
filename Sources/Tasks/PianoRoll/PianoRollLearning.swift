import Configuration
import DataParallel
import LSTM
import Sequences

/// Which keys of a piano sound next (multi-label, one sigmoid per key), at every frame.
struct PianoRollLearning: LearningTask {
  let configuration: Configuration

  func data() throws -> RunData {
    let account = DataAccount()
    let rolls = try PianoRolls(path: configuration.data.path, account: account)
    account.count("piece", training: rolls.training.count, heldOut: rolls.validation.count + rolls.test.count)
    let timesteps = Self.longest(rolls)
    let model = configuration.model
    return RunData(
      shape: ModelShape(
        input: .numbers(PianoRollBatches.width), hidden: model.hidden, layers: model.layers,
        head: .everyStepUnits(PianoRollBatches.width)),
      timesteps: timesteps,
      training: PianoRollBatches(
        rolls.training, globalBatch: configuration.batch.sequences, timesteps: timesteps,
        shuffleSeed: configuration.seed),
      validation: source(rolls.validation, timesteps: timesteps), account: account,
      identity: DataIdentity(vocabulary: Array(try SortedJSON.data(PianoKeys())), tokens: rolls.fingerprint),
      unit: "frame"
    ) { model, _ in try result(rolls, model) }
  }

  func evaluation(of saved: SavedRun, on path: String?) throws -> EvaluationPlan {
    try saved.check(input: .numbers(PianoRollBatches.width), head: .everyStepUnits(PianoRollBatches.width))
    let account = DataAccount()
    let rolls = try PianoRolls(path: path ?? configuration.data.path, account: account)
    return EvaluationPlan(timesteps: Self.longest(rolls), account: account) { try result(rolls, $0) }
  }

  /// The loss of what a training has not seen, each frame but the first of a piece counted once.
  private func result(_ rolls: PianoRolls, _ model: any EvaluatedModel) throws -> PianoRollResult {
    PianoRollResult(
      parts: try [("validation", rolls.validation), ("test", rolls.test)].map { name, pieces in
        PianoRollResult.Part(
          name: name, pieces: pieces.count, frames: pieces.reduce(0) { $0 + $1.count - 1 },
          loss: try model.evaluate(source(pieces, timesteps: Self.longest(rolls))))
      })
  }

  private func source(_ pieces: [PianoRolls.Piece], timesteps: Int) -> PianoRollBatches {
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
