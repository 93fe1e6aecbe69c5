import ArgumentParser
import Configuration
import DataParallel
import MPI
import Plan
import Problems
import Runs
import Tasks
import TrainingLoop

/// `verify`: computes recorded steps again, on any number of ranks, and proves that the same bits come out.
struct Verify: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Repeats steps of a run on any number of ranks, and proves that every bit comes out the same.",
    discussion: """
      Repeats the steps from one checkpoint of the run to another; the run is not changed. At each record of the parameters' \
      hashes in metrics.jsonl (every verify.every steps) all ranks compare, and at the end the whole checkpoint, byte \
      for byte. Works on the run of somebody else, given the data: --set data.path=FILE.

      Exit code 0 where all is the same, 70 where it is not, 65 for other data or changed records, 78 for another \
      configuration.
      """)

  @Argument(help: ArgumentHelp("A run directory.", valueName: "run"))
  var path: String
  @Option(help: "Step to begin at: a checkpoint, or 0 for the start of the run. By default the oldest checkpoint.")
  var from: Int?
  @Option(help: "Step to end at: a checkpoint. By default the newest.") var to: Int?
  @Option(help: ArgumentHelp("One value of the configuration; repeatable.", valueName: "key=value"))
  var set: [String] = []
  @OptionGroup var ranks: RankOptions

  func run() {
    runJob { world in
      try VerifyJob(command: self, world: world).run()
      return 0
    }
  }
}

/// One run of `verify` on one rank.
private struct VerifyJob {
  let command: Verify
  let world: World

  private var isRoot: Bool { world.communicator.rank == 0 }

  func run() throws {
    let segment = world.agree { try Segment(RunDirectory(path: command.path), from: command.from, to: command.to) }
    let configuration = world.agree { try checkedConfiguration(segment) }
    try world.onEachNode {
      try MovedData.hinting(MovedData.hint) { try configuration.learningTask.prepare(printNotice) }
    }
    let data = world.agree { try checkedData(configuration, segment) }
    let console = Console(data)
    let setup = world.agree {
      let setup = TrainingSetup(configuration, data)
      _ = try ShardPlan(globalBatch: setup.globalBatch, shards: setup.shards, ranks: world.communicator.size)
      return setup
    }
    let training = try Training(world: world, setup: setup)
    let repetition = Repetition(world: world, training: training, source: data.training, validation: data.validation)
    world.agree {
      try repetition.checkRecords(
        segment.records, from: segment.from, to: segment.to, name: segment.directory.metricsPath)
    }
    if segment.from == nil {
      try training.initialize(configuration, data)
    }
    if isRoot {
      segment.passedOver.forEach { printError("warning: passed over a damaged checkpoint: \($0.message)") }
      announce(console, segment)
    }
    let finding = try repetition.run(
      from: segment.from, to: segment.to, records: segment.records, setbacks: segment.setbacks,
      identity: data.identity
    ) { record in
      if isRoot {
        console.line("step \(record.step)  \(record.names.count) tensors the same  \(hexadecimal(record.chain))")
      }
    }
    world.agree { if let finding { throw failure(finding, segment) } }
    guard isRoot else { return }
    console.line(
      "verified: \(segment.to.path), parameters, optimizer and states, byte for byte; parameters SHA-256 "
        + (try segment.to.open(RunNames.model).parametersSHA256()))
  }

  /// The run's configuration with `--set`.
  private func checkedConfiguration(_ segment: Segment) throws -> Configuration {
    let name = segment.to.path
    for checkpoint in [segment.from, segment.to].compactMap({ $0 }) {
      try segment.directory.checkConfiguration(of: checkpoint)
    }
    let recorded = try Configuration(yaml: segment.to.manifest.configuration, name: name)
    let configuration = try Configuration(
      yaml: segment.to.manifest.configuration, name: name,
      overrides: command.set.map { try Configuration.Override(set: $0) })
    try configuration.checkRepetition(of: recorded, run: command.path)
    try recorded.checkRepetition(after: segment.firstStep, run: command.path)
    guard configuration.distributed.reduction == .reproducible else {
      throw Problem(
        .badConfiguration,
        "a run with distributed.reduction mpi cannot be verified — expected reproducible, got mpi (\(command.path))",
        hint: "the order of its sums is that of MPI_Allreduce, which promises none")
    }
    return configuration
  }

  /// The data, which must be those that the run had.
  private func checkedData(_ configuration: Configuration, _ segment: Segment) throws -> RunData {
    let data = try MovedData.hinting(MovedData.hint) { try configuration.learningTask.data() }
    for checkpoint in [segment.from, segment.to].compactMap({ $0 }) {
      let identity = try DataIdentity(checkpoint)
      for (what, isSame) in [
        ("the vocabulary", identity.vocabulary == data.identity.vocabulary),
        ("the tokens", identity.tokensSHA256 == data.identity.tokensSHA256),
      ] where !isSame {
        throw Problem(
          .badData, "the data are not those of the run", expected: "\(what) of the checkpoint", got: "other ones",
          at: checkpoint.path, hint: "name the run's data with --set data.path=FILE (and data.validation, if a file)")
      }
    }
    return data
  }

  private func announce(_ console: Console, _ segment: Segment) {
    let ranks = Set(segment.records.map(\.ranks)).sorted().map(String.init).joined(separator: ", ")
    console.line(
      "verifying \(command.path): steps \(segment.firstStep) to \(segment.to.manifest.step) on "
        + "\(world.communicator.size) rank\(world.communicator.size == 1 ? "" : "s"), "
        + (segment.records.isEmpty ? "no records" : "\(segment.records.count) records by \(ranks)"))
    for setback in segment.setbacks { console.line("\(setback)") }
  }

  private func failure(_ finding: Repetition.Finding, _ segment: Segment) -> Problem {
    switch finding {
    case .diverged(let step):
      return Problem(
        .internalError,
        "the repetition differs at step \(step) — expected a finite loss and gradient, got others (\(command.path))")
    case .finite(let step):
      return Problem(
        .internalError,
        "the repetition differs at step \(step) — expected a loss or gradient that is not finite, as it is recorded to have "
          + "been skipped for, got finite ones (\(command.path))")
    case .record(let step, let recordedRanks, let comparison):
      let before = segment.records.last { $0.step < step }?.step ?? segment.firstStep
      return Problem(
        .internalError,
        "the repetition differs at step \(step), the first record that does — expected \(comparison.what) "
          + "\(hexadecimal(comparison.expected)), as on \(recordedRanks) "
          + "rank\(recordedRanks == 1 ? "" : "s") then, got \(hexadecimal(comparison.got)) on \(comparison.rankList) of "
          + "\(world.communicator.size) (\(command.path))",
        hint: "the difference arose in steps \(before + 1) to \(step)")
    case .checkpoint(let differences):
      let first = differences[0]
      return Problem(
        .internalError,
        "the repetition differs from the checkpoint — expected \(first.tensor) of \(first.file), got other bits in "
          + "\(first.count) of \(first.elements) numbers, the first at \(first.first); \(differences.count) "
          + "tensor\(differences.count == 1 ? "" : "s") in all (\(segment.to.path), "
          + "\(world.communicator.size) rank\(world.communicator.size == 1 ? "" : "s"))")
    }
  }
}

/// What is to be repeated: from a checkpoint or the start of a run to another checkpoint, and the records in between.
private struct Segment {
  let directory: RunDirectory
  /// Nil for the start of the run.
  let from: Checkpoint?
  let to: Checkpoint
  let records: [ParameterRecord]
  /// Steps that were skipped, and rollbacks, where the run went on.
  let setbacks: [SetbackRecord]
  /// Damaged checkpoints that might have been the first or the last.
  let passedOver: [Problem]

  var firstStep: Int { from?.manifest.step ?? 0 }

  init(_ directory: RunDirectory, from: Int?, to: Int?) throws {
    self.directory = directory
    guard try directory.exists() else {
      throw Problem(
        .inputOutput, "no such run", expected: "the directory of a run", got: "nothing", at: directory.path)
    }
    try directory.refuseForeignParts()
    var passedOver: [Problem] = []
    func firstValid(_ steps: some Sequence<Int>) throws -> Checkpoint? {
      for step in steps {
        do {
          return try directory.checkpoint(step: step)
        } catch let error as Problem {
          passedOver.append(error)
        }
      }
      return nil
    }
    let steps = try directory.checkpointSteps()
    guard let last = try to.map(directory.checkpoint(step:)) ?? firstValid(steps.reversed()) else {
      throw Problem(
        .badData, "run has no valid checkpoint", expected: "one", got: passedOver.first?.message ?? "none",
        at: directory.path)
    }
    let end = last.manifest.step
    // Where there is only one checkpoint, all steps up to it can be repeated.
    let first: Checkpoint? =
      switch from {
      case nil: try firstValid(steps.filter { $0 < end })
      case 0: nil
      case .some(let step): try directory.checkpoint(step: step)
      }
    let start = first?.manifest.step ?? 0
    guard start < end else {
      throw Problem(
        .usage, "no steps to verify — expected --from before --to, got \(start) and \(end) (\(directory.path))")
    }
    self.from = first
    self.to = last
    self.passedOver = passedOver
    records = try ParameterRecord.read(directory.metrics).filter { start < $0.step && $0.step <= end }
    let isFromStart = first == nil
    setbacks = try SetbackRecord.read(directory.metrics).filter {
      (start < $0.step || isFromStart) && $0.step <= end
    }
  }
}
