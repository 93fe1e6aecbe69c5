import Foundation
import TestSupport
import Testing

extension Commands {
  /// A run knows itself: what becomes of its directory's name, and what else lies in it.
  struct OwnRunTests {
    private struct Named: Decodable { let run: String? }

    private func identity(_ workspace: Workspace, _ file: String) throws -> String? {
      try JSONDecoder().decode(Named.self, from: Data(workspace.get(file))).run
    }

    /// The runs that the manifests of a run's checkpoints name.
    private func runsOfCheckpoints(_ workspace: Workspace, _ run: String) throws -> Set<String?> {
      Set(
        try FileManager.default.contentsOfDirectory(atPath: workspace.path("\(run)/checkpoints")).map {
          try identity(workspace, "\(run)/checkpoints/\($0)/manifest.json")
        })
    }

    private let often = ["--set", "training.checkpointEvery=5", "--set", "checkpoint.keepLast=2"]

    @Test(arguments: [1, 3])
    func aRenamedRunGoesOnInItsOwnDirectory(ranks: Int) throws {
      try Workspace.run { workspace in
        let undisturbed = try workspace.train("undisturbed", ranks: nil)
        let script = """
          await '[ $(saved) -ge 1 ]'; mv $run gone
          "$program" train --config small.yaml --run $run > second 2>&1 || exit 1
          await 'grep -q "was renamed" /proc/$$/fd/2'; seen=$(ls gone/checkpoints | tail -n 1)
          await '[ "$(ls gone/checkpoints | tail -n 1)" != "$seen" ]'
          kill -TERM $(rank 0); wait $job
          """
        let outcome = try workspace.job("run", ranks: ranks, often, doing: script)
        #expect(outcome.exitCode == 75 && outcome.errorLines.isEmpty, "\(outcome)")
        let warnings = outcome.errors.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("warning: ") }
        #expect(warnings.filter { $0.contains("directory was renamed from run to /") }.count == 1, "\(outcome)")
        #expect(outcome.output.contains("/gone/checkpoints/step-"), "\(outcome)")
        let (first, second) = (try identity(workspace, "gone/run.json"), try identity(workspace, "run/run.json"))
        #expect(first != nil && second != nil && first != second)
        #expect(try runsOfCheckpoints(workspace, "gone") == [first])
        #expect(try runsOfCheckpoints(workspace, "run") == [second])
        #expect(try workspace.metrics("run").last == undisturbed)
        for run in ["gone", "run"] {
          #expect(try workspace.program(["inspect", run], ranks: nil).exitCode == 0)
          #expect(!FileManager.default.fileExists(atPath: workspace.path("\(run)/heartbeat")))
        }
      }
    }

    @Test(arguments: [1, 3])
    func aRemovedRunEndsTheJob(ranks: Int) throws {
      try Workspace.run { workspace in
        let script = "await '[ $(saved) -ge 1 ]'; until rm -rf $run 2>/dev/null; do :; done; wait $job"
        let outcome = try workspace.job("run", ranks: ranks, often, doing: script)
        #expect(outcome.exitCode == 74, "\(outcome)")
        let errors = outcome.errorLines.filter { $0.contains("error: ") }
        #expect(errors.count == 1 && errors[0].contains("the run's directory is gone — expected "), "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: workspace.path("run")))
        #expect(try workspace.processesThatStay(with: workspace.path("run")) == [])
      }
    }

    @Test(arguments: [1, 3])
    func aCheckpointOfAnotherRunIsRefusedByName(ranks: Int) throws {
      try Workspace.run { workspace in
        try workspace.train("run", ranks: nil)
        try workspace.train("other", ["--steps", "15"], ranks: nil)
        try workspace.copy(checkpoint("other", step: 15), to: checkpoint("run", step: 15))
        let before = try workspace.contents("run")
        let words = [
          "checkpoint of another run — expected run \(try #require(try identity(workspace, "run/run.json"))), got run "
            + (try #require(try identity(workspace, "other/run.json"))), checkpoint("run", step: 15),
        ]
        for command in [
          ["train", "--config", "small.yaml", "--run", "run", "--steps", "20"], ["evaluate", "run"], ["verify", "run"],
          ["evaluate", "run", "--best"], ["inspect", "run"],
        ] {
          try workspace.expectRefusal(command, exitCode: 65, words, hint: "move it out of run", ranks: [ranks])
        }
        #expect(try workspace.contents("run") == before)
      }
    }

    /// A checkpoint of before there were identities names no run: its configuration says that it is not this run's.
    @Test(arguments: [1, 3])
    func aCheckpointOfAnotherConfigurationIsRefusedByName(ranks: Int) throws {
      try Workspace.run { workspace in
        try workspace.train("run", ranks: nil)
        try workspace.train("other", ["--steps", "15", "--set", "model.hidden=5"], ranks: nil)
        try workspace.makeOld("other", steps: [15])
        try workspace.copy(checkpoint("other", step: 15), to: checkpoint("run", step: 15))
        for command in [
          ["train", "--config", "small.yaml", "--run", "run", "--steps", "20"], ["evaluate", "run"], ["verify", "run"],
        ] {
          try workspace.expectRefusal(
            command, exitCode: 65,
            ["checkpoint of another configuration — expected model.hidden 12 as in the run, got 5"],
            hint: "move the checkpoint out of run", ranks: [ranks])
        }
      }
    }

    @Test(arguments: [1, 3])
    func aRunOfAnOlderProgramGetsAnIdentityAndGoesOn(ranks: Int) throws {
      try Workspace.run { workspace in
        let last = try workspace.train("undisturbed", ["--steps", "20"], ranks: nil)
        try workspace.train("run", ranks: nil)
        try workspace.makeOld("run", steps: [12])
        #expect(try runsOfCheckpoints(workspace, "run") == [nil])
        #expect(try workspace.program(["evaluate", "run"], ranks: ranks).exitCode == 0)
        #expect(try workspace.train("run", ["--steps", "20"], ranks: ranks) == last)
        let identity = try #require(try identity(workspace, "run/run.json"))
        #expect(try runsOfCheckpoints(workspace, "run") == [nil, identity])
      }
    }

    @Test(arguments: [1, 3])
    func anArgumentThatIsNotUTF8IsShownWithItsBytes(ranks: Int) throws {
      try Workspace.run { workspace in
        let command = "exec mpirun --oversubscribe --timeout 60 -np \(ranks) \"$program\" train --run $'r\\xe9n\\xff'"
        let outcome = try Launcher.run(
          ["bash", "-c", command], environment: ["program": Launcher.builtExecutable("lstm-dist").path],
          workingDirectory: workspace.url)
        #expect(outcome.exitCode == 64, "\(outcome)")
        let errors = outcome.errorLines.filter { $0.contains("error: ") }
        #expect(
          errors.count == 1 && errors[0].contains(#"argument 3 cannot be used — expected UTF-8, got "r\xe9n\xff""#),
          "\(outcome)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.url.path).count == 2)
      }
    }
  }
}

extension Workspace {
  /// Makes a run as it was before there were identities.
  fileprivate func makeOld(_ run: String, steps: [Int]) throws {
    try remove("\(run)/run.json")
    let lines = try metricsLines(run).filter { !$0.hasPrefix(#"{"event":"run""#) }
    try put(lines.map { $0 + "\n" }.joined(), "\(run)/metrics.jsonl")
    for step in steps {
      let manifest = "\(checkpoint(run, step: step))/manifest.json"
      var text = try text(manifest)
      let member = try #require(text.range(of: #","run":"[0-9a-f]{32}""#, options: .regularExpression))
      text.removeSubrange(member)
      try putSealed(text, manifest)
    }
  }
}
