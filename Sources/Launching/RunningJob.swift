import CSystem
@preconcurrency import Glibc
import Problems

/// mpirun at work, and the streams and signals between it and the user.
struct RunningJob {
  /// How it came to its end.
  struct Ending {
    let exitCode: Int32
    let problem: Problem?
    let outputFailure: OutputFailure?
  }

  private let mpirun: pid_t
  private let signals: Int32
  private let outputIsTerminal = isatty(STDOUT_FILENO) == 1
  private var input: Relay?
  private var output: Relay
  private var errors: Relay
  private var messages: JobMessages
  private var stops: StopSignals
  private var outputFailure: OutputFailure?
  /// A stop that the ranks could not heed yet.
  private var hasPendingStop = false
  /// When mpirun has had its time to clear up.
  private var killSeconds: Double?
  /// As wait(2) gives it, once mpirun has ended.
  private var status: Int32?

  /// mpirun needs one to two seconds to end its ranks.
  private static let clearingSeconds = 4.0

  /// Starts it.
  init(_ program: String, _ arguments: [String], _ plan: LaunchPlan) throws(Problem) {
    signals = system_signal_descriptor()
    guard signals >= 0 else { throw RunningJob.noResources() }
    let (out, err) = (try RunningJob.pipe(), try RunningJob.pipe())
    var pump: (read: Int32, write: Int32)?
    var source = STDIN_FILENO
    if !plan.readsStandardInput {
      source = open("/dev/null", O_RDONLY | O_CLOEXEC)
    } else if isatty(STDIN_FILENO) == 1 {
      // Of another session, mpirun would take the terminal for one that belongs to somebody else.
      pump = try RunningJob.pipe()
      source = pump!.read
    }
    mpirun = RunningJob.start(program, arguments, source, out.write, err.write)
    guard mpirun > 0 else { throw RunningJob.noResources() }
    for descriptor in [out.write, err.write] + (source == STDIN_FILENO ? [] : [source]) { close(descriptor) }
    input = pump.map { Relay(from: STDIN_FILENO, to: $0.write) }
    output = Relay(from: out.read, to: STDOUT_FILENO)
    errors = Relay(from: err.read, to: STDERR_FILENO)
    messages = JobMessages(mpirun: mpirun)
    stops = StopSignals(stopsInGoodOrder: plan.stopsInGoodOrder)
  }

  private static func start(_ program: String, _ arguments: [String], _ input: Int32, _ output: Int32, _ errors: Int32)
    -> pid_t
  {
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { words.forEach { free($0) } }
    return system_start_session(program, &words, environ, input, output, errors)
  }

  private static func pipe() throws(Problem) -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    guard Glibc.pipe(&ends) == 0 else { throw noResources() }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private static func noResources() -> Problem {
    Problem(
      .internalError,
      "mpirun cannot be started — expected pipes and a process, got: \(String(cString: strerror(errno)))")
  }

  // MARK: The loop

  /// Passes on input, output and signals until mpirun has ended and all that it wrote is passed on.
  mutating func run() -> Ending {
    while status == nil || !(output.isDone && errors.isDone || stops.end != nil) { turn() }
    errors.append(messages.finish())
    while !errors.isDone, stops.end == nil { turn() }
    return ending
  }

  /// Waits until something can be done, and does it.
  private mutating func turn() {
    let wanted = (input?.interests ?? []) + output.interests + errors.interests
    var ready = wanted + [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
    let count = poll(&ready, nfds_t(ready.count), timeoutMilliseconds)
    if count < 0 { return }
    input?.advance(ready)
    output.advance(ready)
    errors.advance(ready) { messages.take($0) }
    noteOutput()
    if ready[ready.count - 1].revents != 0 { take(system_next_signal(signals)) }
    if hasPendingStop, messages.isReady, status == nil {
      hasPendingStop = false
      kill(mpirun, SIGUSR1)
    }
    if let killSeconds, now >= killSeconds { killAll() }
    if let relay = input, relay.isDone || relay.failure != nil || status != nil {
      input?.closeSink()
      input = nil
    }
    // Whoever still has the pipes is none of the job's processes.
    if status != nil, count == 0 {
      output.closeSource()
      errors.closeSource()
    }
  }

  /// Once mpirun has ended, what it wrote is there to be read.
  private var timeoutMilliseconds: Int32 {
    if status != nil { return output.waitsForSink || errors.waitsForSink ? -1 : 0 }
    return killSeconds.map { Int32(max(0, ($0 - now) * 1000).rounded(.up)) } ?? -1
  }

  private var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private var ending: Ending {
    if let signal = stops.end { return Ending(exitCode: 128 + signal, problem: nil, outputFailure: nil) }
    // wait(2): the low seven bits are the signal that ended it, the next byte its exit code.
    let status = status ?? 0
    let code = status & 127 == 0 ? status >> 8 & 255 : 128 + status & 127
    // Ranks that had nothing to save any more when they were to stop.
    if let signal = stops.stop, code == 128 + SIGUSR1 {
      return Ending(exitCode: 128 + signal, problem: nil, outputFailure: nil)
    }
    if let outputFailure, !messages.hasError {
      return Ending(exitCode: ExitCode.inputOutput.rawValue, problem: nil, outputFailure: outputFailure)
    }
    let (exitCode, problem) = messages.ending(exitCode: code)
    return Ending(exitCode: exitCode, problem: problem, outputFailure: nil)
  }

  // MARK: Signals and failures

  private mutating func take(_ signal: Int32) {
    if signal == 0 { return }
    if signal == SIGCHLD {
      var status: Int32 = 0
      if waitpid(mpirun, &status, WNOHANG) == mpirun { self.status = status }
      return
    }
    switch stops.action(on: signal) {
    case .none: break
    case .stop:
      say("\(StopSignals.name(signal)): stopping; a second signal ends the job at once")
      hasPendingStop = true
    case .end: endJob()
    case .kill: killAll()
    }
  }

  private mutating func endJob() {
    guard status == nil else { return }
    kill(mpirun, SIGTERM)
    killSeconds = now + RunningJob.clearingSeconds
  }

  /// mpirun's group is its session's; its ranks have asked the system to end with it.
  private mutating func killAll() {
    killSeconds = nil
    guard status == nil else { return }
    kill(-mpirun, SIGKILL)
    kill(mpirun, SIGKILL)
  }

  /// A line of the launcher's own, on a line of its own.
  private mutating func say(_ text: String) {
    let isInLine = outputIsTerminal && output.last.map { $0 != UInt8(ascii: "\n") } ?? false
    errors.append(((isInLine ? "\n" : "") + text + "\n").utf8)
  }

  /// Output that cannot be written stops the job. That of a terminal that is gone is nobody's loss: it is as SIGHUP.
  private mutating func noteOutput() {
    guard let code = output.failure, outputFailure == nil, stops.stop == nil, stops.end == nil else { return }
    if outputIsTerminal { return take(SIGHUP) }
    outputFailure = OutputFailure(code: code)
    if stops.stopsInGoodOrder { hasPendingStop = true } else if killSeconds == nil { endJob() }
  }
}
