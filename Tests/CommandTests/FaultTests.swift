import TestSupport
import Testing

extension Commands {
  /// The short form of the fault matrix; `Launch/fault-test --long` is the long one.
  struct FaultTests {
    @Test(arguments: [
      "kill", "call", "damage", "disk", "stop", "nan", "preempt", "interrupt", "fuzz", "move", "slow", "stuck",
    ])
    func nothingIsLost(row: String) throws {
      let outcome = try Launcher.run("fault-matrix", ["--only", row], ranks: nil, timeoutSeconds: 300)
      #expect(outcome.exitCode == 0, "\(outcome)")
    }
  }
}
