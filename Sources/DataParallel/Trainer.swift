import Checkpoints
import MPI
import Sequences
import Timing

/// What the trainer tells about its progress; on rank 0 alone.
public enum TrainingReport {
  /// A step is done.
  case step(Int, of: Int, result: StepResult, split: StepSplit, tokensPerSecond: Double, secondsLeft: Double)
  /// A rank has been behind for some time.
  case straggler(step: Int, SlowRank)
  /// The job's steps are over, for whatever reason: where their time went, and the slowest rank, if there are several.
  case times(StepSplit, slowest: SlowRank?)
  /// An evaluation is done: mean validation loss in nats a token.
  case evaluated(step: Int, validationLoss: Double)
  /// A checkpoint stands.
  case saved(step: Int, path: String)
  /// Checkpoints that are superseded could not be removed; training goes on.
  case removalFailed(CheckpointError)
  /// A record could not be written to the metrics; training goes on.
  case recordLost(CheckpointError)
  /// Something that the coordinator wants the user to know.
  case notice(Coordinator.Report)
  /// A step was not finite: where its numbers went bad, and on which of how many ranks; and where its dump stands, if there
  /// are not enough of them, or why there is none.
  case nonFinite(NonFiniteFinding, ranks: Int, dump: Result<String?, CheckpointError>)
  /// The run is back where it was after a step, with the learning rate multiplied by a factor.
  case rolledBack(step: Int, learningRateFactor: Double)
  /// Damaged checkpoints were passed over on the way back.
  case damaged([CheckpointSearch.Damaged])
  /// The run is complete.
  case finished(step: Int, trainLoss: Double?, validationLoss: Double?, parametersSHA256: String)
}

/// Runs a training from its start or a checkpoint to its end: carries out what the coordinator on rank 0 decides, on
/// all ranks together.
public final class Trainer {
  private let world: World
  private let training: Training
  private let source: any SequenceSource
  private let validation: (any SequenceSource)?
  private let directory: RunDirectory
  private let configuration: String
  private let checkpoints: TrainingCheckpoints
  private let stopSignal: () -> Int32
  private let trace: TraceFile?
  private let dumps: Int
  private let times: RunTimes
  private let report: (TrainingReport) -> Void

  private let verification: ParameterVerification
  private var coordinator: Coordinator
  private var metrics: MetricsLog?
  /// The loss of the last step that was finite.
  private var trainLoss: Double?
  private var evaluated: (step: Int, loss: Double)?
  private var startSeconds = 0.0
  private var stepsDone = 0
  /// Through which step records stay when the metrics are opened.
  private var loggedStep = 0
  private var hasLostRecords = false
  /// The last step that was not finite, for the record of a rollback.
  private var finding: NonFiniteFinding?
  private var clock: StopClock?
  private var notice: (number: Int32, rank: Int)?
  private var stopIsRequested = false
  private var stopFileSeconds = 0.0

  /// The last completed step.
  public private(set) var lastStep = 0

  /// After `run`, on rank 0: why the trace could not be written, nil where nothing went wrong.
  public private(set) var traceError: CheckpointError?

  private var isRoot: Bool { world.communicator.rank == 0 }

  /// - Parameters:
  ///   - source: training batches.
  ///   - validation: held-out batches, nil where there are none.
  ///   - verification: when parameters are hashed, and whether ranks check each other; never unless it is said.
  ///   - configuration: the resolved configuration's text, for `config.yaml` and checkpoints.
  ///   - identity: what the data is, for checkpoints.
  ///   - checkpoints: when they are written but at the steps of `policy`, and which are kept.
  ///   - clock: on rank 0 only, when the job's time is over, on the clock of `World.wallTimeSeconds`.
  ///   - stopSignal: the signal that asked this process to stop, or 0.
  ///   - dumps: how many steps that were not finite are dumped into the directory, at most.
  ///   - trace: where a trace is to be written at the end, nil for none.
  ///   - report: called on rank 0.
  public init(
    world: World, training: Training, source: any SequenceSource, validation: (any SequenceSource)?,
    policy: Coordinator.Policy, verification: VerificationPolicy = VerificationPolicy(every: 0, paranoid: false),
    directory: RunDirectory, configuration: String, identity: DataIdentity,
    checkpoints: CheckpointPolicy = CheckpointPolicy(), dumps: Int = 0, clock: StopClock? = nil,
    stopSignal: @escaping () -> Int32 = { 0 }, trace: TraceFile? = nil,
    report: @escaping (TrainingReport) -> Void
  ) throws {
    self.world = world
    self.training = training
    self.source = source
    self.validation = validation
    self.directory = directory
    self.configuration = configuration
    self.checkpoints = TrainingCheckpoints(
      training, directory: directory, identity: identity, policy: checkpoints, report: report)
    self.clock = clock
    self.stopSignal = stopSignal
    self.trace = trace
    self.dumps = dumps
    times = try RunTimes(
      world: world, sequences: (0..<world.communicator.size).map { training.sharded.plan.lanes(ofRank: $0).count })
    self.report = report
    coordinator = Coordinator(policy: policy)
    self.verification = ParameterVerification(
      world: world, training: training, policy: verification, configuration: configuration, identity: identity)
  }

  /// Trains to the end. `checkpoint` (rank 0) is where to go on from; `resumes` says on every rank whether there is one.
  /// Parameters must have been initialized where there is none. Returns the exit code, the same on every rank.
  public func run(resumes: Bool, from checkpoint: Checkpoint?, finishRecorded: Bool) throws -> Int32 {
    let code: Int32
    do {
      code = try carryOut(resumes: resumes, from: checkpoint, finishRecorded: finishRecorded)
    } catch {
      trace?.writeAlone(training)
      throw error
    }
    if isRoot, stepsDone > 0 {
      times.addLastCheckpoint(seconds: training.clock.secondsSinceStep()[.checkpoint])
      report(.times(times.total, slowest: times.slowest))
    }
    traceError = try trace?.write(training, hosts: times.hosts)
    return code
  }

  private func carryOut(resumes: Bool, from checkpoint: Checkpoint?, finishRecorded: Bool) throws -> Int32 {
    if resumes { trainLoss = try training.load(checkpoint) }
    var event = Coordinator.Event.started(
      resumedFrom: checkpoint?.manifest.step, finishRecorded: finishRecorded,
      skippedInARow: training.setbacks.skippedInARow, rollbacks: training.setbacks.rollbacks)
    startSeconds = World.wallTimeSeconds()
    try begin(after: checkpoint)
    training.clock.restart()
    while true {
      switch try nextAction(after: event) {
      case .train(let step): event = try train(step)
      case .evaluate(let step): event = try evaluate(step)
      case .copyState(let step): event = try copyState(step)
      case .awaitCheckpoint(let step): event = checkpoints.wait(step)
      case .rollBack(let step): event = try rollBack(from: step)
      case .finish(let step): event = try finish(step)
      case .stop(let exitCode): return exitCode
      case .log: preconditionFailure("a notice is not an action of all ranks")
      }
    }
  }

  /// The run is where a checkpoint, which counts on rank 0, has it; nil for its start.
  private func begin(after checkpoint: Checkpoint?) throws {
    lastStep = try world.communicator.broadcast(checkpoint?.manifest.step ?? 0, root: 0)
    // Opened again at the next record, without what is newer.
    (metrics, loggedStep) = (nil, lastStep)
    evaluated = checkpoint?.manifest.validationLoss.map { (lastStep, $0) }
    try verification.begin(step: lastStep, chain: checkpoint?.manifest.parameterChain ?? 0)
  }

  /// Rank 0's coordinator decides; all ranks learn what.
  private func nextAction(after event: Coordinator.Event) throws -> Coordinator.Action {
    var code: [Int] = [0, 0]
    training.heartbeat?.enter(.waiting, step: lastStep)
    if isRoot {
      for action in withEventsMeanwhile(event).flatMap({ coordinator.receive($0) }) {
        if case .log(let notice) = action { try tell(notice) } else { code = action.code }
      }
    }
    training.clock.enter(.wait)
    try code.withUnsafeMutableBufferPointer { try world.communicator.broadcast($0, root: 0) }
    training.clock.enter(.coordination)
    return Coordinator.Action(code: code)
  }

  private func tell(_ notice: Coordinator.Report) throws {
    report(.notice(notice))
    guard case .skipped(let step, let inARow, _) = notice else { return }
    try record(["event": "skipped", "step": .integer(step), "inARow": .integer(inARow)])
  }

  /// The event, and before it what happened meanwhile: a checkpoint ended, or is due by the clock; the job is to stop, but
  /// not before its first step.
  private func withEventsMeanwhile(_ event: Coordinator.Event) -> [Coordinator.Event] {
    var events: [Coordinator.Event] = []
    switch event {
    case .started: return [event]
    case .stepCompleted, .evaluationCompleted: events += checkpoints.takeEnd().map { [$0] } ?? []
    default: break
    }
    if let seconds = checkpoints.seconds { clock?.measuredCheckpoint(seconds: seconds) }
    if !coordinator.isWriting, checkpoints.isDue() { events.append(.checkpointRequested) }
    if !stopIsRequested, let reason = stopReason(atSeconds: World.wallTimeSeconds()) {
      stopIsRequested = true
      events.append(.stopRequested(reason))
    }
    return events + [event]
  }

  private func stopReason(atSeconds now: Double) -> StopReason? {
    if let notice { return .signal(notice.number, rank: notice.rank) }
    if now - stopFileSeconds >= 1 {
      stopFileSeconds = now
      // A file that cannot be looked for, or removed, asks for nothing; the next start says so.
      if (try? directory.takeStopFile()) == true { return .stopFile }
    }
    return clock?.reason(atSeconds: now, isWriting: coordinator.isWriting)
  }

  // MARK: Actions

  private func train(_ step: Int) throws -> Coordinator.Event {
    let start = World.wallTimeSeconds()
    let result = try training.step(step - 1, source: source, notice: stopSignal)
    clock?.measuredAction(seconds: World.wallTimeSeconds() - start)
    notice = result.notice
    if result.isFinite { trainLoss = result.loss }
    lastStep = step
    stepsDone += 1
    training.clock.enter(.wait)
    let measured = try times.add(result.times)
    training.clock.enter(.coordination)
    let parameters = result.isFinite ? try verification.completed(step) : nil
    if let measured { try recordStep(step, result, measured.split, measured.slow, parameters) }
    if let finding = result.nonFinite { try tell(finding) }
    return .stepCompleted(step: step, isFinite: result.isFinite)
  }

  /// A step was not finite, and has left no trace yet: what it began with is dumped, then the step is counted.
  private func tell(_ finding: NonFiniteFinding) throws {
    self.finding = finding
    training.heartbeat?.enter(.saving, step: finding.step)
    let dump = try training.writeDump(
      finding, source: source, manifest: manifest(step: finding.step), to: directory, limit: dumps)
    training.countSkipped()
    guard isRoot else { return }
    let path = (try? dump.get()) ?? nil
    let members: [(key: String, value: JSON)] = [("event", "nonFinite"), ("step", .integer(finding.step))]
    try record(JSONRecord(members + finding.json + [("dump", path.map { .string($0) } ?? nil)]))
    report(.nonFinite(finding, ranks: world.communicator.size, dump: dump))
  }

  private func recordStep(
    _ step: Int, _ result: StepResult, _ split: StepSplit, _ slow: SlowRank?, _ parameters: ParameterRecord?
  ) throws {
    let perStep = (World.wallTimeSeconds() - startSeconds) / Double(stepsDone)
    let tokens = Double(source.targetCount(atStep: step - 1))
    try record([
      "event": "step", "step": .integer(step), "trainLoss": .number(result.loss),
      "gradientNorm": .number(result.gradientNorm), "stepSeconds": .number(split.total),
      "computeSeconds": .number(split.compute), "communicationSeconds": .number(split.communication),
      "waitingSeconds": .number(split.waiting), "dataSeconds": .number(split.data),
      "checkpointSeconds": .number(split.checkpoint), "hiddenSeconds": .number(split.hidden),
    ])
    if let parameters, try record(parameters.json) { verification.written(parameters) }
    report(
      .step(
        step, of: coordinator.policy.totalSteps, result: result, split: split, tokensPerSecond: tokens / perStep,
        secondsLeft: perStep * Double(coordinator.policy.totalSteps - step)))
    guard let slow else { return }
    try record([
      "event": "straggler", "step": .integer(step), "rank": .integer(slow.straggler.rank), "host": .string(slow.host),
      "phase": .string("\(slow.straggler.phase)"), "behind": .number(slow.straggler.behind),
      "stepsInARow": slow.stepsInARow.map { .integer($0) } ?? nil,
    ])
    report(.straggler(step: step, slow))
  }

  private func evaluate(_ step: Int) throws -> Coordinator.Event {
    guard let validation else { return .evaluationCompleted }
    let start = World.wallTimeSeconds()
    training.clock.enter(.evaluation)
    training.heartbeat?.enter(.evaluating, step: step)
    let loss = try training.sharded.evaluate(validation) { [heartbeat = training.heartbeat] _ in
      heartbeat?.enter(.evaluating, step: step)
    }
    evaluated = (step, loss)
    training.clock.enter(.coordination)
    clock?.measuredAction(seconds: World.wallTimeSeconds() - start)
    if isRoot {
      try record(["event": "evaluated", "step": .integer(step), "validationLoss": .number(loss)])
      report(.evaluated(step: step, validationLoss: loss))
    }
    return .evaluationCompleted
  }

  private func copyState(_ step: Int) throws -> Coordinator.Event {
    try checkpoints.copy(manifest(step: step), trainLoss: trainLoss)
  }

  private func manifest(step: Int) -> Manifest {
    let position = step.quotientAndRemainder(dividingBy: source.stepsPerEpoch)
    return Manifest(
      step: step, dataPosition: DataPosition(epoch: position.quotient, stepInEpoch: position.remainder),
      seed: training.setup.seed, shards: training.setup.shards, configuration: configuration,
      parameterChain: verification.chain, validationLoss: evaluated?.step == step ? evaluated?.loss : nil)
  }

  private func rollBack(from step: Int) throws -> Coordinator.Event {
    guard case .rollBack(_, let factor) = coordinator.policy.nonFinite else {
      preconditionFailure("the policy knows no way back")
    }
    training.heartbeat?.enter(.saving, step: step)
    training.clock.enter(.checkpoint)
    let search = world.agree { isRoot ? try directory.newestCheckpoint() : nil }
    if let search, !search.damaged.isEmpty { report(.damaged(search.damaged)) }
    let newest = world.agree {
      guard isRoot, search?.newest == nil else { return search?.newest }
      throw CheckpointError(
        .diverged, "loss or gradient is infinite or NaN at step \(step)", expected: "a checkpoint to go back to",
        got: "none", at: directory.path)
    }
    let setbacks = training.setbacks
    trainLoss = try training.load(newest)
    training.setbacks.rollbacks = setbacks.rollbacks + 1
    training.setbacks.learningRateFactor = setbacks.learningRateFactor * factor
    try begin(after: newest)
    training.clock.enter(.coordination)
    if isRoot {
      try record([
        "event": "rolledBack", "step": .integer(lastStep), "from": .integer(step),
        "rollbacks": .integer(training.setbacks.rollbacks),
        "learningRateFactor": .number(training.setbacks.learningRateFactor),
        "because": finding.map { .string("\($0)") } ?? nil,
      ])
      report(.rolledBack(step: lastStep, learningRateFactor: training.setbacks.learningRateFactor))
    }
    finding = nil
    return .rolledBack(to: lastStep)
  }

  private func finish(_ step: Int) throws -> Coordinator.Event {
    training.heartbeat?.enter(.finishing, step: step)
    guard isRoot else { return .finished }
    let saved = try Checkpoint(verifying: directory.checkpointPath(step: step))
    let sha256 = try saved.open(CheckpointFiles.model).parametersSHA256()
    try log([
      "event": "finished", "step": .integer(step), "trainLoss": .number(trainLoss),
      "validationLoss": .number(evaluated?.loss), "parametersSHA256": .string(sha256),
    ])
    report(
      .finished(step: step, trainLoss: trainLoss, validationLoss: evaluated?.loss, parametersSHA256: sha256))
    return .finished
  }

  /// A record that cannot be written does not end the training: the first one is reported, and later ones are tried.
  /// Returns whether it stands.
  @discardableResult
  private func record(_ record: JSONRecord) throws -> Bool {
    do {
      try log(record)
      return true
    } catch let error as CheckpointError {
      if !hasLostRecords { report(.recordLost(error)) }
      hasLostRecords = true
      return false
    }
  }

  private func log(_ record: JSONRecord) throws {
    let log = try metrics ?? openLog()
    metrics = log
    try log.append(record)
  }

  /// At the first record, so that a run with nothing to do, or that cannot go on, changes nothing.
  private func openLog() throws -> MetricsLog {
    try directory.writeConfiguration(configuration)
    return try MetricsLog(path: directory.metricsPath, keepingThrough: loggedStep)
  }
}

extension Coordinator.Action {
  /// The action as two numbers, for the other ranks.
  fileprivate var code: [Int] {
    switch self {
    case .train(let step): [0, step]
    case .evaluate(let step): [1, step]
    case .copyState(let step): [2, step]
    case .awaitCheckpoint(let step): [3, step]
    case .finish(let step): [4, step]
    case .stop(let exitCode): [5, Int(exitCode)]
    case .rollBack(let step): [6, step]
    case .log: preconditionFailure("a notice stays on rank 0")
    }
  }

  fileprivate init(code: [Int]) {
    switch code[0] {
    case 0: self = .train(step: code[1])
    case 1: self = .evaluate(step: code[1])
    case 2: self = .copyState(step: code[1])
    case 3: self = .awaitCheckpoint(step: code[1])
    case 4: self = .finish(step: code[1])
    case 6: self = .rollBack(from: code[1])
    default: self = .stop(exitCode: Int32(code[1]))
    }
  }
}
