import LSTM
import MPI
import Problems
import Runs
import SafeTensors
import Sequences

/// A step that was not finite, as a run has dumped it: all that the step began with, so that it can be repeated without
/// the run and its data. Read as hostile input.
package struct StepDump: Sendable {
  /// Its directory.
  package let path: String
  /// What was found then.
  package let finding: String
  /// The rank that had it, and of how many.
  package let recordedRank: (rank: Int, of: Int)
  /// The run's configuration.
  package let configuration: String
  /// What the training must be to repeat the step.
  package let setup: TrainingSetup
  /// From 1.
  package let step: Int

  private let checkpoint: Checkpoint
  private let source: DumpedBatch
  /// The states before the step, [B, L, 2, H].
  private let states: [Float]

  /// Reads a dump. Parameters are read by `replay`.
  package init(_ path: String) throws {
    checkpoint = try Checkpoint(verifying: path)
    self.path = checkpoint.path
    let manifest = checkpoint.manifest
    (step, configuration) = (manifest.step, manifest.configuration)
    let batch = try checkpoint.open(RunNames.batch)
    let shape = try SavedModel.shape(of: checkpoint.open(RunNames.model), headName: BatchFile.head(batch))
    let file = try DumpedBatch.read(batch, shape)
    source = try DumpedBatch(file, shape: shape, path: batch.path)
    let (B, T) = (file.lanes, file.timesteps)
    let (dropout, penalty, segment) = (file.dropout, file.penalty, file.segment)
    let mask = Dropout.Mask(rawValue: file.dropoutMask)
    let ranks = file.ranks.map { Int(clamping: $0) }
    guard step >= 1, (1...65_536).contains(manifest.shards), dropout.allSatisfy({ (0..<1).contains($0) }),
      0 <= ranks[0],
      ranks[0] < ranks[1], (1...Int64(T)).contains(segment), segment == Int64(T) || shape.directions == 1, let mask,
      penalty.allSatisfy({ (0...shape.largestPenalty).contains($0) })
    else {
      throw DumpedBatch.impossible(
        "a step from 1, 1 to 65536 shards, dropout in [0, 1), a rank of the ranks, a segment of 1 to \(T) timesteps, "
          + "a mask, penalties from 0 to \(shape.largestPenalty)",
        "\(step), \(manifest.shards), \(dropout), \(ranks), \(segment), \(mask?.rawValue ?? "none"), \(penalty)",
        batch.path)
    }
    var setup = TrainingSetup(
      shape: shape, timesteps: T, segment: Int(segment), globalBatch: B, shards: manifest.shards, dropout: dropout[0],
      seed: manifest.seed,
      rule: .sgd(learningRate: 1), clip: .none, reduction: .reproducible)
    (setup.dropoutMask, setup.weightDropout, setup.embeddingDropout) = (mask, dropout[1], dropout[2])
    setup.penalty = ActivationPenalty(activation: penalty[0], temporal: penalty[1])
    self.setup = setup
    (states, finding) = (file.hidden, file.finding)
    recordedRank = (ranks[0], ranks[1])
  }

  /// Whether a repetition found what is recorded.
  package func isSame(_ finding: NonFiniteFinding) -> Bool { finding.description == self.finding }

  /// Computes the step again on all ranks, with the parameters and states of the dump; nil where all numbers are
  /// finite. Every rank calls it.
  package func replay(on world: World) throws -> NonFiniteFinding? {
    let training = try Training(world: world, setup: setup)
    world.agree {
      if training.replica.writesParameters {
        try ModelFile.read(checkpoint.open(RunNames.model), into: training.replica.parameters, shape: setup.shape)
      }
    }
    try training.replica.parametersChanged()
    let (lanes, size) = (training.replica.lanes, training.replica.model.stateSize)
    _ = training.replica.states.update(fromContentsOf: states[lanes.lowerBound * size..<lanes.upperBound * size])
    return try training.step(step - 1, source: source).nonFinite
  }
}

/// The one batch of a dump.
struct DumpedBatch: SequenceSource {
  let globalBatch: Int
  let timesteps: Int
  let stepsPerEpoch = 1
  private let targetCount: Int
  private let inputs: Int
  /// [B, T], or empty.
  private let tokens: [Int32]
  /// [B, T, D], or empty.
  private let numbers: [Float]
  /// [B, T] or [B].
  private let targets: [Int32]
  /// [B, K] for a pooled head of numbers, [B, T, K] for a head of units, else empty.
  private let values: [Float]
  /// K of a head of units.
  private let valuesAtATimestep: Int?
  /// [B]
  private let lengths: [Int32]

  /// Cells of B·T at most: products with sizes of layers fit an Int.
  private static let largestBatch = 1 << 28

  /// Reads what cannot be larger than a batch may be.
  static func read(_ file: TensorFile, _ shape: ModelShape) throws -> BatchFile {
    let readsTokens = shape.vocabulary != nil
    let sizes = try BatchFile.inputShape(file, shape)
    guard sizes.count == (readsTokens ? 2 : 3), sizes.allSatisfy({ 0 < $0 && $0 <= largestBatch }),
      sizes[0] * sizes[1] <= largestBatch, readsTokens || sizes[2] == shape.inputs
    else {
      throw impossible(
        "sequences [B, T\(readsTokens ? "" : ", \(shape.inputs)")], at most \(largestBatch) timesteps", "\(sizes)",
        file.path)
    }
    return try BatchFile(file, shape, lanes: sizes[0], timesteps: sizes[1])
  }

  init(_ file: BatchFile, shape: ModelShape, path: String) throws {
    (globalBatch, timesteps, inputs) = (file.lanes, file.timesteps, shape.inputs)
    (tokens, numbers, targets, values, lengths) = (file.tokens, file.numbers, file.targets, file.values, file.lengths)
    valuesAtATimestep = shape.head == .everyStepUnits(shape.classes) ? shape.classes : nil
    let (B, T, count) = (globalBatch, timesteps, file.targetCount)
    func check(_ what: String, _ values: [Int32], _ range: Range<Int>) throws {
      guard let wrong = values.first(where: { !range.contains(Int($0)) }) else { return }
      throw DumpedBatch.impossible("\(what) from \(range.lowerBound) to \(range.upperBound - 1)", "\(wrong)", path)
    }
    try check("tokens", tokens, 0..<(shape.vocabulary ?? 1))
    try check("targets", targets, Int(noTarget)..<shape.classes)
    try check("lengths", lengths, 0..<T + 1)
    guard (0...Int64(B * T)).contains(count) else {
      throw DumpedBatch.impossible("at most \(B * T) targets", "\(count)", path)
    }
    targetCount = Int(count)
  }

  static func impossible(_ expected: String, _ got: String, _ path: String) -> Problem {
    Problem(.badData, "dump cannot be repeated", expected: expected, got: got, at: path)
  }

  func startsFresh(atStep step: Int, lane: Int) -> Bool { false }
  func targetCount(atStep step: Int) -> Int { targetCount }

  func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    for (index, lane) in lanes.enumerated() {
      batch.lengths[index] = lengths[lane]
      if targets.count == globalBatch { batch.targets[index] = targets[lane] }
      let K = valuesAtATimestep ?? values.count / globalBatch
      if valuesAtATimestep == nil { for k in 0..<K { batch.values[index * K + k] = values[lane * K + k] } }
      for t in 0..<timesteps {
        if valuesAtATimestep != nil {
          let (from, to) = ((lane * timesteps + t) * K, (t * lanes.count + index) * K)
          for k in 0..<K { batch.values[to + k] = values[from + k] }
        }
        let (from, to) = (lane * timesteps + t, t * lanes.count + index)
        if !targets.isEmpty, targets.count != globalBatch { batch.targets[to] = targets[from] }
        if !tokens.isEmpty { batch.tokens[to] = tokens[from] }
        if !numbers.isEmpty {
          for i in 0..<inputs { batch.numbers[to * inputs + i] = numbers[from * inputs + i] }
        }
      }
    }
  }
}

extension ModelShape {
  /// The factors that penalties can have.
  fileprivate var largestPenalty: Float { head.isPooled || directions > 1 ? 0 : 1e6 }
}
