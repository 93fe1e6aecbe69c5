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

    /// A value of each key that is not its default, with the settings of both ranks under which it may be set. No data
    /// are needed: they are read later.
    private static let otherValues: [(settings: [String], setting: String)] = {
      let text = ["data.path=x"]
      let classes = ["task=classification", "data.path=x", "data.validation=0"]
      let table = ["task=classification", "data.path=x.csv"]
      let sound = classes + ["data.files={class}/*.wav"]
      let numbers = ["task=forecasting", "data.path=x.csv"]
      let everyStep = ["training.checkpointEvery=7"]
      return [
        ([], "task=copy"), (classes, "data.source=series"), (text, "data.path=y"),
        (classes, "data.files={class}_*.txt"), (table, "data.textColumn=a"), (table, "data.labelColumn=a"),
        (text, "data.tokens=bytes"), (text, "data.vocabulary=77"), (text + ["data.tokens=words"], "data.lineEnds=true"),
        (text, "data.validation=0.25"), (classes, "data.heldOut=a*"), (classes + ["data.folds=2"], "data.folds=3"),
        (classes + ["data.folds=3"], "data.fold=1"), ([], "data.trainingStrings=9"), ([], "data.heldOutStrings=9"),
        (["task=temporal-order"], "data.relevantSymbols=3"), (["task=copy"], "data.variant=2b"),
        (["task=copy"], "data.symbols=51"), (["task=adding"], "data.shortest=51"), (numbers, "data.columns=a,b"),
        (numbers, "data.target=a"), (numbers, "data.missing=mean"), (numbers, "data.horizon=2"),
        (numbers, "data.season=7"), (sound, "audio.bands=41"), (sound, "audio.window=0.03"),
        (sound, "audio.hop=0.02"), (sound, "audio.noise=0.5"), (sound, "audio.shift=0.5"), ([], "model.embedding=9"),
        (text + ["data.tokens=words"], "model.vectors=v.txt"), ([], "model.hidden=33"), ([], "model.layers=3"),
        (classes, "model.bidirectional=true"), (classes, "model.pooling=mean"), ([], "model.dropout=0.5"),
        (["model.embedding=32"], "model.tied=true"), (text, "model.adaptiveSoftmax=10,20"),
        (text + ["model.adaptiveSoftmax=10,20"], "model.adaptiveFactor=2"), ([], "model.dropoutMask=sequence"),
        ([], "model.weightDropout=0.5"), ([], "model.embeddingDropout=0.5"), ([], "model.activationPenalty=2"),
        ([], "model.temporalPenalty=2"), ([], "model.initialization=xavier"), ([], "model.forgetBias=0.5"),
        ([], "model.inputBias=-1"), ([], "batch.sequences=33"), ([], "batch.steps=33"), (text, "batch.jitter=5"),
        ([], "batch.shards=7"), ([], "batch.accumulate=2"), (text, "batch.reset=0.5"), ([], "optimizer.name=adamw"),
        ([], "optimizer.learningRate=0.003"), ([], "optimizer.clip=2"), ([], "optimizer.clipBy=element"),
        ([], "optimizer.beta1=0.8"), ([], "optimizer.beta2=0.98"), ([], "optimizer.epsilon=1e-7"),
        (["optimizer.name=sgd"], "optimizer.momentum=0.9"),
        (["optimizer.name=sgd", "optimizer.momentum=0.9"], "optimizer.nesterov=true"),
        ([], "optimizer.weightDecay=0.1"), ([], "optimizer.average=from-step"),
        (["optimizer.average=from-step"], "optimizer.averageFrom=6"),
        (["optimizer.average=non-monotonic"], "optimizer.averagePatience=7"), ([], "schedule.name=step"),
        ([], "schedule.warmUp=7"), (["schedule.name=step"], "schedule.every=7"),
        (["schedule.name=step"], "schedule.factor=0.1"), (["schedule.name=cosine"], "schedule.begin=7"),
        (["schedule.name=cosine"], "schedule.end=7777"),
        (["schedule.name=plateau"], "schedule.patience=7"), (["schedule.name=step"], "schedule.floor=0.1"),
        (everyStep, "training.steps=77"), (everyStep, "training.evaluateEvery=77"), ([], "training.checkpointEvery=77"),
        ([], "training.timeLimit=90m"), ([], "training.recompute=auto"), ([], "training.patience=7"),
        (everyStep, "checkpoint.interval=7m"), (everyStep + ["checkpoint.interval=7m"], "checkpoint.overhead=0.07"),
        ([], "checkpoint.keepLast=7"),
        ([], "checkpoint.keepBest=false"), ([], "checkpoint.keepEvery=7"), ([], "nonFinite.policy=skip"),
        ([], "nonFinite.skips=7"), ([], "nonFinite.rollbacks=7"), ([], "nonFinite.learningRateFactor=0.1"),
        ([], "nonFinite.dumps=7"), ([], "seed=7"), ([], "distributed.reduction=mpi"),
        ([], "distributed.sharedMemory=off"), ([], "distributed.embedding=dense"), ([], "watchdog.seconds=7"),
        ([], "verify.every=7"), ([], "paranoid=true"),
      ]
    }()

    private func key(_ setting: String) -> String { String(setting.split(separator: "=")[0]) }

    @Test func everyKeyHasARowInTheTableOfTheseTests() {
      #expect(Self.otherValues.map { key($0.setting) }.sorted() == ConfigurationKey.all.map(\.name).sorted())
    }

    @Test func everyKeyThatDiffersIsTheFirstThatIsNamed() throws {
      for (settings, setting) in Self.otherValues {
        let one = try Configuration.load(overrides: settings.map { try .init(set: $0) })
        let other = try Configuration.load(overrides: (settings + [setting]).map { try .init(set: $0) })
        #expect(zip(one.values, other.values).first { $0.value != $1.value }?.0.key == key(setting))
      }
    }

    @Test func ranksWithAnotherValueOfAnyKeyThatChangesTheResultAreRefusedByItsName() throws {
      try Workspace.run { workspace in
        for (settings, setting) in Self.otherValues {
          let row = try #require(ConfigurationKey.all.first { $0.name == key(setting) })
          if row.mayChangeOnResume { continue }
          let one = try Configuration.load(overrides: settings.map { try .init(set: $0) })
          let other = try Configuration.load(overrides: (settings + [setting]).map { try .init(set: $0) })
          let words = { (settings: [String]) in [Self.program, "train"] + settings.flatMap { ["--set", $0] } }
          let (expected, got) = (one.text(ofKey: row.name)!, other.text(ofKey: row.name)!)
          try expectRefusal(
            [words(settings), words(settings + [setting])],
            "error: ranks disagree about \(row.name) — expected \(expected) as on rank 0, got \(got) on rank 1",
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
