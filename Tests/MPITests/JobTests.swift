import Foundation
import TestLauncher
import Testing

/// Each scenario of `mpi-programs` is a job of its own; the scenario itself compares with the truth. The machine has
/// few cores, so the jobs run one after the other.
@Suite(.serialized)
struct JobTests {
  static let scenarios = [
    "environment", "communicators", "messages", "reductions", "gathers", "exchanges", "values",
    "nonBlockingMessages", "nonBlockingReductions", "nonBlockingGathers", "nonBlockingExchanges", "requestQueue",
    "ownedBuffers", "sharedWindow", "eachNode", "refusals", "libraryError", "shortMessage",
  ]

  @Test(arguments: scenarios, [1, 2, 3, 4])
  func everyCallGivesThePlainlyComputedResult(scenario: String, ranks: Int) throws {
    let outcome = try Launcher.run("mpi-programs", [scenario], ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.output.contains("ok \(scenario) \(ranks)"), "\(outcome)")
  }

  @Test(arguments: scenarios)
  func withoutMpirunTheProgramIsAWorldOfOne(scenario: String) throws {
    let outcome = try Launcher.run("mpi-programs", [scenario], ranks: nil)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.output.contains("ok \(scenario) 1"), "\(outcome)")
  }

  @Test func theLaunchersNumberOfRanksIsKnown() throws {
    let launched = try Launcher.run("mpi-programs", ["environment"], ranks: 3)
    #expect(launched.output.contains("launcher 3 wrong false"), "\(launched)")
    let alone = try Launcher.run("mpi-programs", ["environment"], ranks: nil)
    #expect(alone.output.contains("launcher none wrong false"), "\(alone)")
    let other = try Launcher.run("mpi-programs", ["environment"], ranks: nil, environment: ["PMI_SIZE": "4"])
    #expect(other.output.contains("launcher 4 wrong true"), "\(other)")
  }

  @Test func whatTheUserSaysAboutYieldingStays() throws {
    let outcome = try Launcher.run(
      "mpi-programs", ["environment"], ranks: nil, environment: ["OMPI_MCA_mpi_yield_when_idle": "0"])
    #expect(outcome.errorLines == ["error: yield_when_idle — expected Optional(\"1\"), got Optional(\"0\")"])
  }
}
