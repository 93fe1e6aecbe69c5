import Foundation
import Plan
import Runs
import TestSupport

/// A NaN at a random place: in the memory of one rank, or in the data. All policies, 1 to 4 ranks. The place must be
/// named, down to layer, timestep, sequence, shard and rank, and the run must come to what it comes to on one rank.
func badNumbers(_ trials: Trials) throws -> Row {
  var (trials, row) = (trials, Row("NaN in the memory of a rank or in the data"))
  for number in 0..<(trials.isLong ? 120 : 12) {
    let ranks = 1 + number % 4
    let fault = Fault(
      policy: ["stop", "skip", trials.draws.below(2) == 0 ? "1" : "0.5"][number / 4 % 3],
      isInData: trials.draws.below(2) == 0, step: 1 + trials.draws.below(12), rank: trials.draws.below(ranks),
      layer: trials.draws.below(3), lane: trials.draws.below(9), timestep: trials.draws.below(6), ranks: ranks)
    row.saw(fault.policyName)
    row.add(try fault.problems(trials.path("\(number)")).map { "\(fault): \($0)" })
  }
  return row
}

/// A fault of `training-programs`, and what it must lead to.
private struct Fault {
  /// stop, skip, or the factor of a rollback.
  let policy: String
  let isInData: Bool
  let step: Int
  let rank: Int
  let layer: Int
  let lane: Int
  let timestep: Int
  let ranks: Int

  private var isRollback: Bool { Double(policy) != nil }
  var policyName: String { isRollback ? "rollback" : policy }
  /// Whether a checkpoint is due after the step that is passed over, while the number is still in the memory: on rank 0
  /// that is never written, and there is no way on; the other ranks have no part in it.
  private var meetsCheckpoint: Bool { policy == "skip" && !isInData && step % 4 == 0 }
  /// The newest checkpoint before the step.
  private var saved: Int { (step - 1) / 4 * 4 }

  /// What is wrong with how a training ends that meets the fault.
  func problems(_ run: String) throws -> [String] {
    let (finding, blame) = try place()
    let lines = try train(run, name)
    // In the data it comes again, so that a rollback is no way on.
    let code = policy == "stop" || isRollback && isInData || meetsCheckpoint && rank == 0 ? 76 : 0
    var problems: [String] = []
    if lines.prefix(2) != [finding, blame] { problems.append("expected \([finding, blame])") }
    if lines.last != "code \(code)" { problems.append("expected code \(code)") }
    let directory = RunDirectory(path: run)
    if code == 76, try directory.checkpointSteps().last ?? 0 != saved {
      problems.append("step \(saved) must be the last")
    }
    let backs = lines.filter { $0 == "back after step \(saved)" }.count
    if backs != (isRollback ? isInData ? 2 : 1 : 0) { problems.append("went back \(backs) times") }
    if policy == "skip", try SetbackRecord.read(directory.metrics) != [.skipped(SkippedRecord(step: step, inARow: 1))] {
      problems.append("the metrics must have one skipped step")
    }
    if code == 0 { problems += try problemsOfEnd(lines, run) }
    let again = try output(["replay", "\(run)/dumps/\(RunNames.step(step))"], ranks: 5 - ranks)
    if again != ["same", finding] { problems.append("the dump was repeated as \(again)") }
    return problems.isEmpty ? [] : problems + ["got \(lines)"]
  }

  /// Parameters at the end: those of the same training on one rank, or where rank 0 would have no end on another number
  /// of ranks; those of one without a fault where a rollback
  /// changes no learning rate, and others where it does, or where a step is skipped.
  private func problemsOfEnd(_ lines: [String], _ run: String) throws -> [String] {
    func end(_ lines: [String]) -> String { lines.last { $0.hasPrefix("finished ") } ?? "without an end" }
    let alone = with(rank: 0, of: 1)
    let other = meetsCheckpoint ? with(rank: 1, of: ranks == 2 ? 3 : 2) : alone
    let same = end(lines) == end(try other.train("\(run)-other", name))
    let healthy = end(lines) == end(try alone.train("\(run)-healthy", isInData ? "healthy" : "none"))
    return (same ? [] : ["ended with other parameters than on \(other.ranks) ranks"])
      + (healthy == (policy == "1") ? [] : ["ended \(healthy ? "like" : "unlike") a training without the fault"])
  }

  private func with(rank: Int, of ranks: Int) -> Fault {
    Fault(
      policy: policy, isInData: isInData, step: step, rank: rank, layer: layer, lane: lane, timestep: timestep,
      ranks: ranks)
  }

  private var name: String { isInData ? "number" : "parameter" }

  /// What must be said: the first bad number, and the rank that has it.
  private func place() throws -> (finding: String, blame: String) {
    let plan = try ShardPlan(globalBatch: 9, shards: 8, ranks: ranks)
    let lane = isInData ? lane : plan.lanes(ofRank: rank).lowerBound
    let rank = (0..<ranks).first { plan.lanes(ofRank: $0).contains(lane) }!
    let shard = (0..<8).first { plan.lanes(ofShard: $0).contains(lane) }!
    let tensor = "lstm.weight_hh_l\(layer)"
    if isInData {
      return (
        "step \(step): NaN in the input, unit 1, timestep \(timestep), sequence \(lane), shard \(shard)",
        "on rank \(rank) of \(ranks)"
      )
    }
    // Of two ranks that differ, nobody knows which is right: the first one counts as such.
    let differs = ranks > 2 || rank == 1
    return (
      "step \(step): NaN in the update gate (F2) of layer \(layer), unit 0, timestep 0, sequence \(lane), shard "
        + "\(shard); before the step \(tensor) had a number that was not finite",
      "on rank \(rank) of \(ranks)"
        + (differs ? ", whose \(tensor) is not that of the other ranks: suspect its memory" : "")
    )
  }

  private func train(_ run: String, _ fault: String) throws -> [String] {
    try output(["nonfinite", run, policy, fault] + [step, rank, layer, lane, timestep].map(String.init), ranks: ranks)
  }

  private func output(_ arguments: [String], ranks: Int) throws -> [String] {
    let outcome = try Launcher.run("training-programs", arguments, ranks: ranks == 1 ? nil : ranks, timeoutSeconds: 120)
    guard outcome.exitCode == 0 else { throw Problem("training-programs \(arguments) failed: \(outcome)") }
    return outcome.output.split(separator: "\n").map(String.init)
  }
}
