import Foundation
import TestSupport
import Testing

extension Workspace {
  /// Starts a training that would take for ever, under mpirun or alone where `ranks` is nil, and does with it what a
  /// shell script says: `$job` is the process that was started, `rank N` gives the process id of a rank, `$run` is the
  /// run's directory, `again ARGUMENTS` the same command on one rank, `saved` prints how many checkpoints there are, and
  /// `await CONDITION` returns when the condition holds or the job has ended. The script begins when the first steps
  /// are done, and its exit code is the outcome's.
  /// - Parameter session: whether the training has a session of its own, as PBS gives to each job.
  func job(
    _ run: String, ranks: Int?, _ arguments: [String] = [], environment: [String: String] = [:],
    session: Bool = false, doing script: String
  ) throws -> Outcome {
    // Alone as a program is that inherits blocked signals; without mpirun's limit it must not outlive the script.
    let launcher =
      ranks.map { "mpirun --oversubscribe --timeout 60 -np \($0) " }
      ?? "env --block-signal=TERM,INT,USR1,USR2 setpriv --pdeathsig KILL "
    let whole = """
      rank() { \(ranks == nil ? "echo $job" : "cat /proc/$job/task/*/children | tr ' ' '\\n' | sort -n | grep . | sed -n \"$(($1 + 1))p\""); }
      again() { "$program" "$@" --run "$run"; }
      records() { cat "$run/metrics.jsonl" 2>/dev/null | wc -l; }
      saved() { ls "$run/checkpoints" 2>/dev/null | grep -c '^step'; }
      await() { until eval "$1"; do kill -0 $job 2>/dev/null || return; sleep 0.02; done; }
      before=$(records)
      \(session ? "setsid " : "")\(launcher)"$program" "$@" & job=$!
      await '[ $(records) -gt $((before + 3)) ]'
      \(script)
      """
    let forever = ["--steps", "1000000000", "--set", "training.evaluateEvery=0"]
    return try Launcher.run(
      ["bash", "-c", whole, "job", "train", "--config", "small.yaml", "--run", run] + forever + arguments,
      environment: environment.merging(["program": Launcher.builtExecutable("lstm-dist").path, "run": run]) { $1 },
      workingDirectory: url, timeoutSeconds: 90)
  }

  /// Whether there is an strace that may trace.
  static var canTrace: Bool {
    (try? Launcher.run(["strace", "-qq", "-o", "/dev/null", "true"]).exitCode) == 0
  }

  /// The last step of a run that has records.
  func lastStep(_ run: String) throws -> Int { try #require(try metrics(run).last).step }

  /// The steps of a run that have a checkpoint, ascending.
  func checkpointSteps(_ run: String) throws -> [Int] {
    try FileManager.default.contentsOfDirectory(atPath: path("\(run)/checkpoints")).compactMap {
      $0.hasPrefix("step-") ? Int($0.dropFirst(5)) : nil
    }.sorted()
  }

  /// The process ids of all processes with this argument. Ranks that are being ended are given some seconds.
  func processesThatStay(with argument: String) throws -> [String] {
    let bytes = Data(argument.utf8)
    func isThere(_ process: String) -> Bool {
      guard let arguments = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
      return arguments.range(of: bytes) != nil
    }
    var found: [String] = []
    for _ in 0..<100 {
      found = try FileManager.default.contentsOfDirectory(atPath: "/proc").filter(isThere)
      if found.isEmpty { break }
      usleep(50_000)
    }
    return found
  }
}
