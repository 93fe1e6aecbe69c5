import Foundation

/// What a finished job left.
public struct Outcome: Sendable, CustomStringConvertible {
  /// The exit code; 128 + n where a signal n ended the process.
  public let exitCode: Int32

  /// Everything on stdout.
  public let output: String

  /// Everything on stderr.
  public let errors: String

  /// Whether the job was ended from here because it ran out of time.
  public let timedOut: Bool

  /// Whether that was a launcher alone: all that it had started was gone.
  public let launcherHung: Bool

  /// The exit code; where the launcher hung or crashed after its job had ended, the one that it had told of. Open MPI
  /// was seen to do both, once in some thousand jobs, as it put away what it knew of the ranks.
  public var jobExitCode: Int32 {
    let launcherCrashed = exitCode == 128 + SIGSEGV && errors.contains("PMIx_server_finalize")
    guard launcherHung || launcherCrashed, let code = errors.firstMatch(of: #/Exit code: +(\d+)/#)?.1 else {
      return exitCode
    }
    return Int32(code) ?? exitCode
  }

  /// All of it, for the message of a failed expectation.
  public var description: String {
    "exit code \(exitCode)\(timedOut ? " (timed out)" : "")\n--- stdout\n\(output)\n--- stderr\n\(errors)"
  }

  /// The lines of stderr with an error message of our own programs.
  public var errorLines: [String] {
    errors.split(whereSeparator: \.isNewline).map(String.init).filter {
      $0.hasPrefix("error: ") || $0.hasPrefix("[rank ") && $0.contains("] error: ")
    }
  }
}

/// Runs built programs as jobs of their own. The test process must never start MPI itself: an mpirun started from
/// such a process exits with 1 and says nothing.
public enum Launcher {
  /// The directory with everything that was built: executables and the test bundle.
  public static var productsDirectory: URL {
    #if os(macOS)
      Bundle.allBundles.first { $0.bundlePath.hasSuffix(".xctest") }!.bundleURL.deletingLastPathComponent()
    #else
      URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    #endif
  }

  /// An executable of this package.
  public static func builtExecutable(_ name: String) -> URL { productsDirectory.appendingPathComponent(name) }

  /// Runs an executable of this package under mpirun on `ranks` ranks, or by itself if `ranks` is nil.
  ///
  /// - Parameters:
  ///   - environment: Variables to set beside the inherited ones.
  ///   - workingDirectory: Where the program runs; by default where the tests run.
  public static func run(
    _ name: String, _ arguments: [String] = [], ranks: Int?, environment: [String: String] = [:],
    workingDirectory: URL? = nil, timeoutSeconds: Int = 60
  ) throws -> Outcome {
    let program = builtExecutable(name).path
    guard let ranks else {
      return try run(
        [program] + arguments, environment: environment, workingDirectory: workingDirectory,
        timeoutSeconds: timeoutSeconds)
    }
    let mpirun = ["mpirun", "--oversubscribe", "--timeout", "\(timeoutSeconds)", "-np", "\(ranks)"]
    // mpirun's own limit comes first: it ends all ranks. Ours is for an mpirun that hangs.
    return try run(
      mpirun + [program] + arguments, environment: environment, workingDirectory: workingDirectory,
      timeoutSeconds: timeoutSeconds + 15)
  }

  /// Runs any command, found by PATH.
  public static func run(
    _ command: [String], environment: [String: String] = [:], workingDirectory: URL? = nil, timeoutSeconds: Int = 60
  ) throws -> Outcome {
    try Job(command, environment: environment, workingDirectory: workingDirectory).wait(timeoutSeconds: timeoutSeconds)
  }
}

/// A command that runs while the test goes on.
public final class Job {
  private let process = Process()
  private let output: Capture
  private let errors: Capture
  /// What Open MPI notes about the job: in the place that all jobs have by default, one that ends removes directories
  /// that another one is just making.
  private let notes = FileManager.default.temporaryDirectory.appendingPathComponent(
    "job-\(UUID().uuidString.prefix(8))")
  private let ended = DispatchSemaphore(value: 0)

  /// The process id of the command itself: under mpirun that is mpirun.
  public var processIdentifier: Int32 { process.processIdentifier }

  /// Whether it has not ended yet.
  public var isRunning: Bool { process.isRunning }

  /// Starts a command, found by PATH; `environment` is set beside the inherited variables. On a terminal it leads a
  /// session of its own, and all that it says is the terminal's.
  public init(
    _ command: [String], environment: [String: String] = [:], workingDirectory: URL? = nil, terminal: Terminal? = nil
  ) throws {
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = (terminal == nil ? [] : ["setsid", "--ctty", "--wait"]) + command
    try FileManager.default.createDirectory(at: notes, withIntermediateDirectories: false)
    process.environment = Job.cleanEnvironment()
      .merging(["OMPI_MCA_orte_tmpdir_base": notes.path]) { $1 }.merging(environment) { $1 }
    process.currentDirectoryURL = workingDirectory
    process.standardInput = FileHandle.nullDevice
    // Files, not pipes: a pipe fills up, and stays open as long as any orphan of the job lives.
    output = try Capture()
    errors = try Capture()
    process.standardOutput = output.handle
    process.standardError = errors.handle
    if let terminal {
      process.standardInput = terminal.programsSide
      process.standardOutput = terminal.programsSide
      process.standardError = terminal.programsSide
    }
    process.terminationHandler = { [ended] _ in ended.signal() }
    try Job.withoutBlockedSignals { try process.run() }
    // Then the terminal is at its end when the job is.
    try terminal?.programsSide.close()
  }

  deinit { try? FileManager.default.removeItem(at: notes) }

  /// What the job left at its end, which comes with SIGKILL when the time is over.
  public func wait(timeoutSeconds: Int = 60) throws -> Outcome {
    let timedOut = ended.wait(timeout: .now() + .seconds(timeoutSeconds)) == .timedOut
    // Open MPI 4.1 sometimes waits for ever when it finalizes its server, after a rank was killed.
    let launcherHung =
      timedOut && process.arguments?.contains("mpirun") == true
      && children.allSatisfy { Job.state(ofProcess: $0) ?? "Z" == "Z" }
    if timedOut {
      kill(process.processIdentifier, SIGKILL)
      ended.wait()
    }
    let code = process.terminationStatus
    return Outcome(
      exitCode: process.terminationReason == .uncaughtSignal ? 128 + code : code, output: try output.text(),
      errors: try errors.text(), timedOut: timedOut, launcherHung: launcherHung)
  }

  /// The process ids of what the command has started, ascending: under mpirun those of the ranks.
  public var children: [Int32] {
    let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/\(processIdentifier)/task")) ?? []
    let children = threads.compactMap {
      try? String(contentsOfFile: "/proc/\(processIdentifier)/task/\($0)/children", encoding: .utf8)
    }
    return children.flatMap { $0.split(separator: " ").compactMap { Int32($0) } }.sorted()
  }

  /// The letter that /proc has for a process, Z for one that is dead and not yet buried; nil where there is none.
  private static func state(ofProcess process: Int32) -> Character? {
    // pid (name) state …
    let status = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8)
    return status?.split(separator: ")").last?.first { $0 != " " }
  }

  /// Threads on which tests run block all signals, and a new process inherits that from its maker.
  private static func withoutBlockedSignals(_ body: () throws -> Void) rethrows {
    var (none, blocked) = (sigset_t(), sigset_t())
    sigemptyset(&none)
    pthread_sigmask(SIG_SETMASK, &none, &blocked)
    defer { pthread_sigmask(SIG_SETMASK, &blocked, nil) }
    try body()
  }

  /// The environment without what another launcher may have left in it, with root allowed to use mpirun, and without
  /// network cards.
  private static func cleanEnvironment() -> [String: String] {
    let launchers = ["OMPI_", "PMIX_", "PMI_", "ORTE_", "PRTE_", "SLURM_"]
    var environment = ProcessInfo.processInfo.environment.filter { variable in
      !launchers.contains { variable.key.hasPrefix($0) }
    }
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    // What Open MPI chooses by itself on one machine, without the 0.2 s in which the driver of an InfiniBand card
    // measures the processor's clock at each start.
    environment["OMPI_MCA_pml"] = "ob1"
    return environment
  }
}

/// A temporary file that receives one stream of a process.
private final class Capture {
  let handle: FileHandle
  private let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("capture-\(UUID().uuidString)")
    try Data().write(to: url)
    handle = try FileHandle(forWritingTo: url)
  }

  func text() throws -> String { String(decoding: try Data(contentsOf: url), as: UTF8.self) }

  deinit {
    try? handle.close()
    try? FileManager.default.removeItem(at: url)
  }
}
