import Foundation
import TestLauncher
import Testing

@Suite(.serialized) struct WatchdogTests {
  /// MPI_Finalize waits for a stopped rank for ever.
  @Test(arguments: 2...4)
  func aRankThatStopsWhenTheWorkIsOverEndsTheJob(ranks: Int) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("watchdog-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    let outcome = try Launcher.run("watchdog-program", [url.path], ranks: ranks, timeoutSeconds: 20)
    #expect(outcome.jobExitCode == 77, "\(outcome)")
    #expect(outcome.errorLines.count == 1, "\(outcome)")
    #expect(outcome.errors.contains("none from rank \(ranks - 1) on host "), "\(outcome)")
    #expect(outcome.errors.contains("last seen at its end"), "\(outcome)")
  }
}
