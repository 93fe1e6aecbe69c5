import TestSupport
import Testing

struct AllocationTests {
  /// Alone, so that MPI itself has nothing to do: what it allocates for its messages is its own.
  @Test(arguments: [
    [], ["trace"], ["passes"], ["dropped", "passes"], ["adaptive"], ["adaptive", "passes"], ["adaptive", "tied"],
    ["long"], ["long", "passes"],
  ])
  func aStepAllocatesNothing(
    arguments: [String]
  ) throws {
    let outcome = try Launcher.run("training-programs", ["allocations"] + arguments, ranks: nil)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(outcome.exitCode == 0 && lines.count == 6, "\(outcome)")
    // The counter counts.
    #expect(lines.first?.hasPrefix("setup: ") == true && lines.first != "setup: 0 allocations")
    #expect(lines.dropFirst() == (0..<5).map { "step \($0): 0 allocations" }[...])
  }
}
