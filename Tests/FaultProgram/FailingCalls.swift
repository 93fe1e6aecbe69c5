import Foundation
import Runs
import TestSupport

/// Each system call with which a job writes a checkpoint fails once, and once the job is killed in it; with the second
/// checkpoint of three, after which the training must go on, and with the last one, without which it must not succeed.
func failingCalls(_ trials: Trials) throws -> Row {
  let kind = "each system call of a checkpoint"
  guard let strace = try Strace() else { return Row(kind, skippedBecause: "no strace that may trace") }
  let every = TinyTraining.checkpointEvery
  let (training, run) = (try TinyTraining(folder: trials.training.folder, steps: 3 * every), trials.path("run"))
  let log = trials.path("calls")
  _ = try Job(strace.listing(to: log) + training.command(run, ranks: nil)).wait()
  let calls = try SystemCall.list(log)
  var row = Row(kind)
  for step in [2 * every, 3 * every] {
    let ofCheckpoint = SystemCall.ofCheckpoint(step: step, calls, RunDirectory(path: run))
    if ofCheckpoint.isEmpty { throw Problem("strace saw no call of the checkpoint of step \(step)") }
    for (number, call) in ofCheckpoint.enumerated() where trials.isLong || number % 9 == step / every {
      for isKill in trials.isLong ? [false, true] : [number % 2 == 0] {
        try FileManager.default.removeItem(atPath: run)
        let job = try Job(
          strace.injecting(isKill ? "signal=KILL" : call.error, call) + training.command(run, ranks: nil))
        let ending = Ending(try job.wait())
        row.saw(isKill ? "killed" : "\(call.name) failed")
        // strace counts the calls of a thread, and each checkpoint has a thread of its own: a call on what is not the
        // checkpoint's alone fails in all of them, the first one too.
        let isOfAll = !call.path.contains(SystemCall.name(step))
        let expected = isKill ? [137] : step == training.steps || isOfAll ? [0, 74] : [0]
        var problems: [String] = []
        if !expected.contains(Int(ending.exitCode)) { problems.append("exit code \(expected) expected, got \(ending)") }
        let directory = RunDirectory(path: run)
        let complete = try completeSteps(directory)
        if try directory.checkpointSteps() != complete { problems.append("a damaged checkpoint was left") }
        if complete.last ?? 0 < step - every, !isOfAll { problems.append("the checkpoint before was lost") }
        if ending.exitCode == 0, complete.last != training.steps { problems.append("exit code 0 without a result") }
        if ending.exitCode == 74, !ending.outcome.errors.contains("error: ") {
          problems.append("no error was reported")
        }
        problems += try training.problemsOfFinishing(run, ranks: nil, notBefore: complete.last ?? 0)
        row.add(problems.map { "\(isKill ? "killed in" : "failed") \(call): \($0)" })
      }
    }
  }
  return row
}

/// One call in a job's log: the `occurrence`th of this name on this path.
struct SystemCall: CustomStringConvertible {
  let thread: Substring
  let name: String
  let path: String
  /// What strace knows the path by: of a call such as openat the path from the directory, of others that of the file.
  let argument: String
  var occurrence = 0
  var description: String { "\(name) \(occurrence) of \(path)" }

  /// How the call fails.
  var error: String { ["write", "mkdirat", "openat"].contains(name) ? "error=ENOSPC" : "error=EIO" }

  /// The calls that a log lists, but for those on no path.
  static func list(_ log: String) throws -> [SystemCall] {
    var seen: [String: Int] = [:]
    return try String(contentsOfFile: log, encoding: .isoLatin1).split(separator: "\n").compactMap { line in
      guard var call = SystemCall(line) else { return nil }
      let key = "\(call.thread) \(call.name) \(call.argument)"
      seen[key, default: 0] += 1
      call.occurrence = seen[key]!
      return call
    }
  }

  /// A line such as `17 openat(5</runs/a>, "checkpoints/step-00000004/model.safetensors", …`, or
  /// `17 write(6</runs/a/checkpoints/step-00000004/model.safetensors>, …`.
  private init?(_ line: Substring) {
    if let match = line.firstMatch(of: #/^(\d+) +(\w+at2?)\((?:AT_FDCWD[^,]*|\d+<([^>]+)>), "([^"]+)"/#) {
      (thread, name, argument) = (match.1, String(match.2), String(match.4))
      path = argument.hasPrefix("/") ? argument : "\(match.3 ?? "")/\(argument)"
    } else if let match = line.firstMatch(of: #/^(\d+) +(\w+)\(\d+<([^>]+)>/#) {
      (thread, name, argument) = (match.1, String(match.2), String(match.3))
      path = argument
    } else {
      return nil
    }
  }

  /// The name of a step's checkpoint.
  static func name(_ step: Int) -> String {
    URL(filePath: RunDirectory(path: "run").checkpointPath(step: step)).lastPathComponent
  }

  /// Those on the run in the thread that writes the checkpoint.
  static func ofCheckpoint(step: Int, _ calls: [SystemCall], _ run: RunDirectory) -> [SystemCall] {
    guard let first = calls.first(where: { $0.path.contains(name(step)) }) else { return [] }
    return calls.filter { $0.thread == first.thread && $0.path.hasPrefix(run.path + "/") }
  }
}
