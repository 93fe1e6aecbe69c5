import Files
import Foundation
import TestSupport
import Testing

extension Commands {
  /// `--ranks n`: the program starts mpirun itself.
  struct LauncherTests {
    private static let ranks = ["--ranks", "3"]
    private static let program = Launcher.builtExecutable("lstm-dist").path

    /// `mpirun_of_job` is what the launcher has started, `rank_of_job N` one of its ranks.
    private static let processes = """
      children() { cat /proc/$1/task/*/children 2>/dev/null | tr ' ' '\\n' | sort -n | grep .; }
      mpirun_of_job() { children $job; }
      rank_of_job() { children $(mpirun_of_job) | sed -n "$(($1 + 1))p"; }

      """

    /// The training that takes for ever, with `--ranks 3`; `$job` is the launcher.
    private func job(
      _ workspace: Workspace, _ run: String, _ arguments: [String] = [], doing script: String
    ) throws -> Outcome {
      try workspace.job(run, ranks: nil, Self.ranks + arguments, doing: Self.processes + script)
    }

    private func expectStop(_ outcome: Outcome, _ workspace: Workspace, _ run: String, signal: String) throws {
      #expect(outcome.exitCode == 75 && outcome.errorLines.isEmpty, "\(outcome)")
      let step = try workspace.lastStep(run)
      #expect(outcome.output.contains("stopped after step \(step) "), "\(outcome)")
      #expect(
        try workspace.contents("\(run)/checkpoints").keys.contains(
          checkpoint("", step: step).split(separator: "/").last!.description))
      #expect(
        outcome.errors.contains(
          "\(signal): stopping; a second signal ends the job at once\n"), "\(outcome)")
      #expect(try workspace.processesThatStay(with: run) == [])
    }

    // MARK: The same as mpirun

    @Test func everyCommandDoesWhatItDoesUnderMPIRun() throws {
      try Workspace.run { workspace in
        let train = [
          "train", "--config", "small.yaml", "--set", "verify.every=4", "--set", "training.checkpointEvery=6",
        ]
        let launched = try workspace.program(train + ["--run", "launched"] + Self.ranks, ranks: nil)
        let plain = try workspace.program(train + ["--run", "run"], ranks: 3)
        #expect(launched.exitCode == 0 && plain.exitCode == 0, "\(launched) \(plain)")
        #expect(try workspace.metrics("launched") == workspace.metrics("run"))
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
          .appendingPathComponent("LSTMTests/Fixtures/two-layers.input.safetensors").path
        for command in [
          ["evaluate", "run"], ["sample", "run", "--length", "30"], ["inspect", "run"], ["verify", "run"],
          ["gradients", "--input", fixture, "--output", "out.safetensors"], ["evaluate", "--help"],
          // Errors: wrong use, bad data, no such file, wrong configuration.
          ["evaluate", "run", "--nonsense"], ["evaluate", "run", "--data", "empty.txt"], ["inspect", "nothing"],
          ["train", "--config", "small.yaml", "--set", "model.hiden=3"],
          ["train", "--config", "small.yaml", "--set", "batch.sequences=2"],
        ] {
          try workspace.put("", "empty.txt")
          let launched = try workspace.program(command + Self.ranks, ranks: nil)
          let plain = try workspace.program(command, ranks: 3)
          #expect(launched.exitCode == plain.exitCode, "\(command) \(launched) \(plain)")
          #expect(launched.output == plain.output, "\(command)")
          #expect(launched.errorLines == plain.errorLines, "\(command) \(launched) \(plain)")
          #expect(!launched.errors.contains("-----") && !launched.errors.contains("MPI_ABORT"), "\(launched)")
        }
        let bench = try workspace.program(
          ["bench", "step", "--hidden", "8", "--steps", "4", "--rounds", "1"] + Self.ranks, ranks: nil)
        #expect(bench.exitCode == 0 && bench.output.contains(" 3 ranks\n"), "\(bench)")
      }
    }

    @Test func rankZeroReadsTheInputOfTheLauncher() throws {
      try Workspace.run { workspace in
        try LabelledFixture.texts.write(workspace)
        try workspace.output(
          ["train", "--config", "classifier.yaml", "--run", "run"] + LabelledFixture.texts.settings, ranks: nil)
        let outcomes = try ["", "--ranks 3"].map { ranks in
          try Launcher.run(
            ["bash", "-c", "printf 'ab été\\nba c\\n' | $program predict run \(ranks)"],
            environment: ["program": Self.program], workingDirectory: workspace.url)
        }
        #expect(outcomes[0].output.split(separator: "\n").count == 2, "\(outcomes[0])")
        #expect(outcomes[1].exitCode == 0 && outcomes[1].output == outcomes[0].output, "\(outcomes)")
        let terminal = try Terminal()
        let job = try Job(
          [Self.program, "predict", "run"] + Self.ranks, workingDirectory: workspace.url, terminal: terminal)
        // Ctrl-D ends the input.
        terminal.type("ab été\nba c\n\u{4}")
        terminal.readToEnd()
        #expect(try job.wait().exitCode == 0)
        for line in outcomes[0].output.split(separator: "\n") { #expect(terminal.text.contains(line)) }
      }
    }

    // MARK: Signals

    @Test(arguments: ["INT", "TERM", "HUP", "XCPU", "USR2"])
    func theFirstSignalStopsATraining(signal: String) throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        let outcome = try job(workspace, run, doing: "kill -\(signal) $job; wait $job")
        try expectStop(outcome, workspace, run, signal: "SIG\(signal)")
      }
    }

    /// MPI is not up yet, perhaps not even mpirun is.
    @Test func aSignalBeforeThereAreRanksIsNotLost() throws {
      try Workspace.run { workspace in
        let outcome = try Launcher.run(
          [
            "bash", "-c",
            "$program train --config small.yaml --run run --steps 1000000000 --ranks 3 & job=$!; "
              + "until grep -q SigBlk.*814a07 /proc/$job/status; do :; done; kill -TERM $job; wait $job",
          ],
          environment: ["program": Self.program], workingDirectory: workspace.url)
        #expect(outcome.exitCode == 75, "\(outcome)")
        // A rank that has no step to save says nothing.
        #expect(outcome.errors == "SIGTERM: stopping; a second signal ends the job at once\n", "\(outcome)")
      }
    }

    /// A rank that is stopped cannot stop in good order.
    @Test(arguments: [("INT", 130), ("QUIT", 131)])
    func theSecondSignalEndsATrainingAtOnce(signal: String, code: Int32) throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        let script = """
          kill -STOP $(rank_of_job 1); kill -HUP $job; await 'grep -q "SIGHUP: stopping" /proc/$$/fd/2'
          kill -\(signal) $job; wait $job
          """
        let outcome = try job(workspace, run, doing: script)
        #expect(outcome.exitCode == code && !outcome.output.contains("stopped after"), "\(outcome)")
        #expect(try workspace.processesThatStay(with: run) == [])
      }
    }

    @Test func theFirstSignalEndsAnyOtherCommand() throws {
      try Workspace.run { workspace in
        let script = """
          "$program" bench step --rounds 1000000 --ranks 3 & job=$!
          until [ "$(children $(mpirun_of_job) | wc -l)" = 3 ]; do sleep 0.02; done; mpirun=$(mpirun_of_job)
          kill -INT $job; wait $job; code=$?; kill -0 $mpirun 2>/dev/null && echo "mpirun stays"; exit $code
          """
        let outcome = try Launcher.run(
          ["bash", "-c", Self.processes + script], environment: ["program": Self.program],
          workingDirectory: workspace.url)
        #expect(outcome.exitCode == 130 && outcome.errorLines.isEmpty && outcome.output.isEmpty, "\(outcome)")
      }
    }

    @Test func anInterruptFromTheKeyboardIsAnsweredAtOnce() throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        let terminal = try Terminal()
        let job = try startForEver(workspace, run, terminal)
        // A line that is rewritten: what is printed goes to a terminal.
        #expect(terminal.waits(for: "\rstep "))
        terminal.type("\u{3}")
        #expect(terminal.waits(for: "SIGINT: stopping"), "\(terminal.text)")
        terminal.readToEnd()
        #expect(try job.wait().exitCode == 75, "\(terminal.text)")
        #expect(terminal.text.contains("stopped after step \(try workspace.lastStep(run)) "), "\(terminal.text)")
        #expect(try workspace.processesThatStay(with: run) == [])
      }
    }

    @Test func aClosedTerminalStopsATrainingInGoodOrder() throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        let terminal = try Terminal()
        let job = try startForEver(workspace, run, terminal)
        #expect(terminal.waits(for: "\rstep "))
        terminal.close()
        #expect(try job.wait().exitCode == 75)
        let step = try workspace.lastStep(run)
        #expect(
          try workspace.output(["inspect", checkpoint(run, step: step)], ranks: nil).contains("step          \(step)\n")
        )
        #expect(try workspace.processesThatStay(with: run) == [])
      }
    }

    private func startForEver(_ workspace: Workspace, _ run: String, _ terminal: Terminal) throws -> Job {
      try Job(
        [Self.program, "train", "--config", "small.yaml", "--run", run, "--steps", "1000000000"] + Self.ranks,
        workingDirectory: workspace.url, terminal: terminal)
    }

    // MARK: Errors

    @Test func aKilledRankIsNamedOnce() throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        let outcome = try job(workspace, run, doing: "kill -9 $(rank_of_job 1); wait $job")
        #expect(outcome.exitCode == 77, "\(outcome)")
        #expect(outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errorLines.first?.hasPrefix("error: rank 1 was killed by SIGKILL — ") == true, "\(outcome)")
        #expect(!outcome.errors.contains("-----"), "\(outcome)")
        #expect(try workspace.processesThatStay(with: run) == [])
      }
    }

    @Test func noRankOutlivesAKilledLauncher() throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        _ = try job(workspace, run, doing: "kill -9 $job; wait $job")
        #expect(try workspace.processesThatStay(with: run) == [])
      }
    }

    /// An mpirun that starts rank 2 in another directory, where it finds no configuration.
    @Test func anErrorOnOneRankIsTheOnlyMessage() throws {
      try Workspace.run { workspace in
        let mpirun = """
          #!/bin/bash
          [ "$1 $2" = "-np 3" ] || exit 9
          shift 2; PATH=${PATH#*:}; exec mpirun -np 2 "$@" : -np 1 env --chdir elsewhere "$@"
          """
        for name in ["bin", "elsewhere"] { try workspace.makeDirectory(name) }
        try workspace.put(mpirun, "bin/mpirun")
        let run = "run-\(UUID().uuidString)"
        let outcome = try Launcher.run(
          ["bash", "-c", "chmod +x bin/mpirun; PATH=$PWD/bin:$PATH; exec $program \"$@\"", "launched"]
            + ["train", "--config", "small.yaml", "--run", run] + Self.ranks,
          environment: ["program": Self.program], workingDirectory: workspace.url)
        #expect(outcome.exitCode == 74 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errorLines.first?.hasPrefix("[rank 2/3] error: ") == true, "\(outcome)")
        #expect(outcome.errors.split(separator: "\n").allSatisfy { $0.contains("error: ") || $0.hasPrefix("hint: ") })
        #expect(try workspace.processesThatStay(with: run) == [])
      }
    }

    // MARK: Wrong use

    @Test func ranksOfRanksAreRefused() throws {
      try Workspace.run { workspace in
        let words = ["--ranks — expected a process without a launcher"]
        try workspace.expectRefusal(["train"] + Self.ranks, exitCode: 64, words, ranks: [3])
        for number in ["0", "-1", "4097", "many"] {
          try workspace.expectRefusal(["train", "--ranks=\(number)"], exitCode: 64, [number], ranks: [nil])
        }
      }
    }

    @Test func withoutMPIRunThereIsAHint() throws {
      try Workspace.run { workspace in
        let outcome = try Launcher.run(
          ["env", "PATH=/nowhere", Self.program, "train"] + Self.ranks, workingDirectory: workspace.url)
        #expect(outcome.exitCode == 78 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains("mpirun is not found") && outcome.errors.contains("hint: "), "\(outcome)")
      }
    }

    @Test func aHostfileSaysHowManyRanksThereAre() throws {
      try Workspace.run { workspace in
        try workspace.put("localhost slots=2\n", "hosts")
        let train = ["train", "--config", "small.yaml", "--run", "run", "--hostfile", "hosts"]
        let outcome = try workspace.program(train, ranks: nil)
        #expect(outcome.exitCode == 0 && outcome.output.contains(" on 2 ranks\n"), "\(outcome)")
        let crowded = try workspace.program(train + Self.ranks, ranks: nil)
        #expect(crowded.exitCode == 78 && crowded.errorLines.count == 1, "\(crowded)")
        #expect(crowded.errors.contains("not enough slots") && !crowded.errors.contains("-----"), "\(crowded)")
        try workspace.expectRefusal(
          ["train", "--hostfile", "nothing"], exitCode: 74, ["cannot read the hostfile", "nothing"], ranks: [nil])
      }
    }
  }
}
