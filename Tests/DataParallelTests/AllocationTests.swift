import TestSupport
import Testing

struct AllocationTests {
  /// Expects that a step allocates nothing, from step `first` on.
  private func expectNone(_ arguments: [String], ranks: Int?, from first: Int, to last: Int) throws {
    let outcome = try Launcher.run("training-programs", ["allocations"] + arguments, ranks: ranks)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(outcome.exitCode == 0 && lines.count == last + 2, "\(outcome)")
    // The counter counts.
    #expect(lines.first?.hasPrefix("setup: ") == true && lines.first != "setup: 0 allocations")
    #expect(lines.dropFirst(1 + first) == (first...last).map { "step \($0): 0 allocations" }[...])
  }

  /// Alone, so that MPI itself has nothing to do.
  @Test(arguments: [
    [], ["trace"], ["passes"], ["dropped", "passes"], ["adaptive"], ["adaptive", "passes"], ["adaptive", "tied"],
    ["long"], ["long", "passes"],
  ])
  func aStepAllocatesNothing(
    arguments: [String]
  ) throws {
    try expectNone(arguments, ranks: nil, from: 0, to: 4)
  }

  /// What MPI allocates for its messages is its own; the first step makes the memory of ours.
  @Test(
    arguments: [2, 4],
    [[], ["messages"], ["mpi"], ["messages", "dense", "passes"], ["adaptive", "tied", "trace"]])
  func aStepOfSeveralRanksAllocatesNothing(ranks: Int, arguments: [String]) throws {
    try expectNone(arguments, ranks: ranks, from: 1, to: 19)
  }
}
