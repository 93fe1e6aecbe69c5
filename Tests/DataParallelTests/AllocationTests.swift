import TestLauncher
import Testing

@Suite(.serialized) struct AllocationTests {
  /// Alone, so that MPI itself has nothing to do: what it allocates for its messages is its own.
  @Test func aStepAllocatesNothing() throws {
    let outcome = try Launcher.run("allocation-program", ranks: nil)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(outcome.exitCode == 0 && lines.count == 6, "\(outcome)")
    // The counter counts: what a step needs is allocated before.
    #expect(lines.first?.hasPrefix("before: ") == true && lines.first != "before: 0 allocations")
    #expect(lines.dropFirst() == (0...4).map { "step \($0): 0 allocations" }[...])
  }
}
