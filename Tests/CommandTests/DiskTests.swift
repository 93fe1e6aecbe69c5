import Foundation
import TestSupport
import Testing

extension Commands {
  /// A disk that takes no more, or is gone: training goes on as long as it can, and what is not saved at the end is an
  /// error.
  struct DiskTests {
    /// A file system in a mount namespace of its own goes with the process that made it.
    static let canMount: Bool = {
      let mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "-o", "size=1m", "none", "/mnt"]
      return (try? Launcher.run(mount, workingDirectory: URL(fileURLWithPath: "/")).exitCode) == 0
    }()
    static let cannotMount: Comment = "needs the right to mount in a namespace of its own (unshare -rm)"

    private func warnings(_ outcome: Outcome, _ text: String) -> Int {
      outcome.errors.split(whereSeparator: \.isNewline).filter { $0.hasPrefix("warning: " + text) }.count
    }

    /// Runs a script with `$run` on a file system of its own; `$train ARGUMENTS` trains the small model there.
    private func onDisk(_ workspace: Workspace, size: String, ranks: Int, _ script: String) throws -> Outcome {
      let whole = """
        train="mpirun --oversubscribe --timeout 60 -np \(ranks) $program train --config small.yaml --run disk/run"
        mkdir disk && mount -t tmpfs -o size=\(size) none disk && run=disk/run
        \(script)
        """
      return try Launcher.run(
        ["unshare", "-rm", "bash", "-c", whole],
        environment: ["program": Launcher.builtExecutable("lstm-dist").path], workingDirectory: workspace.url,
        timeoutSeconds: 90)
    }

    @Test(.enabled(if: canMount, cannotMount), arguments: [1, 3])
    func aFullDiskIsToldOnceAndSurvived(ranks: Int) throws {
      try Workspace.run { workspace in
        let last = try workspace.train("undisturbed", ranks: nil)
        let script = """
          mkdir $run
          $train --steps 4 || exit 1
          # Room for the heartbeat, but not for a checkpoint.
          head -c 2000000 /dev/zero > disk/filler; truncate -s -28K disk/filler
          $train --set training.checkpointEvery=2; echo code $?
          ls -a $run/checkpoints; rm disk/filler
          $train --set training.checkpointEvery=2 || exit 2
          cp -r $run saved
          """
        let outcome = try onDisk(workspace, size: "1m", ranks: ranks, script)
        #expect(outcome.exitCode == 0 && outcome.output.contains("code 74"), "\(outcome)")
        #expect(warnings(outcome, "no checkpoint of step 6, training goes on: ") == 1, "\(outcome)")
        #expect(warnings(outcome, "no checkpoint") == 1, "\(outcome)")
        #expect(warnings(outcome, "a record of the metrics is lost, training goes on: ") <= 1, "\(outcome)")
        let errors = outcome.errorLines.filter { $0.contains("no checkpoint of step 12") }
        #expect(errors.count == 1 && errors[0].contains("got a full disk"), "\(outcome)")
        // What stood before stands, and nothing is left of what failed.
        #expect(
          outcome.output.contains(".\n..\nstep-00000004\n") && outcome.output.contains("after step 4"), "\(outcome)")
        #expect(try workspace.metrics("saved").last == last)
      }
    }

    @Test(.enabled(if: canMount, cannotMount))
    func aDiskThatBecomesReadOnlyAndWritableAgainIsToldOnceAndSurvived() throws {
      try Workspace.run { workspace in
        let script = """
          mkdir $run
          $train --steps 1 > out || exit 1
          mount --bind $run/checkpoints $run/checkpoints
          $train --steps 1000000000 --set training.checkpointEvery=5 --set checkpoint.keepLast=2 \
            --set training.evaluateEvery=0 --set verify.every=0 > out 2> err & job=$!
          stands() { until ls $run/checkpoints | grep -q '^step'; do sleep 0.02; done; }
          remount() { until mount -o remount,bind,$1 $run/checkpoints 2>/dev/null; do sleep 0.01; done; }
          told() { until grep -q "$1" err; do sleep 0.02; done; }
          stands; remount ro; told 'warning: no checkpoint'; sleep 0.2
          remount rw; rm -r $run/checkpoints/*; stands
          kill -USR1 $job; wait $job; code=$?
          cp -r $run saved; cat out; cat err >&2; exit $code
          """
        // Room for the records of as many steps as there is time for.
        let outcome = try onDisk(workspace, size: "1g", ranks: 2, script)
        #expect(outcome.exitCode == 75 && outcome.errorLines.isEmpty, "\(outcome)")
        #expect(warnings(outcome, "no checkpoint") == 1, "\(outcome)")
        #expect(outcome.errors.contains("got a read-only one"), "\(outcome)")
        #expect(try workspace.program(["inspect", "saved"], ranks: nil).exitCode == 0)
      }
    }

    /// Works without any right: a limit on the size of files, which is an error like a full disk and not a signal.
    @Test func aLimitOnTheSizeOfFilesIsToldOnceAndSurvived() throws {
      try Workspace.run { workspace in
        let last = try workspace.train("undisturbed", ranks: nil)
        func train(_ limit: String) throws -> Outcome {
          try Launcher.run(
            ["bash", "-c", "ulimit -f \(limit); exec \"$program\" \"$@\"", "limited"]
              + ["train", "--config", "small.yaml", "--run", "run", "--set", "training.checkpointEvery=3"],
            environment: ["program": Launcher.builtExecutable("lstm-dist").path], workingDirectory: workspace.url)
        }
        // In KiB: less than the model's file takes.
        let limited = try train("10")
        #expect(limited.exitCode == 74, "\(limited)")
        #expect(warnings(limited, "no checkpoint of step 3, training goes on: ") == 1, "\(limited)")
        #expect(warnings(limited, "no checkpoint") == 1, "\(limited)")
        #expect(
          limited.errorLines.contains {
            $0.contains("no checkpoint of step 12: cannot write — expected a file within the limit")
          }, "\(limited)")
        #expect(try train("unlimited").exitCode == 0)
        #expect(try workspace.metrics("run").last == last)
      }
    }

    /// The checkpoints go and come back, as those on a network file system do.
    @Test func checkpointsMayVanishAndComeBack() throws {
      try Workspace.run { workspace in
        let settings = ["--set", "training.checkpointEvery=5", "--set", "checkpoint.keepLast=2"]
        let script = """
          await '[ $(saved) -ge 1 ]'
          until [ -f $run/checkpoints ]; do rm -rf gone; mv $run/checkpoints gone; touch $run/checkpoints; done
          await "grep -q 'warning: no checkpoint' /proc/$$/fd/2"
          rm -r gone/* $run/checkpoints; mv gone $run/checkpoints; await '[ $(saved) -ge 1 ]'
          kill -TERM $(rank 0); wait $job
          """
        let outcome = try workspace.job("run", ranks: 2, settings, doing: script)
        #expect(outcome.exitCode == 75 && outcome.errorLines.isEmpty, "\(outcome)")
        #expect(warnings(outcome, "no checkpoint") == 1, "\(outcome)")
        #expect(try workspace.program(["inspect", "run"], ranks: nil).exitCode == 0)
      }
    }
  }
}
