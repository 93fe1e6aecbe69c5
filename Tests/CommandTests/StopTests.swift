import Foundation
import TestSupport
import TestTraits
import Testing

extension Commands {
  /// Runs that are asked to stop: they end with a checkpoint of the last step and exit code 75.
  struct StopTests {
    private func expectStop(
      _ outcome: Outcome, _ workspace: Workspace, _ run: String, reason: String,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      #expect(outcome.exitCode == 75 && outcome.errorLines.isEmpty, "\(outcome)", sourceLocation: sourceLocation)
      let step = try workspace.lastStep(run)
      let lines = outcome.output.split(whereSeparator: \.isNewline).filter { $0.contains("stopped after step") }
      #expect(
        lines.count == 1 && lines[0].contains("stopped after step \(step) (\(reason)"), "\(outcome)",
        sourceLocation: sourceLocation)
      let found = try workspace.contents(run).keys
      #expect(found.contains(checkpoint("checkpoints", step: step).dropFirst("checkpoints/".count).description))
      #expect(!found.contains("heartbeat") && !found.contains("stop"), "\(found)", sourceLocation: sourceLocation)
    }

    /// Preempted again and again, with another signal at another rank of another number of ranks: the same bits.
    @Test func aSignalToAnyRankStopsAllInTheSameStep() throws {
      try Workspace.run { workspace in
        for (signal, rank, ranks) in [("TERM", 0, nil), ("USR2", 2, 3), ("INT", 1, 2), ("USR1", 3, 4)] as [(_, _, Int?)]
        {
          let outcome = try workspace.job("run", ranks: ranks, doing: "kill -\(signal) $(rank \(rank)); wait $job")
          try expectStop(outcome, workspace, "run", reason: "SIG\(signal) at rank ")
        }
        let total = ["--steps", "\(try workspace.lastStep("run") + 3)", "--set", "training.evaluateEvery=0"]
        let last = try workspace.train("run", total, ranks: 3)
        #expect(try workspace.train("undisturbed", total, ranks: nil) == last)
      }
    }

    @Test func mpirunPassesASignalAndTheCodeOn() throws {
      try Workspace.run { workspace in
        let outcome = try workspace.job("run", ranks: 3, doing: "kill -USR1 $job; wait $job")
        // It comes to all ranks, to one of them first.
        try expectStop(outcome, workspace, "run", reason: "SIGUSR1 at rank ")
      }
    }

    /// Open MPI kills its ranks a second after it was told to end: what stands then is whole.
    @Test(arguments: ["TERM", "INT"])
    func whateverMPIRunLeavesTimeForNothingIsDamaged(signal: String) throws {
      try Workspace.run { workspace in
        let settings = ["--set", "training.checkpointEvery=3"]
        let outcome = try workspace.job(
          "run", ranks: 2, settings,
          doing: """
            await '[ $(saved) -ge 1 ]'
            kill -\(signal) $job; wait $job
            """)
        #expect(outcome.exitCode != 0, "\(outcome)")
        let again = try workspace.job("run", ranks: nil, settings, doing: "kill -TERM $job; wait $job")
        #expect(again.output.contains("resuming run after step ") && !again.errors.contains("damaged"), "\(again)")
        try expectStop(again, workspace, "run", reason: "SIGTERM at rank 0")
      }
    }

    /// Steps of this model take some tenths of a second, so that the second signal comes before the first has an
    /// effect, and as soon as the first was caught: two that wait would be one.
    @Test func aSecondInterruptEndsAtOnce() throws {
      try Workspace.run { workspace in
        let script = """
          "$program" "$@" > out & job=$!
          until grep -q "run directory" out; do sleep 0.02; done
          catches() { (( 0x$(awk '/^SigCgt/ { print $2 }' /proc/$job/status) & 1 << ($(kill -l INT) - 1) )); }
          kill -INT $job; while catches; do :; done; kill -INT $job; wait $job
          """
        let outcome = try Launcher.run(
          ["bash", "-mc", script, "job", "train", "--config", "small.yaml", "--run", "run"]
            + ["--set", "model.hidden=700", "--set", "batch.steps=100"],
          environment: ["program": Launcher.builtExecutable("lstm-dist").path, "run": "run"],
          workingDirectory: workspace.url)
        #expect(outcome.exitCode == 128 + 2, "\(outcome)")
        #expect(!(try workspace.text("out")).contains("stopped after"), "\(outcome)")
      }
    }

    /// Here it waits for another job to leave the run's directory, with nothing to save.
    @Test(arguments: [nil, 3])
    func aStopBeforeTheRunBeginsEndsAtOnce(ranks: Int?) throws {
      try Workspace.run { workspace in
        let launcher = ranks.map { "mpirun --oversubscribe --timeout 60 -np \($0) " } ?? ""
        let outcome = try workspace.job(
          "run", ranks: nil,
          doing: """
            \(launcher)"$program" train --config small.yaml --run run & second=$!
            processes() { \(ranks == nil ? "echo $second" : "cat /proc/$second/task/*/children"); }
            caught() { for p in $(processes); do awk '/^SigCgt/ { print substr($2, 14, 1) }' /proc/$p/status; done; }
            await '[ $(caught | grep -c "[2367abef]") -eq \(ranks ?? 1) ]'
            kill -USR1 $second; wait $second; code=$?
            kill -KILL $job; exit $code
            """)
        #expect(outcome.exitCode == 75 && outcome.errorLines.isEmpty, "\(outcome)")
        #expect(outcome.errors.contains("SIGUSR1: stopped before the first step\n"), "\(outcome)")
      }
    }

    /// Of a job whose first action it is, too: the run has its steps, but not the evaluation at its end.
    @Test(.mostlySleeps) func anEvaluationIsAbandonedForALimit() throws {
      try Workspace.run { workspace in
        for step in [1, 2, 2] {
          let outcome = try workspace.program(
            ["train", "--config", "small.yaml", "--run", "run", "--steps", "2", "--time-limit", "1"], ranks: 2)
          try expectStop(outcome, workspace, "run", reason: "the time limit")
          #expect(try workspace.lastStep("run") == step)
        }
        #expect(try workspace.metrics("run").allSatisfy { $0.event != "evaluated" })
      }
    }

    @Test(arguments: [nil, 3])
    func aStopFileStopsOneJob(ranks: Int?) throws {
      try Workspace.run { workspace in
        let outcome = try workspace.job("run", ranks: ranks, doing: "touch $run/stop; wait $job")
        try expectStop(outcome, workspace, "run", reason: "the stop file")
        // One that lay there before is not meant for the new job.
        try workspace.put("", "run/stop")
        let next = try workspace.program(
          ["train", "--config", "small.yaml", "--run", "run", "--steps", "\(try workspace.lastStep("run") + 2)"]
            + ["--set", "training.evaluateEvery=0"], ranks: ranks)
        #expect(next.exitCode == 0 && next.errors.contains("notice: removed a stop file"), "\(next)")
        #expect(try !workspace.contents("run").keys.contains("stop"))
      }
    }

    /// A step of this model takes some seconds at the least, and the stop comes in its middle, to one rank alone.
    /// Parts of the gradient may have set out.
    @Test(
      arguments: [
        (nil, "auto", "reproducible"), (3, "auto", "reproducible"), (3, "off", "reproducible"), (2, "off", "mpi"),
      ] as [(Int?, String, String)])
    func aStopDoesNotWaitForTheStepUnderWay(ranks: Int?, sharedMemory: String, reduction: String) throws {
      try Workspace.run { workspace in
        let launcher = ranks.map { "mpirun --oversubscribe --timeout 100 -np \($0) " } ?? ""
        let script = """
          \(launcher)"$program" "$@" & job=$!
          until [ -e run/config.yaml ]; do sleep 0.02; done
          sleep 1
          kill -USR1 \(ranks == nil ? "$job" : "$(cat /proc/$job/task/*/children | tr ' ' '\\n' | sort -n | tail -n 1)")
          wait $job
          """
        let outcome = try Launcher.run(
          ["bash", "-c", script, "job", "train", "--run", "run", "--set", "model.hidden=600"]
            + ["--set", "batch.sequences=640", "--set", "batch.steps=400", "--set", "batch.accumulate=20"]
            + ["--set", "distributed.sharedMemory=\(sharedMemory)", "--set", "distributed.reduction=\(reduction)"],
          environment: ["program": Launcher.builtExecutable("lstm-dist").path], workingDirectory: workspace.url,
          timeoutSeconds: 120)
        #expect(outcome.exitCode == 75, "\(outcome)")
        #expect(outcome.output.contains("stopped after step 0 (SIGUSR1 at rank \((ranks ?? 1) - 1))"), "\(outcome)")
        // Whoever is told of it answers once, before the stop.
        let answers = (outcome.output + outcome.errors).components(
          separatedBy: ranks == nil ? "SIGUSR1: stopping" : "stopping: SIGUSR1")
        #expect(answers.count == 2, "\(outcome)")
        #expect(try workspace.contents("run/checkpoints").keys.contains("step-00000000/manifest.json"), "\(outcome)")
      }
    }

    /// In the middle of steps at which sequences begin anew, averages begin, and weights are dropped: each checkpoint is
    /// byte for byte the one that an undisturbed training has after the same step.
    @Test(arguments: [nil, 3])
    func anAbandonedStepLeavesNoTrace(ranks: Int?) throws {
      try Workspace.run { workspace in
        let settings = [
          "model.hidden=300", "batch.steps=60", "model.weightDropout=0.3", "checkpoint.keepLast=0",
          "optimizer.average=from-step", "optimizer.averageFrom=5",
        ]
        .flatMap { ["--set", $0] }
        for delay in ["0", "0.13", "0.29", "0.37"] {
          let outcome = try workspace.job(
            "run", ranks: ranks, settings, doing: "sleep \(delay); kill -USR2 $(rank 0); wait $job")
          try expectStop(outcome, workspace, "run", reason: "SIGUSR2 at rank 0")
        }
        let steps = try workspace.checkpointSteps("run").filter { $0 > 0 }
        #expect(steps.count == 4)
        for step in steps {
          let outcome = try workspace.program(["verify", "run", "--from", "0", "--to", "\(step)"], ranks: 2)
          #expect(outcome.exitCode == 0, "step \(step): \(outcome)")
        }
      }
    }

    // MARK: Time

    @Test(.mostlySleeps, arguments: [nil, 2])
    func aJobStopsBeforeItsTimeIsOver(ranks: Int?) throws {
      try Workspace.run { workspace in
        let limited = try workspace.job("run", ranks: ranks, ["--time-limit", "2s"], doing: "wait $job")
        try expectStop(limited, workspace, "run", reason: "the time limit")
      }
    }

    @Test(.mostlySleeps, arguments: [nil, 2], ["SLURM_JOB_END_TIME", "PBS_WALLTIME"])
    func aJobStopsBeforeTheSchedulersEnd(ranks: Int?, variable: String) throws {
      try Workspace.run { workspace in
        // Time enough for the job to begin before it is over, on a busy machine too.
        let time = variable == "PBS_WALLTIME" ? 8 : Int(Date().timeIntervalSince1970) + 8
        let scheduled = try workspace.job(
          "run", ranks: ranks, environment: ["PBS_WALLTIME": "1000"].merging([variable: "\(time)"]) { $1 },
          session: true, doing: "wait $job")
        try expectStop(scheduled, workspace, "run", reason: "the scheduler's end")
      }
    }

    /// PBS counts from the start of the job, not of the command: here the time is over before the command begins.
    @Test(.mostlySleeps) func aWallTimeCountsFromTheStartOfTheSession() throws {
      try Workspace.run { workspace in
        let outcome = try Launcher.run(
          ["setsid", "--wait", "bash", "-c", #"sleep 2; "$program" train --config small.yaml --run run; exit $?"#],
          environment: ["program": Launcher.builtExecutable("lstm-dist").path, "PBS_WALLTIME": "2"],
          workingDirectory: workspace.url)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.errors.contains("warning: PBS_WALLTIME is not heeded"), "\(outcome)")
      }
    }

    /// However short the time is, a job gets on.
    @Test(.mostlySleeps) func thereIsAlwaysAStep() throws {
      try Workspace.run { workspace in
        for step in 1...3 {
          let outcome = try workspace.program(
            ["train", "--config", "small.yaml", "--run", "run", "--time-limit", "1"], ranks: 2)
          try expectStop(outcome, workspace, "run", reason: "the time limit")
          #expect(try workspace.lastStep("run") == step)
        }
      }
    }

    @Test(arguments: ["soon", "", "-5", "99999999999999999999", "17"])
    func aTimeThatMakesNoSenseIsNotHeeded(text: String) throws {
      try Workspace.run { workspace in
        let outcome = try Launcher.run(
          "lstm-dist", ["train", "--config", "small.yaml"], ranks: nil, environment: ["SLURM_JOB_END_TIME": text],
          workingDirectory: workspace.url)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.errors.contains("warning: SLURM_JOB_END_TIME is not heeded"), "\(outcome)")
      }
    }
  }
}
