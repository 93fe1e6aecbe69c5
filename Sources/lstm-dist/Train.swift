import ArgumentParser
import CSystem
import Configuration
import DataParallel
import Foundation
import JobHealth
import LSTM
import Launching
import MPI
import Plan
import Problems
import Reduction
import Runs
import Tasks
import Timing
import TrainingLoop

/// `train`: the main job.
struct Train: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Trains a model, or goes on with a run that was stopped.",
    discussion: """
      Without arguments it learns the embedded Reber grammar. The same command again, or train --run DIR alone, resumes \
      from the newest valid checkpoint, on any number of ranks and from any directory, with the stored configuration. What \
      is given replaces stored values where a run may change them.

      lstm-dist config lists the keys of the configuration, config KEY says all about one.
      """)

  @Option(help: "Text file to learn; the same as --set data.path=FILE.") var text: String?
  @Option(help: "YAML file with a configuration.") var config: String?
  @Option(help: ArgumentHelp("One value of the configuration; repeatable.", valueName: "key=value"))
  var set: [String] = []
  @Option(help: "Steps in total, counted from the start of the run (training.steps).") var steps: String?
  @Option(help: ArgumentHelp("When the job must be over, such as 90m (training.timeLimit).", valueName: "time"))
  var timeLimit: String?
  @Option(name: .customLong("run"), help: "The run's directory; by default runs/ and the name of the task or file.")
  var runPath: String?
  @Option(help: "Seed of all randomness.") var seed: String?
  @Option(
    help: ArgumentHelp(
      "Writes a trace of the latest \(StepClock.tracedEvents) events of every rank, for Perfetto.", valueName: "file"))
  var trace: String?
  @Flag(help: "Moves an existing run aside and begins anew.") var fresh = false
  @OptionGroup var dataOptions: DataOptions
  @OptionGroup var ranks: RankOptions

  var heedsSignals: Bool { true }

  /// An empty path is a shell variable that is not set, not the wish for a default.
  func validate() throws {
    for (flag, path) in [("--text", text), ("--config", config), ("--run", runPath), ("--trace", trace)]
    where path == "" {
      throw ValidationError("\(flag) — expected a path, got nothing")
    }
  }

  func run() {
    // mpirun passes signals on as soon as there are ranks, and can crash where ranks leave while MPI starts.
    system_note_stop_signals(nil, false)
    let presence = Presence()
    let time = JobTime()
    runJob(comparing: CommandArguments.ofThisProcess.command, presence: presence) { world in
      // There is nothing to save yet.
      system_leave_on_stop_signals(75, answersSignals(world) ? ": stopped before the first step\n" : nil)
      if world.communicator.rank == 0 { Launcher.ranksHeedSignals() }
      return try TrainJob(command: self, world: world, presence: presence, time: time).run()
    }
  }

  /// One rank answers for all, unless the launcher of `--ranks` has answered.
  fileprivate func answersSignals(_ world: World) -> Bool {
    world.communicator.rank == 0 && !Launcher.hasStartedThisRank
  }

  /// What file, --set and flags say.
  func given() throws -> Configuration.Given {
    typealias Override = Configuration.Override
    var overrides = try set.map { try Override(set: $0) }
    for (value, key, flag) in [
      (text, "data.path", "--text"), (steps, "training.steps", "--steps"),
      (timeLimit, "training.timeLimit", "--time-limit"), (seed, "seed", "--seed"),
    ] {
      if let value { overrides.append(Override(key: key, value: value, origin: flag)) }
    }
    return try Configuration.Given(file: config, overrides: overrides)
  }

  /// What must be the same on all ranks: every key, and what is no key.
  func claims(_ configuration: Configuration, _ directory: RunDirectory) -> [World.Claim] {
    configuration.values.map { ($0.key, $0.value) } + [
      ("--run", directory.path), ("--fresh", "\(fresh)"), ("--trace", trace ?? ""),
    ]
  }

  /// Where the run lives.
  func directory(_ given: Configuration.Given) -> RunDirectory {
    if let runPath { return RunDirectory(path: runPath) }
    let stem =
      if let path = given.text(ofKey: "data.path"), !path.isEmpty {
        URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent
      } else {
        given.text(ofKey: "task") ?? Configuration.Task.reber.rawValue
      }
    return RunDirectory(path: "runs/\(stem)")
  }
}

/// One run of `train` on one rank.
struct TrainJob {
  let command: Train
  let world: World
  let presence: Presence
  let time: JobTime

  var isRoot: Bool { world.communicator.rank == 0 }

  /// What rank 0 found in the run directory.
  private struct Found {
    var lock: RunLock?
    var checkpoint: Checkpoint?
    var finishRecorded = false
    var messages: [String] = []
  }

  func run() throws -> Int32 {
    // Everything that can be wrong is found before the run directory is touched.
    presence.enter(.starting)
    let given = world.agree { try command.given() }
    let named = command.directory(given)
    let stored = try storedConfiguration(named)
    let moved = stored.isEmpty ? nil : MovedData.hint
    let (configuration, portable) = world.agree { try resolve(given, over: stored, named) }
    try world.agree(on: command.claims(configuration, named))
    presence.allow(seconds: configuration.watchdog.seconds)
    presence.enter(.working)
    checkLeastMemory(configuration)
    try world.onEachNode { try MovedData.hinting(moved) { try configuration.learningTask.prepare(printNotice) } }
    let (data, setup) = world.agree {
      let data = try MovedData.hinting(moved) { try configuration.learningTask.data() }
      let setup = TrainingSetup(configuration, data)
      return (data, setup)
    }
    try world.agree(
      on: data.identity.claims + setup.claims(ranks: world.communicator.size), hint: DataIdentity.hint)
    presence.enter(.starting)
    let console = Console(data)
    let training = try Training(
      world: world, setup: setup, tracedEvents: command.trace == nil ? 0 : StepClock.tracedEvents)
    let trace = try command.trace.map { try TraceFile(path: $0, world: world) }
    presence.enter(.working)
    let found = world.agree { isRoot ? try openRun(named, portable, data.identity) : Found() }
    // On rank 0 held open: whatever becomes of its path, the job stays in it.
    let directory = found.lock?.directory ?? named
    for message in found.messages { printError(message) }
    defer { found.lock?.release() }
    // From here on a stop saves the last completed step. The answer begins behind the live line.
    system_note_stop_signals(
      command.answersSignals(world)
        ? ": stopping; a second SIGINT ends the job at once\n" : nil,
      StandardOutput.isTerminal)
    training.heartbeat = try presence.begin(world: world, directory, configuration)
    let start = try TrainingStart(found: found.checkpoint, finishRecorded: found.finishRecorded, world: world)
    if case .anew = start { try training.initialize(configuration, data) }
    if isRoot { announce(console, configuration, data, training, directory, found) }
    try warnOfPlacement(world)
    if isRoot { warnOfNoLearningRate(configuration, after: found.checkpoint?.manifest.step ?? 0) }
    let trainer = try Trainer(
      world: world, training: training, source: data.training, validation: data.validation,
      policy: Coordinator.Policy(configuration),
      verification: VerificationPolicy(every: configuration.verify.every, paranoid: configuration.paranoid),
      directory: directory, configuration: portable.yaml, identity: data.identity,
      data: data.account.counts.isEmpty ? nil : DataRecord(data.account),
      checkpoints: CheckpointPolicy(configuration, setup), dumps: configuration.nonFinite.dumps,
      clock: isRoot ? time.clock(configuration, checkpointBytes: Training.checkpointBytes(setup)) : nil,
      // What nobody can read is as a closed pipe: the run is saved, and then it ends with that error.
      stopSignal: { StandardOutput.hasFailed ? SIGPIPE : system_stop_signal() }, trace: trace,
      report: console.show)
    let code = try trainer.run(start)
    if code == 0 {
      // The run is complete: nothing is left to save.
      system_ignore_stop_signals()
      try summarize(console, configuration, data, training, directory, lastStep: trainer.lastStep)
    }
    if let error = trainer.traceError {
      // Of a run that has ended for another reason, that reason is the one to report.
      guard code != 0 else { throw error }
      printError("warning: no trace: \(error.message)")
    }
    return code
  }

  // MARK: Before the first step

  /// Refuses what cannot fit whatever the data are, before they are read.
  private func checkLeastMemory(_ configuration: Configuration) {
    let (setup, plan) = world.agree {
      let setup = TrainingSetup(leastOf: configuration)
      return (
        setup,
        try ShardPlan(globalBatch: setup.globalBatch, shards: setup.shards, ranks: world.communicator.size)
      )
    }
    Training.checkMemory(setup, plan: plan, sharing: nil, dataBytes: configuration.leastDataBytes, world: world)
  }

  /// The configuration of the run that is to go on, as rank 0 finds it in the directory; empty where there is none.
  private func storedConfiguration(_ directory: RunDirectory) throws -> String {
    let text = world.agree {
      guard isRoot, !command.fresh, try directory.exists() else { return "" }
      return try directory.readConfiguration(atMost: Configuration.maximumBytes)
    }
    return String(decoding: try world.communicator.broadcast(Array(text.utf8), root: 0), as: UTF8.self)
  }

  /// What was given, over what is stored; and the same as it is to be stored, with paths that hold in any directory.
  private func resolve(
    _ given: Configuration.Given, over stored: String, _ directory: RunDirectory
  ) throws -> (configuration: Configuration, portable: Configuration) {
    let configuration =
      stored.isEmpty
      ? try given.resolved()
      : try given.resolved(over: stored, name: directory.configurationPath, run: directory.path)
    return (configuration, try configuration.withAbsolutePaths())
  }

  /// Steps at a rate of 0 change nothing.
  private func warnOfNoLearningRate(_ configuration: Configuration, after step: Int) {
    let (schedule, steps) = (configuration.schedule, configuration.training.steps)
    guard schedule.hasEnd, schedule.floor == 0, schedule.end < steps, step < steps else { return }
    let end = step < schedule.end ? "schedule.end=\(steps)" : "schedule.begin=\(step) --set schedule.end=\(steps)"
    printError(
      "warning: the learning rate is 0 from step \(schedule.end) on — expected training.steps at most schedule.end, "
        + "got \(steps)\nhint: give --set \(end), or a schedule.floor above 0 from the start")
  }

  /// Rank 0: the run directory as this command needs it, made only if there is none. The configuration has absolute
  /// paths.
  private func openRun(
    _ named: RunDirectory, _ configuration: Configuration, _ identity: DataIdentity
  ) throws -> Found {
    var found = Found()
    // A directory with other content is refused before anything is written to it.
    _ = try named.exists()
    var lock = try takeLock(named)
    found.lock = lock
    if let job = lock.takenOver {
      found.messages.append("notice: took over from a job that did not end in good order: \(job)")
    }
    if command.fresh, let moved = try lock.directory.moveAside() {
      let earlier = lock
      lock = try takeLock(named)
      found.lock = lock
      earlier.release()
      found.messages.append("the earlier run is now in \(moved)")
    }
    let directory = lock.directory
    guard try directory.exists() else {
      try configuration.checkSchedule(after: 0, of: nil, run: directory.path)
      try directory.create(configuration: configuration.yaml)
      return found
    }
    // Another job may have changed it since it was read first.
    let stored = try Configuration(
      yaml: directory.readConfiguration(atMost: Configuration.maximumBytes), name: directory.configurationPath
    )
    .withAbsolutePaths()
    try configuration.checkResume(of: stored, run: directory.path)
    try directory.removeLeftovers()
    if try directory.takeStopFile() {
      found.messages.append("notice: removed a stop file that was older than this job")
    }
    let search = try directory.newestCheckpoint()
    found.messages += search.damaged.map { "warning: passed over a damaged checkpoint: \($0.error.message)" }
    guard let newest = search.newest else {
      guard search.damaged.isEmpty else { throw allDamaged(search.damaged, directory) }
      try configuration.checkPlaces(of: stored, hasCheckpoint: false, run: directory.path)
      try configuration.checkSchedule(after: 0, of: stored, run: directory.path)
      return found
    }
    guard try DataIdentity(newest) == identity else {
      throw Problem(
        .badData, "the data has changed since the run began", expected: "the tokens of the checkpoint",
        got: "other ones", at: newest.path,
        hint: newest.manifest.program == nil
          ? "the run is older than version 1.0.0, which reads numbers in double precision and texts without their byte "
            + "order mark; if the data are the same, begin anew with --fresh"
          : "restore the data, name another directory with --run, or begin anew with --fresh")
    }
    try directory.checkConfiguration(of: newest)
    try configuration.checkPlaces(of: stored, hasCheckpoint: true, run: directory.path)
    let written = try Configuration(yaml: newest.manifest.configuration, name: newest.path)
    try configuration.checkSchedule(after: newest.manifest.step, of: written, run: directory.path)
    found.checkpoint = newest
    found.finishRecorded = try MetricsLog.finishedStep(directory.metrics) == newest.manifest.step
    return found
  }

  private func takeLock(_ directory: RunDirectory) throws -> RunLock {
    try RunLock(directory, ranks: world.communicator.size, tell: { printError("notice: " + $0) })
  }

  /// Training anew in the same directory would replace what might still be saved.
  private func allDamaged(_ damaged: [CheckpointSearch.Damaged], _ directory: RunDirectory) -> Problem {
    Problem(
      .badData, "no checkpoint is whole", expected: "a valid one",
      got: damaged.map(\.error.message).joined(separator: "; "),
      at: directory.path, hint: "begin anew with --fresh: the run is moved aside, not deleted")
  }

  private func announce(
    _ console: Console, _ configuration: Configuration, _ data: RunData, _ training: Training,
    _ directory: RunDirectory, _ found: Found
  ) {
    let (setup, plan) = (training.setup, training.replica.plan)
    let shape = setup.shape
    console.line(
      "\(configuration.task.rawValue): \(shape.parameterCount) parameters (\(shape.names), D \(shape.inputs), "
        + "\(shape.layers) × H \(shape.hidden)\(shape.directions > 1 ? " each way" : "")), \(setup.globalBatch) sequences × \(setup.timesteps) steps in "
        + "\(setup.shards) shards on \(plan.ranks) rank\(plan.ranks == 1 ? "" : "s")")
    let megabytes = Double(Training.estimatedBytes(setup, plan: plan, sharing: training.sharing.ranks)) / 1e6
    let copied = Double(Training.checkpointBytes(setup)) / 1e6
    console.line(
      "memory: about \(rounded(megabytes, megabytes < 10 ? 1 : 0)) MB a rank, and \(rounded(copied, copied < 10 ? 1 : 0)) "
        + "MB for checkpoints on rank 0\(sharingNote(training.sharing))")
    if let summary = data.account.summary { console.line(singleLine(summary)) }
    command.dataOptions.tell(data.account)
    if let checkpoint = found.checkpoint {
      console.line("resuming \(directory.path) after step \(checkpoint.manifest.step)")
    } else {
      console.line("run directory: \(directory.path)")
      guard let vectors = data.vectors, let count = shape.vocabulary else { return }
      let share = rounded(100 * Double(vectors.tokens.count) / Double(count), 1)
      console.line("vectors: \(vectors.tokens.count) of \(count) tokens (\(share) %) begin as in \(vectors.path)")
    }
  }

  private func sharingNote(_ sharing: NodeSharing) -> String {
    if let obstacle = sharing.obstacle { return ", nothing shared: \(obstacle)" }
    return sharing.ranks > 1 ? ", with one copy of the parameters for \(sharing.ranks) ranks" : ""
  }
}

extension ModelShape {
  /// What it reads and says, in the letters of the equations.
  fileprivate var names: String {
    switch head {
    case .everyStep(let classes) where classes == vocabulary: "V \(classes)"
    case .everyStep(let classes), .everyStepUnits(let classes), .pooled(let classes), .pooledNumbers(let classes):
      (vocabulary.map { "V \($0), " } ?? "") + "K \(classes)"
    }
  }
}

extension CheckpointPolicy {
  fileprivate init(_ configuration: Configuration, _ setup: TrainingSetup) {
    let keys = configuration.checkpoint
    self.init(
      clock: CheckpointClock(
        intervalSeconds: Double(keys.interval), overhead: keys.overhead, startSeconds: World.wallTimeSeconds(),
        checkpointBytes: Training.checkpointBytes(setup)),
      retention: Retention(last: keys.keepLast, keepsBest: keys.keepBest, every: keys.keepEvery))
  }
}
