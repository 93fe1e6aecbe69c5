import Foundation
import TestSupport
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

  /// As those of another MPI's launcher are.
  @Test(arguments: ["OMPI_COMM_WORLD", "PMI"]) func processesThatDoNotFindEachOtherAreRefusedOnce(names: String) throws
  {
    for rank in 0..<2 {
      let outcome = try Launcher.run(
        "mpi-programs", ["environment"], ranks: nil, environment: ["\(names)_SIZE": "4", "\(names)_RANK": "\(rank)"])
      #expect(outcome.exitCode == 78 && outcome.output.isEmpty, "\(outcome)")
      #expect(
        outcome.errors
          == (rank > 0
            ? ""
            : """
            error: ranks do not find each other — expected one world of 4 ranks, as many as the launcher started, got worlds \
            of 1
            hint: start it with the mpirun of the MPI that it was built with

            """),
        "\(outcome)")
    }
  }

  @Test func whatTheUserSaysAboutYieldingStays() throws {
    let outcome = try Launcher.run(
      "mpi-programs", ["environment"], ranks: nil, environment: ["OMPI_MCA_mpi_yield_when_idle": "0"])
    #expect(outcome.errorLines == ["error: yield_when_idle — expected Optional(\"1\"), got Optional(\"0\")"])
  }
}
