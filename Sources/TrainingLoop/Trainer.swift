import DataParallel
import MPI
import Problems
import Runs
import Sequences

/// Where a training starts.
package enum TrainingStart {
  /// With its first step, and the parameters that it has been given.
  case anew
  /// After a checkpoint. `finishRecorded`, on rank 0: the metrics hold the record that the run finished there.
  case resumed(CheckpointSource, finishRecorded: Bool = false)

  /// Of the checkpoint, where this rank reads one.
  var manifest: Manifest? {
    if case .resumed(let source, _) = self { source.checkpoint?.manifest } else { nil }
  }

  /// Rank 0 found a checkpoint or none, and every rank learns which. Every rank calls it.
  /// - Parameter found: nil on all ranks but rank 0.
  package init(found: Checkpoint?, finishRecorded: Bool = false, world: World) throws {
    let isFound = try world.communicator.broadcast(found == nil ? 0 : 1, root: 0) == 1
    self = isFound ? .resumed(found.map { .file($0) } ?? .root, finishRecorded: finishRecorded) : .anew
  }
}

/// Runs a training from its start or a checkpoint to its end: carries out what the coordinator on rank 0 decides, on
/// all ranks together.
package final class Trainer {
  let world: World
  let training: Training
  let source: any SequenceSource
  let validation: (any SequenceSource)?
  let directory: RunDirectory
  let configuration: String
  let checkpoints: TrainingCheckpoints
  let verification: ParameterVerification
  let records: RunRecords
  let times: RunTimes
  let dumps: Int
  let report: (TrainingReport) -> Void
  private let trace: TraceFile?

  private(set) var coordinator: Coordinator
  private var followedSeconds = -Double.infinity
  let stops: StopRequests
  let stopListener: StopListener
  /// The loss of the last step that was finite.
  var trainLoss: Double?

  /// The last completed step.
  package internal(set) var lastStep = 0

  /// After `run`, on rank 0: why the trace could not be written, nil where nothing went wrong.
  package private(set) var traceError: Problem?

  var isRoot: Bool { world.communicator.rank == 0 }

  /// - Parameters:
  ///   - source: training batches.
  ///   - validation: held-out batches, nil where there are none.
  ///   - verification: when parameters are hashed, and whether ranks check each other; never unless it is said.
  ///   - configuration: the resolved configuration's text, for `config.yaml` and checkpoints.
  ///   - identity: what the data is, for checkpoints.
  ///   - data: what was read of it, for the metrics of a new run.
  ///   - checkpoints: when they are written but at the steps of `policy`, and which are kept.
  ///   - clock: on rank 0 only, when the job's time is over, on the clock of `World.wallTimeSeconds`.
  ///   - stopSignal: the signal that asked this process to stop, or 0. Asked for at each timestep.
  ///   - dumps: how many steps that were not finite are dumped into the directory, at most.
  ///   - trace: where a trace is to be written at the end, nil for none.
  ///   - report: called on rank 0.
  package init(
    world: World, training: Training, source: any SequenceSource, validation: (any SequenceSource)?,
    policy: Coordinator.Policy, verification: VerificationPolicy = VerificationPolicy(every: 0, paranoid: false),
    directory: RunDirectory, configuration: String, identity: DataIdentity, data: DataRecord? = nil,
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
    self.checkpoints = try TrainingCheckpoints(
      training, directory: directory, identity: identity, policy: checkpoints, report: report)
    records = RunRecords(directory: directory, configuration: configuration, data: data, report: report)
    let stops = StopRequests(
      rank: world.communicator.rank, signal: stopSignal, directory: directory, clock: clock)
    self.stops = stops
    stopListener = try StopListener(world: world, ownReason: stops.reason) {
      if world.communicator.rank == 0 { report(.stopping($0)) }
    }
    self.trace = trace
    self.dumps = dumps
    times = try RunTimes(
      world: world, sequences: (0..<world.communicator.size).map { training.replica.plan.lanes(ofRank: $0).count })
    self.report = report
    coordinator = Coordinator(policy: policy)
    self.verification = ParameterVerification(
      world: world, training: training, policy: verification, configuration: configuration, identity: identity)
  }

  /// Trains to the end. Every rank calls it. Returns the exit code, the same on every rank.
  package func run(_ start: TrainingStart) throws -> Int32 {
    let code: Int32
    do {
      code = try carryOut(start)
    } catch {
      trace?.writeAlone(training)
      throw error
    }
    if isRoot, times.steps > 0 {
      times.addLastCheckpoint(seconds: training.clock.secondsSinceStep()[.checkpoint])
      report(.times(times.total, slowest: times.slowest))
    }
    traceError = try trace?.write(training, hosts: times.hosts)
    return code
  }

  private func carryOut(_ start: TrainingStart) throws -> Int32 {
    if case .resumed(let source, _) = start { trainLoss = try training.load(source) }
    times.begin()
    try begin(start)
    var event = Coordinator.Event.started(coordinatorStart(start))
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
      case .log: preconditionFailure("a report is not an action of all ranks")
      }
    }
  }

  /// The run is where it starts, or where the checkpoint has it that has been loaded.
  func begin(_ start: TrainingStart) throws {
    let manifest = start.manifest
    lastStep = try world.communicator.broadcast(manifest?.step ?? 0, root: 0)
    records.begin(at: MetricsLog.ResumePoint(step: lastStep, rollbacks: training.setbacks.rollbacks))
    try verification.begin(step: lastStep, chain: manifest?.parameterChain ?? 0)
  }

  /// The same for the coordinator, which counts on rank 0.
  private func coordinatorStart(_ start: TrainingStart) -> Coordinator.Start {
    guard case .resumed(_, let finishRecorded) = start else { return .anew }
    return .resumed(
      step: lastStep, evaluated(start), finishRecorded: finishRecorded, isExhausted: training.isExhausted)
  }

  /// On rank 0: what a checkpoint says of the evaluation after its step.
  func evaluated(_ start: TrainingStart) -> Coordinator.Evaluated {
    if let loss = start.manifest?.validationLoss { return .loss(loss) }
    return validation == nil ? .nothingHeldOut : .notYet
  }

  // MARK: Decisions

  /// Rank 0's coordinator decides; all ranks learn what.
  private func nextAction(after event: Coordinator.Event) throws -> Coordinator.Action {
    var code: [Int] = [0, 0]
    training.heartbeat?.enter(.waiting, step: lastStep)
    if isRoot {
      let events = withEventsMeanwhile(event)
      try followDirectory(isDoubtful: events.contains(where: \.isFailedCheckpoint))
      for action in events.flatMap({ coordinator.receive($0, training.setbacks) }) {
        if case .log(let report) = action { try tell(report) } else { code = action.code }
      }
      stops.isWriting = coordinator.isWriting
    }
    training.clock.enter(.wait)
    try code.withUnsafeMutableBufferPointer { try world.communicator.broadcast($0, root: 0) }
    training.clock.enter(.coordination)
    return Coordinator.Action(code: code)
  }

  /// On rank 0: tells where the run's directory has been renamed, and ends the job where it has been removed, for then
  /// there is nowhere to write. Looked at once a second, and at once where something could not be written.
  private func followDirectory(isDoubtful: Bool) throws {
    let now = World.wallTimeSeconds()
    guard isDoubtful || now - followedSeconds >= 1 else { return }
    followedSeconds = now
    try followDirectory()
  }

  func followDirectory() throws {
    if let (from, to) = try directory.follow() { report(.moved(from: from, to: to)) }
  }

  private func tell(_ decision: Coordinator.Report) throws {
    report(.coordinator(decision))
    if case .skipped(let step, let inARow, _) = decision { try records.skipped(step: step, inARow: inARow) }
  }

  /// The event, and before it what happened meanwhile: a checkpoint ended, or is due by the clock; the job is to stop.
  private func withEventsMeanwhile(_ event: Coordinator.Event) -> [Coordinator.Event] {
    var events: [Coordinator.Event] = []
    switch event {
    case .started: return [event]
    case .stepCompleted, .stepAbandoned, .evaluationCompleted, .evaluationAbandoned, .lastEvaluationCompleted:
      events += checkpoints.takeEnd().map { [$0] } ?? []
    default: break
    }
    if let seconds = checkpoints.seconds { stops.measuredCheckpoint(seconds: seconds) }
    if !coordinator.isWriting, checkpoints.isDue() { events.append(.checkpointRequested) }
    if let reason = stopListener.agreement?.reason ?? stops.reason() { events.append(.stopRequested(reason)) }
    return events + [event]
  }
}

extension Coordinator.Event {
  fileprivate var isFailedCheckpoint: Bool { if case .checkpointFailed = self { true } else { false } }
}
