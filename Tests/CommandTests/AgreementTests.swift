import Configuration
import Foundation
import TestSupport
import Testing

extension Commands {
  /// Ranks that were started with different programs, commands, settings or data are refused before anything is
  /// computed: in seconds, by name, with exit code 78, once.
  struct AgreementTests {
    private static let program = Launcher.builtExecutable("lstm-dist").path

    /// Runs one rank for each list of words, the program included, in one job.
    private func job(_ ranks: [[String]], in workspace: Workspace) throws -> Outcome {
      let parts = ranks.map { ["-np", "1"] + $0 }.joined(separator: [":"])
      return try Launcher.run(
        ["mpirun", "--oversubscribe", "--timeout", "30"] + parts, workingDirectory: workspace.url)
    }

    private func expectRefusal(
      _ ranks: [[String]], _ error: String, in workspace: Workspace, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let before = try workspace.contents()
      let outcome = try job(ranks, in: workspace)
      #expect(outcome.jobExitCode == 78, "\(ranks): \(outcome)", sourceLocation: sourceLocation)
      #expect(outcome.errorLines == [error], "\(ranks): \(outcome)", sourceLocation: sourceLocation)
      #expect(outcome.output.isEmpty, "\(ranks): \(outcome)", sourceLocation: sourceLocation)
      #expect(try workspace.contents() == before, "\(ranks)", sourceLocation: sourceLocation)
    }

    // MARK: The configuration

    @Test(arguments: 0..<4)
    func ranksWithAnotherValueOfAnyKeyThatChangesTheResultAreRefusedByItsName(quarter: Int) throws {
      try Workspace.run { workspace in
        for (index, example) in KeyExample.all.enumerated()
        where index % 4 == quarter && !example.key.mayChangeOnResume {
          let (one, other) = (example.settings, example.settings + [example.setting])
          let words = { (settings: [String]) in [Self.program, "train"] + settings.flatMap { ["--set", $0] } }
          let name = example.key.name
          let expected = try #require(try Configuration.resolved(one).text(ofKey: name))
          let got = try #require(try Configuration.resolved(other).text(ofKey: name))
          try expectRefusal(
            [words(one), words(other)],
            "error: ranks disagree about \(name) — expected \(expected) as on rank 0, got \(got) on rank 1",
            in: workspace)
        }
      }
    }

    @Test func theRankThatDiffersFromMostIsNamed() throws {
      try Workspace.run { workspace in
        let words = [Self.program, "train", "--steps", "5", "--run", "run"]
        try expectRefusal(
          [words, words, words + ["--set", "optimizer.learningRate=0.003"]],
          "error: ranks disagree about optimizer.learningRate — expected 0.005 as on rank 0, got 0.003 on rank 2",
          in: workspace)
        try expectRefusal(
          [words + ["--seed", "3"], words, words],
          "error: ranks disagree about seed — expected 1 as on rank 1, got 3 on rank 0", in: workspace)
      }
    }

    // MARK: What is no key

    @Test func ranksWithOtherFlagsCommandsOrArgumentsAreRefused() throws {
      try Workspace.run { workspace in
        let train = [Self.program, "train", "--run", "a"]
        for (one, other, error) in [
          (train, [Self.program, "train", "--run", "b"], "--run — expected a as on rank 0, got b on rank 1"),
          (train, train + ["--fresh"], "--fresh — expected false as on rank 0, got true on rank 1"),
          (train, train + ["--trace", "t"], #"--trace — expected "" as on rank 0, got t on rank 1"#),
          // Equal strings of other bytes.
          (
            train + ["--trace", "caf\u{e9}"], train + ["--trace", "cafe\u{301}"],
            "--trace — expected caf\u{e9} as on rank 0, got cafe\u{301} on rank 1"
          ),
          (
            train, [Self.program, "evaluate", "a"], "the command — expected train as on rank 0, got evaluate on rank 1"
          ),
          (
            [Self.program, "evaluate", "a"], [Self.program, "evaluate", "b"],
            "the arguments — expected a as on rank 0, got b on rank 1"
          ),
          (
            [Self.program, "sample", "a"], [Self.program, "sample", "a", "--seed", "3"],
            "--seed — expected nothing as on rank 0, got 3 on rank 1"
          ),
          (
            [Self.program, "predict", "a", "b c"], [Self.program, "predict", "a", "b", "c"],
            "the arguments — expected a 'b c' as on rank 0, got a b c on rank 1"
          ),
          (
            [Self.program, "verify", "a", "--set", "b", "--set", "c"], [Self.program, "verify", "a", "--set", "b, c"],
            "--set — expected b --set c as on rank 0, got 'b, c' on rank 1"
          ),
          (
            [Self.program, "bench", "step", "--hidden", "8"], [Self.program, "bench", "step", "--hidden=16"],
            "--hidden — expected 8 as on rank 0, got 16 on rank 1"
          ),
          (
            [Self.program, "--help"], [Self.program, "train"],
            "the command — expected --help as on rank 0, got train on rank 1"
          ),
        ] {
          try expectRefusal([one, other], "error: ranks disagree about " + error, in: workspace)
        }
      }
    }

    /// A rank that has nothing to compare, because its arguments make no sense, keeps no other waiting.
    @Test(arguments: [0, 1]) func aRankWithImpossibleArgumentsEndsTheJobWithItsOwnError(rank: Int) throws {
      try Workspace.run { workspace in
        for wrong in [["train", "--nonsense"], ["sample", "a", "--top-k", "0"], ["nonsense"]] {
          var ranks = [[Self.program, "train"], [Self.program, "train"]]
          ranks[rank] = [Self.program] + wrong
          let outcome = try job(ranks, in: workspace)
          #expect(outcome.jobExitCode == 64 && outcome.errorLines.count == 1, "\(wrong): \(outcome)")
        }
      }
    }

    @Test func aRankWithAnotherProgramIsRefused() throws {
      try Workspace.run { workspace in
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Self.program))
        for (name, added) in [("same", []), ("other", [UInt8(0)])] {
          try (bytes + Data(added)).write(to: workspace.url.appendingPathComponent(name))
          try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: workspace.path(name))
        }
        let train = ["train", "--steps", "1", "--run", "run"]
        let refused = try job([[Self.program] + train, [workspace.path("other")] + train], in: workspace)
        #expect(refused.jobExitCode == 78 && refused.errorLines.count == 1, "\(refused)")
        #expect(
          refused.errorLines.first?.contains(
            try Regex(
              "^error: ranks disagree about the program — expected [0-9a-f]{16} as on rank 0, got [0-9a-f]{16} on rank 1$"
            )) == true, "\(refused)")
        // A copy is the same program.
        let trained = try job([[Self.program] + train, [workspace.path("same")] + train], in: workspace)
        #expect(trained.exitCode == 0, "\(trained)")
      }
    }

    // MARK: The launcher

    /// The variables are those that SLURM 22.05 was seen to set.
    @Test func tasksOfSRunThatDoNotFindEachOtherAreRefusedOnce() throws {
      try Workspace.run { workspace in
        let train = ["train", "--steps", "1", "--run", "run"]
        func task(_ rank: Int, of size: Int) throws -> Outcome {
          let step = ["SLURM_JOB_ID": "1", "SLURM_NTASKS": "\(size)", "SLURM_STEP_NUM_TASKS": "\(size)"]
          let own = ["SLURM_PROCID": "\(rank)", "SLURM_STEP_ID": "0", "SLURM_STEPID": "0"]
          return try workspace.program(train, ranks: nil, environment: step.merging(own) { $1 })
        }
        let first = try task(0, of: 3)
        #expect(first.exitCode == 78, "\(first)")
        #expect(
          first.errorLines == [
            "error: ranks do not find each other — expected one world of 3 ranks, as many as the launcher started, got "
              + "worlds of 1"
          ], "\(first)")
        #expect(first.errors.contains("hint: srun --mpi=pmix, or mpirun"), "\(first)")
        let second = try task(1, of: 3)
        #expect(second.exitCode == 78 && second.errors.isEmpty && second.output.isEmpty, "\(second)")
        #expect(!FileManager.default.fileExists(atPath: workspace.path("run")))
        #expect(try task(0, of: 1).exitCode == 0)
      }
    }

    /// A batch script has the tasks of its job, but is not one of several.
    @Test(arguments: [nil, 2]) func aBatchScriptMayStartTheProgramAloneOrByMPIRun(ranks: Int?) throws {
      try Workspace.run { workspace in
        let script = ["SLURM_JOB_ID": "1", "SLURM_NTASKS": "3", "SLURM_PROCID": "0"]
        let outcome = try workspace.program(
          ["train", "--steps", "1", "--run", "run"], ranks: ranks, environment: script)
        #expect(outcome.exitCode == 0, "\(outcome)")
      }
    }
  }
}
