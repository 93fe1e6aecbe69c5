import Foundation
import TestSupport
import TestTraits
import Testing

@Suite(.mostlySleeps) struct WatchdogTests {
  /// MPI_Finalize waits for a stopped rank for ever.
  @Test(arguments: 2...4)
  func aRankThatStopsWhenTheWorkIsOverEndsTheJob(ranks: Int) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("watchdog-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    let outcome = try Launcher.run(
      "training-programs", ["watchdog", "end", url.path], ranks: ranks, timeoutSeconds: 20)
    #expect(outcome.jobExitCode == 77, "\(outcome)")
    #expect(outcome.errorLines.count == 1, "\(outcome)")
    #expect(outcome.errors.contains("none from rank \(ranks - 1) on host "), "\(outcome)")
    #expect(outcome.errors.contains("last seen at its end"), "\(outcome)")
  }

  /// Before there is a run, ranks of a node watch each other in memory.
  @Test(arguments: 2...3)
  func aRankThatStopsAtTheStartEndsTheJob(ranks: Int) throws {
    let outcome = try Launcher.run("training-programs", ["watchdog", "stop"], ranks: ranks, timeoutSeconds: 20)
    #expect(outcome.jobExitCode == 77 && outcome.errorLines.count == 1, "\(outcome)")
    #expect(
      outcome.errors.contains(
        "a rank is silent — expected a sign of life within 2 s, got none from rank \(ranks - 1) on"),
      "\(outcome)")
    #expect(outcome.errors.contains("last seen starting"), "\(outcome)")
  }

  /// A rank that works by itself is waited for; ranks that wait for each other in different collectives are not.
  @Test func ranksInDifferentCollectivesEndTheJob() throws {
    let outcome = try Launcher.run("training-programs", ["watchdog", "apart"], ranks: 3, timeoutSeconds: 50)
    #expect(outcome.jobExitCode == 77 && outcome.errorLines.count == 1, "\(outcome)")
    #expect(outcome.output == "worked\n", "\(outcome)")
    #expect(outcome.errors.contains("a rank makes no progress — expected a new phase within 10 s, got none from rank "))
  }
}
