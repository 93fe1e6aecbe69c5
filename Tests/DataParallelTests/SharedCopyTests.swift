import TestSupport
import Testing

/// What ranks of a node keep together, as the kernel counts their pages.
struct SharedCopyTests {
  /// Bytes of parameters, packed weights and moments of all ranks, in units of the parameters.
  private func kept(_ rule: String, _ sharedMemory: String, ranks: Int) throws -> Double {
    let outcome = try Launcher.run("training-programs", ["memory", rule, sharedMemory], ranks: ranks)
    let words = outcome.output.split(whereSeparator: \.isWhitespace)
    try #require(outcome.exitCode == 0 && words.count == 5, "\(outcome)")
    return try #require(Double(words[1])) / #require(Double(words[4]))
  }

  /// Parameters once, packed weights twice, two moments: 5 units, and of them 1.3 times at most.
  @Test func fourRanksKeepHardlyMoreThanOne() throws {
    let (one, four) = (try kept("adam", "on", ranks: 1), try kept("adam", "on", ranks: 4))
    #expect((4.5...6).contains(one) && four <= 1.3 * one && four >= 0.95 * one, "\(four) of \(one)")
    #expect(try kept("adam", "off", ranks: 4) > 2.5 * one)
  }

  /// Each rank keeps the moments of its own slice and no more: of all ranks together they are two units.
  @Test func momentsAreThoseOfTheRanksSlices() throws {
    let moments = try kept("adam", "on", ranks: 4) - kept("sgd", "on", ranks: 4)
    #expect(abs(moments - 2) < 0.1, "\(moments)")
  }
}
