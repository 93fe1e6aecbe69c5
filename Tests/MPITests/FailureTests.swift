import TestSupport
import Testing

/// On an error in one rank all ranks end, quickly, with one message. A job that hung would be ended by mpirun's
/// `--timeout`, with another exit code than the expected one.
@Suite(.serialized)
struct FailureTests {
  private static let message = "error: line 7 — expected numbers, got text (corpus.txt)"

  private func expectOneMessage(_ program: String, ranks: Int?, from rank: Int) throws {
    let outcome = try Launcher.run("mpi-programs", [program], ranks: ranks)
    let prefix = rank == 0 ? "" : "[rank \(rank)/\(ranks ?? 1)] "
    #expect(outcome.exitCode == 65, "\(outcome)")
    #expect(outcome.errorLines == [prefix + Self.message], "\(outcome)")
    #expect(outcome.errors.contains(Self.message + "\nhint: look at it\n"), "\(outcome)")
    #expect(!outcome.output.contains("not reached"), "\(outcome)")
    #expect(!outcome.output.contains("ok "), "\(outcome)")
  }

  @Test(arguments: [1, 2, 3, 4])
  func aRankThatThrowsEndsTheJobWithItsMessageAndCode(ranks: Int) throws {
    try expectOneMessage("throwOnLast", ranks: ranks, from: ranks - 1)
  }

  @Test(arguments: [1, 2, 3, 4])
  func anErrorOfAllRanksIsPrintedOnce(ranks: Int) throws {
    try expectOneMessage("throwOnAll", ranks: ranks, from: 0)
  }

  @Test(arguments: [1, 2, 3, 4])
  func anAgreedErrorOfAllRanksIsPrintedOnce(ranks: Int) throws {
    try expectOneMessage("agreeAll", ranks: ranks, from: 0)
  }

  @Test(arguments: [1, 2, 3, 4])
  func agreeingEndsAllRanksIfOneOfThemFailed(ranks: Int) throws {
    try expectOneMessage("agreeOne", ranks: ranks, from: ranks - 1)
  }

  @Test(arguments: [2, 3, 4])
  func anErrorOnTheSecondNodeEndsAllRanks(ranks: Int) throws {
    try expectOneMessage("eachNodeFails", ranks: ranks, from: 1)
  }

  @Test(arguments: [1, 4])
  func anErrorBesideALiveRequestEndsTheJobOnTheSpot(ranks: Int) throws {
    try expectOneMessage("failWithLiveRequest", ranks: ranks, from: 0)
  }

  @Test(arguments: ["throwOnLast", "agreeOne"])
  func withoutMpirunTheCodeIsTheSame(program: String) throws {
    try expectOneMessage(program, ranks: nil, from: 0)
  }

  @Test(arguments: ["dropRequest", "dropQueue"], [nil, 2])
  func droppingALiveRequestTraps(program: String, ranks: Int?) throws {
    let outcome = try Launcher.run("mpi-programs", [program], ranks: ranks)
    #expect(outcome.exitCode == 128 + 4, "\(outcome)")
    #expect(outcome.errors.contains("a request was dropped before wait()"), "\(outcome)")
    #expect(!outcome.output.contains("not reached"), "\(outcome)")
  }
}
