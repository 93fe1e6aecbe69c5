import Foundation
import TestSupport
import Testing

extension Commands {
  /// Several hosts on this machine, which talk over links of 1 Gbit/s.
  struct SeveralHostsTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("several-hosts").path

    /// Why this machine cannot have several hosts, nil where it can.
    private static let obstacle: String? = {
      guard let outcome = try? Launcher.run([script, "--obstacle"]) else { return "Tests/several-hosts cannot run" }
      let text = (outcome.output + outcome.errors).trimmingCharacters(in: .whitespacesAndNewlines)
      return outcome.exitCode == 0 && text.isEmpty ? nil : text
    }()

    /// The same bits. How much of the communication is hidden is printed, and measured on a machine without other work.
    @Test(.enabled(if: obstacle == nil, Comment(rawValue: obstacle ?? "")))
    func hostsEndWithTheSameParameters() throws {
      let program = Launcher.builtExecutable("lstm-dist").path
      let outcome = try Launcher.run([Self.script, program, "0"], timeoutSeconds: 300)
      #expect(outcome.exitCode == 0, "\(outcome)")
      print(outcome.output)
    }
  }
}
