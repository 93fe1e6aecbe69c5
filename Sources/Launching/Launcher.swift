@preconcurrency import Glibc
import Problems

/// Starts mpirun with this program as its ranks, stands between it and the terminal, and ends with the job's exit code.
package enum Launcher {
  /// Set in the environment of ranks that a launcher of ours has started.
  package static let variable = "LSTM_DIST_LAUNCHER"
  static let terminal = "terminal"

  /// What rank 0 says on standard error once every rank heeds signals. Not for the user.
  package static let readyLine = "lstm-dist: every rank heeds signals"

  /// Whether the launcher's output is a terminal; nil for a process without such a launcher.
  static var outputIsTerminal: Bool? { getenv(variable).map { String(cString: $0) == terminal } }

  /// Whether this process is a rank of a job of `--ranks`, whose launcher answers signals.
  package static var hasStartedThisRank: Bool { outputIsTerminal != nil }

  /// Rank 0 calls it as soon as MPI is up, in a command that saves its work on a signal; without a launcher it does nothing.
  package static func ranksHeedSignals() {
    if hasStartedThisRank { fputs(readyLine + "\n", stderr) }
  }

  /// Runs the command line of this process as a job and returns its exit code.
  /// - Parameter cores: cores' worth of time that this process may use.
  package static func run(_ plan: LaunchPlan, cores: Double) throws(Problem) -> Int32 {
    if let failure = StandardOutput.failure { return try end(failure) }
    if let hostfile = plan.hostfile, access(hostfile, R_OK) != 0 {
      throw Problem(
        .inputOutput,
        "cannot read the hostfile — expected a readable file, got: \(String(cString: strerror(errno))) (\(hostfile))")
    }
    let mpirun = try executable("mpirun")
    let variables = plan.environment(
      cores: cores, isRoot: geteuid() == 0, outputIsTerminal: StandardOutput.isTerminal)
    // What the user has set stays.
    for (name, value) in variables { setenv(name, value, name == variable ? 1 : 0) }
    let arguments = plan.arguments(program: try ownPath(), Array(CommandLine.arguments.dropFirst()))
    var job = try RunningJob(mpirun, arguments, plan)
    let ending = job.run()
    if let failure = ending.outputFailure { return try end(failure) }
    if let problem = ending.problem { throw problem }
    return ending.exitCode
  }

  private static func end(_ failure: OutputFailure) throws(Problem) -> Int32 {
    guard let problem = failure.problem else { return OutputFailure.exitCode }
    throw problem
  }

  /// The first of this name in the folders of PATH.
  private static func executable(_ name: String) throws(Problem) -> String {
    let path = getenv("PATH").map { String(cString: $0) } ?? ""
    for folder in path.split(separator: ":") where access("\(folder)/\(name)", X_OK) == 0 {
      return "\(folder)/\(name)"
    }
    throw Problem(
      .badConfiguration, "\(name) is not found — expected that of Open MPI in a folder of PATH, got PATH=\(path)",
      hint: "install Open MPI (Debian: openmpi-bin), or add the folder of its mpirun to PATH")
  }

  /// The file of this program, by a path that leads to it from any working directory.
  private static func ownPath() throws(Problem) -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = readlink("/proc/self/exe", &bytes, bytes.count)
    guard length > 0 else {
      throw Problem(.internalError, "the program's own path is unknown — expected /proc/self/exe")
    }
    return String(decoding: bytes[..<length].map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
