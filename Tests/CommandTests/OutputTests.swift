import Foundation
import TestSupport
import Testing

extension Commands {
  /// Standard output that takes nothing: exit code 74, alone, under mpirun and with `--ranks`.
  struct OutputTests {
    /// How the program is started: words before it, and options behind its arguments.
    private static let starts = [("", ""), ("mpirun --oversubscribe --timeout 60 -np 3 ", ""), ("", " --ranks 3")]

    private static let commands = [
      "evaluate run", "sample run", "inspect run", "verify run", "predict labels texts/up.txt",
      "bench step --hidden 8 --rounds 1",
      "train --config small.yaml --run other", "train --help", "bench reduce --sizes 10 --rounds 1",
    ]

    /// A run of the small model with two checkpoints, and one of a classifier.
    private func withRuns(_ body: (Workspace) throws -> Void) throws {
      try Workspace.run { workspace in
        try workspace.train("run", ["--set", "training.checkpointEvery=6"], ranks: nil)
        try LabelledFixture.texts.write(workspace)
        try workspace.output(
          ["train", "--config", "classifier.yaml", "--run", "labels"] + LabelledFixture.texts.settings, ranks: nil)
        try body(workspace)
      }
    }

    /// Runs a command with its output redirected, by bash; the script's exit code is the command's. `$gone` is a pipe that
    /// nobody reads.
    private func outcome(_ workspace: Workspace, _ command: String, to redirection: String, _ start: (String, String))
      throws
      -> Outcome
    {
      let script = """
        rm -f pipe; mkfifo pipe; exec 3<>pipe 4>pipe 3<&-; rm pipe
        exec \(start.0)"$program" \(command)\(start.1) \(redirection)
        """
      return try Launcher.run(
        ["bash", "-c", script], environment: ["program": Launcher.builtExecutable("lstm-dist").path],
        workingDirectory: workspace.url)
    }

    private func expectFailure(_ outcome: Outcome, _ word: String?, _ what: String) {
      #expect(outcome.exitCode == 74, "\(what): \(outcome)")
      let errors = outcome.errorLines
      #expect(errors.count == (word == nil ? 0 : 1), "\(what): \(outcome)")
      if let word {
        #expect(errors.first?.hasPrefix("error: cannot write standard output — ") == true, "\(what): \(outcome)")
        #expect(errors.first?.hasSuffix(word) == true, "\(what): \(outcome)")
      }
    }

    @Test(arguments: starts)
    func everyCommandTellsOfAFullDevice(start: (String, String)) throws {
      try withRuns { workspace in
        for command in Self.commands {
          let outcome = try outcome(workspace, command, to: ">/dev/full", start)
          expectFailure(outcome, "got a full disk or device", "\(start) \(command)")
        }
        #expect(try !workspace.contents().keys.contains("other"))
      }
    }

    @Test(arguments: starts)
    func aClosedOutputIsAnErrorAndAReaderWhoHasHadEnoughIsNot(start: (String, String)) throws {
      try withRuns { workspace in
        for command in start.0.isEmpty && start.1.isEmpty
          ? Self.commands : ["evaluate run", "train --config small.yaml"]
        {
          let closed = try outcome(workspace, command, to: ">&-", start)
          expectFailure(closed, "got a closed one", "\(start) \(command)")
          let unread = try outcome(workspace, command, to: ">&4", start)
          expectFailure(unread, nil, "\(start) \(command)")
        }
        // No file is taken for the output that is closed.
        #expect(try workspace.program(["verify", "run"], ranks: nil).exitCode == 0)
      }
    }

    /// Nothing is lost of a training whose output is: it saves what it has.
    @Test(arguments: [("", ""), ("", " --ranks 3")])
    func aTrainingWhoseReaderGoesIsSaved(start: (String, String)) throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        let train = "train --config small.yaml --run \(run) --steps 1000000000 --set training.evaluateEvery=50"
        let outcome = try Launcher.run(
          ["bash", "-c", "\"$program\" \(train)\(start.1) | grep -m 2 '^step'; echo ${PIPESTATUS[0]}"],
          environment: ["program": Launcher.builtExecutable("lstm-dist").path], workingDirectory: workspace.url)
        #expect(outcome.output.hasSuffix("\n74\n") && outcome.errorLines.isEmpty, "\(outcome)")
        let step = try workspace.lastStep(run)
        #expect(try workspace.contents(run).keys.contains(String(checkpoint("", step: step).dropFirst())))
        #expect(try workspace.processesThatStay(with: run) == [])
      }
    }

    /// A pager that is left, or `head`: silence.
    @Test(arguments: [("", ""), ("", " --ranks 3")])
    func nothingIsSaidWhereAReaderGoes(start: (String, String)) throws {
      try withRuns { workspace in
        let outcome = try Launcher.run(
          [
            "bash", "-c",
            "\"$program\" inspect run\(start.1) | { read -r line; echo \"$line\"; }; echo ${PIPESTATUS[0]}",
          ],
          environment: ["program": Launcher.builtExecutable("lstm-dist").path], workingDirectory: workspace.url)
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.count == 2 && lines[0].hasPrefix("checkpoint ") && ["0", "74"].contains(lines[1]), "\(outcome)")
        #expect(outcome.errorLines.isEmpty, "\(outcome)")
      }
    }

    @Test(.enabled(if: DiskTests.canMount, DiskTests.cannotMount), arguments: starts)
    func aFullDiskIsToldOf(start: (String, String)) throws {
      try withRuns { workspace in
        let script = """
          mkdir disk && mount -t tmpfs -o size=64k none disk || exit 9
          \(start.0)"$program" inspect run\(start.1) > disk/fits; echo "code $?"; wc -c < disk/fits
          head -c 1000000 /dev/zero > disk/filler 2>/dev/null
          \(start.0)"$program" inspect run\(start.1) > disk/out; echo "code $?"
          """
        let outcome = try Launcher.run(
          ["unshare", "-rm", "bash", "-c", script],
          environment: ["program": Launcher.builtExecutable("lstm-dist").path], workingDirectory: workspace.url)
        let plain = try workspace.output(["inspect", "run"], ranks: nil)
        #expect(outcome.output == "code 0\n\(plain.utf8.count)\ncode 74\n", "\(outcome)")
        let errors = outcome.errorLines
        #expect(errors.count == 1 && errors[0].hasSuffix("got a full disk or device"), "\(outcome)")
      }
    }
  }
}
