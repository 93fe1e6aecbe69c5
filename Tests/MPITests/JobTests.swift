import Foundation
import TestSupport
import Testing

/// The programs of `mpi-programs` that end well: each compares with the truth itself, and an error names the program and
/// the rank.
struct JobTests {
  static let programs = [
    "environment", "communicators", "messages", "reductions", "gathers", "exchanges", "values",
    "nonBlockingMessages", "nonBlockingReductions", "nonBlockingGathers", "nonBlockingExchanges", "requestQueue",
    "ownedBuffers", "sharedWindow", "eachNode", "refusals", "libraryError", "shortMessage",
  ]

  /// One job runs them one after the other.
  private func expectSuccess(_ programs: [String] = programs, ranks: Int?) throws {
    let outcome = try Launcher.run("mpi-programs", programs, ranks: ranks)
    #expect(outcome.exitCode == 0, "\(outcome)")
    #expect(outcome.output == programs.map { "ok \($0) \(ranks ?? 1)\n" }.joined(), "\(outcome)")
  }

  @Test(arguments: [1, 2, 4])
  func everyCallGivesThePlainlyComputedResult(ranks: Int) throws { try expectSuccess(ranks: ranks) }

  /// Each in a job of its own, so that none needs what another has left behind.
  @Test(arguments: programs)
  func everyCallGivesThePlainlyComputedResultAlone(program: String) throws { try expectSuccess([program], ranks: 3) }

  @Test func withoutMPIRunTheProgramIsAWorldOfOne() throws { try expectSuccess(ranks: nil) }

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
    #expect(
      outcome.errorLines == ["error: environment: yield_when_idle — expected Optional(\"1\"), got Optional(\"0\")"])
  }
}
