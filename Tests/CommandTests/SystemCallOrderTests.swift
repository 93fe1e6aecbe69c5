import Foundation
import TestSupport
import Testing

extension Commands {
  /// What is on the disk before what: seen by strace.
  struct SystemCallOrderTests {
    static let canTrace = (try? Launcher.run(["strace", "-f", "-qq", "-o", "/dev/null", "true"]).exitCode) == 0
    static let cannotTrace: Comment = "needs strace, and the right to trace"

    /// Trains for two steps under strace.
    private func train(_ workspace: Workspace, _ options: [String]) throws -> Outcome {
      try Launcher.run(
        ["strace", "-f", "-qq", "-y"] + options + [Launcher.builtExecutable("lstm-dist").path]
          + ["train", "--config", "small.yaml", "--run", "runs/new/run", "--steps", "2"],
        workingDirectory: workspace.url, timeoutSeconds: 120)
    }

    @Test(.enabled(if: canTrace, cannotTrace))
    func recordsAndFilesAreOnTheDiskBeforeTheCheckpointHasItsName() throws {
      try Workspace.run { workspace in
        let calls = "trace=/^(mkdir|fsync|rename)"
        let outcome = try train(workspace, ["-o", workspace.path("calls"), "-e", calls])
        try #require(outcome.exitCode == 0, "\(outcome)")
        let lines = String(decoding: try workspace.get("calls"), as: UTF8.self).split(separator: "\n")
        let (runs, name) = (workspace.url.resolvingSymlinksInPath().path + "/runs", "step-00000002")
        let run = runs + "/new/run"
        /// Lines that hold all of the texts, in their order.
        func indices(_ texts: String...) -> [Int] {
          lines.indices.filter { index in
            var rest = lines[index]
            return texts.allSatisfy { text in
              guard let range = rest.range(of: text) else { return false }
              rest = rest[range.upperBound...]
              return true
            }
          }
        }
        func one(_ texts: [Int], _ what: Comment) throws -> Int {
          try #require(texts.count == 1, "\(what): \(texts.map { lines[$0] })")
          return texts[0]
        }
        let renamed = try one(indices("rename", ".partial-\(name)\"", "\"checkpoints/\(name)\""), "the renaming")
        let partial = "\(run)/checkpoints/.partial-\(name)"
        for file in ["model", "optimizer", "state"].map({ "/\($0).safetensors" }) + ["/manifest.json", ""] {
          #expect(try one(indices("fsync(", "<\(partial)\(file)>"), "fsync of \(file)") < renamed)
        }
        #expect(try one(indices("fsync(", "<\(run)/metrics.jsonl>"), "fsync of the records") < renamed)
        // A file that replaces another: its name is on the disk next.
        let replaced = indices("rename", ".partial-config.yaml\"", "config.yaml\"")
        #expect(!replaced.isEmpty)
        for index in replaced {
          let next = lines[index + 1]
          #expect(next.contains("fsync(") && next.contains("<\(run)>"), "\(lines[index]), then \(next)")
        }
        // Of the directory that has the name of the records, behind the last fsync of config.yaml.
        let configured = try #require(indices("fsync(", "<\(run)/.partial-config.yaml>").last)
        #expect(indices("fsync(", "<\(run)>").contains { configured < $0 && $0 < renamed })
        #expect(indices("fsync(", "<\(run)/checkpoints>").contains { renamed < $0 })
        // Each directory that is made: its name is on the disk next.
        for (made, parent) in [
          ("mkdir(\"runs\"", workspace.url.resolvingSymlinksInPath().path), ("mkdir(\"runs/new\"", runs),
          ("mkdir(\"runs/new/run\"", runs + "/new"),
        ] {
          let index = try one(indices(made), "\(made)")
          #expect(indices("fsync(", "<\(parent)>").contains { index < $0 && $0 < renamed }, "\(made)")
        }
        let made = try one(indices("mkdirat(", "<\(run)>, \"checkpoints\""), "the directory of checkpoints")
        #expect(indices("fsync(", "<\(run)>").contains { made < $0 && $0 < renamed })
      }
    }

    /// The last fsync fails: that of the directory in which the checkpoint has just got its name.
    @Test(.enabled(if: canTrace, cannotTrace))
    func aCheckpointThatTheDiskDoesNotConfirmIsSaidToBeThereAndNotSafe() throws {
      try Workspace.run { workspace in
        let checkpoints = workspace.url.resolvingSymlinksInPath().path + "/runs/new/run/checkpoints"
        let outcome = try train(
          workspace,
          ["-o", "/dev/null", "-P", checkpoints, "-e", "trace=fsync", "-e", "inject=fsync:error=EIO"])
        #expect(outcome.exitCode == 74, "\(outcome)")
        #expect(
          outcome.errorLines.contains {
            $0.hasPrefix("error: the checkpoint of step 2 may not outlast a power failure: cannot write the directory")
          }, "\(outcome)")
        #expect(try workspace.program(["inspect", "runs/new/run"], ranks: nil).exitCode == 0)
        // The next job finds it, and has only to finish.
        let again = try workspace.program(["train", "--run", "runs/new/run"], ranks: nil)
        #expect(again.exitCode == 0 && again.output.contains("after step 2"), "\(again)")
      }
    }
  }
}
