import Foundation
import TestSupport
import TestTraits
import Testing

extension Commands {
  /// Two jobs on one run, and jobs whose processes die or stop.
  @Suite(.mostlySleeps) struct LostRankTests {
    private static let watched = ["--set", "watchdog.seconds=3"]

    @Test(arguments: [nil, 2])
    func aSecondJobIsRefusedAndTheFirstGoesOn(ranks: Int?) throws {
      try Workspace.run { workspace in
        let outcome = try workspace.job(
          "run", ranks: ranks,
          doing: """
            echo "first is $(rank 0)"
            again "$@" > second.txt 2> second-errors.txt; echo "second ended with $?"
            again "$@" --fresh > /dev/null 2>> second-errors.txt; echo "third ended with $?"
            touch $run/stop; wait $job
            """)
        #expect(outcome.exitCode == 75, "\(outcome)")
        // The first job goes on talking between the lines of the script.
        let ends = outcome.output.split(separator: "\n").filter { $0.contains("ended with") }
        #expect(ends == ["second ended with 74", "third ended with 74"], "\(outcome)")
        let first = try #require(outcome.output.split(separator: "\n").first { $0.hasPrefix("first is ") })
        let process = first.dropFirst("first is ".count)
        let errors = try workspace.text("second-errors.txt").split(separator: "\n").filter { $0.hasPrefix("error: ") }
        #expect(errors.count == 2)
        for error in errors {
          #expect(
            error.hasPrefix("error: the run directory is in use — expected no other job, got process \(process) on"))
        }
        #expect(try workspace.text("second.txt") == "")
        #expect(try !workspace.contents().keys.contains { $0.contains("old-1") })
      }
    }

    /// Rank 0 is always the one that the others wait for in the end.
    @Test(arguments: [0, 1, 2])
    func aStoppedRankEndsTheJobWithItsName(rank: Int) throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        let outcome = try workspace.job(run, ranks: 3, Self.watched, doing: "kill -STOP $(rank \(rank)); wait $job")
        #expect(outcome.exitCode == 77 && outcome.errorLines.count == 1, "\(outcome)")
        let error = try #require(outcome.errorLines.first)
        #expect(error.contains("error: a rank is silent — expected a sign of life within 3 s, got none from rank "))
        #expect(error.contains(" on host ") && error.contains(", last seen "), "\(outcome)")
        #expect(try workspace.processesThatStay(with: run) == [])
        let next = try workspace.job(run, ranks: 2, doing: "touch $run/stop; wait $job")
        #expect(next.exitCode == 75 && next.errors.contains("notice: took over from a job that"), "\(next)")
      }
    }

    /// A rank that stops as it opens its data, when there is no run yet.
    @Test(.enabled(if: Workspace.canTrace, "no strace that may trace"))
    func aRankThatStopsAtTheStartEndsTheJobWithItsName() throws {
      try Workspace.run { workspace in
        let train = [Launcher.builtExecutable("lstm-dist").path, "train", "--config", "small.yaml"] + Self.watched
        let stops = ["strace", "-f", "-qq", "-o", "/dev/null", "-P", "corpus.txt", "-e", "inject=openat:signal=STOP"]
        let outcome = try Launcher.run(
          ["mpirun", "--oversubscribe", "--timeout", "60", "-np", "2"] + train + [":", "-np", "1"] + stops + train,
          workingDirectory: workspace.url)
        #expect(outcome.jobExitCode == 77 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(
          outcome.errors.contains("a rank is silent — expected a sign of life within 3 s, got none from rank 2 on"))
        #expect(outcome.errors.contains("last seen at work"), "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: workspace.path("runs")), "\(outcome)")
      }
    }

    /// Stopped together, as by a scheduler, ranks are not lost: they go on together.
    @Test func aPauseOfAllRanksIsNoLoss() throws {
      try Workspace.run { workspace in
        let outcome = try workspace.job(
          "run", ranks: 3, Self.watched,
          doing: """
            ranks="$(rank 0) $(rank 1) $(rank 2)"
            kill -STOP $ranks; sleep 6; kill -CONT $ranks; sleep 1; touch $run/stop; wait $job
            """)
        #expect(outcome.exitCode == 75 && outcome.errorLines.isEmpty, "\(outcome)")
      }
    }

    @Test func theNextStartTellsWhatTheRanksOfAKilledJobWereAbout() throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        let outcome = try workspace.job(run, ranks: 3, doing: "kill -9 $(rank 1); wait $job")
        #expect(outcome.exitCode == 128 + 9, "\(outcome)")
        #expect(try workspace.processesThatStay(with: run) == [])
        let next = try workspace.job(run, ranks: nil, doing: "touch $run/stop; wait $job")
        let notices = next.errors.split(separator: "\n").filter { $0.hasPrefix("notice: took over from a job that") }
        #expect(next.exitCode == 75 && notices.count == 1, "\(next)")
        for rank in 0...2 { #expect(notices.first?.contains(try Regex("ranks?[0-9, ]* \(rank)")) == true, "\(next)") }
      }
    }

    /// A launcher that leaves the other ranks alone, as srun does by default.
    @Test func aDeadRankEndsTheJobAlsoWhereTheLauncherDoesNot() throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        let outcome = try workspace.job(
          run, ranks: 3, environment: ["OMPI_MCA_orte_enable_recovery": "1"], doing: "kill -9 $(rank 1); wait $job")
        #expect(!outcome.timedOut && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errorLines.first?.contains("error: a rank has died — expected a running process") == true)
        #expect(try workspace.processesThatStay(with: run) == [])
      }
    }

    /// Not even a rank that is stopped outlives its mpirun.
    @Test func noRankOutlivesAKilledMPIRun() throws {
      try Workspace.run { workspace in
        let run = "run-\(UUID().uuidString)"
        _ = try workspace.job(run, ranks: 3, doing: "kill -STOP $(rank 1); kill -9 $job; wait $job")
        #expect(try workspace.processesThatStay(with: run) == [])
      }
    }
  }
}
