import TestLauncher
import Testing

@Suite(.serialized) struct AllocationTests {
  /// Alone, so that MPI itself has nothing to do: what it allocates for its messages is its own.
  @Test(arguments: [[], ["trace"]]) func aStepAllocatesNothingAfterTheFirst(arguments: [String]) throws {
    let outcome = try Launcher.run("allocation-program", arguments, ranks: nil)
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(outcome.exitCode == 0 && lines.count == 5, "\(outcome)")
    #expect(lines.first?.hasPrefix("step 0: ") == true && lines.first != "step 0: 0 allocations")
    #expect(lines.dropFirst() == ["step 1", "step 2", "step 3", "step 4"].map { "\($0): 0 allocations" }[...])
  }
}
