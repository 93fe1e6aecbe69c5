import Files
import Foundation
import TestSupport
import Testing

extension Commands {
  /// Texts that are not small: their tokens lie in a file that all ranks map.
  struct CorpusTests {
    /// A workspace with `large.txt` of so many million bytes, and a cache of its own.
    private func withText(megabytes: Int, _ body: (Workspace) throws -> Void) throws {
      try Workspace.run { workspace in
        let million = Array(Workspace.corpus(characters: 100_000).utf8.prefix(100_000)).dropLast(20)
        let hundredth = million + Array(repeating: UInt8(ascii: "."), count: 100_000 - million.count)
        let handle = try create("large.txt", in: workspace)
        for _ in 0..<10 * megabytes { try handle.write(contentsOf: Data(hundredth)) }
        try handle.close()
        try body(workspace)
      }
    }

    private func create(_ name: String, in workspace: Workspace) throws -> FileHandle {
      try workspace.put([], name)
      return try FileHandle(forWritingTo: workspace.url.appendingPathComponent(name))
    }

    private func program(_ workspace: Workspace, _ arguments: [String], ranks: Int?) throws -> Outcome {
      try workspace.program(arguments, ranks: ranks, environment: ["LSTM_DIST_CACHE": workspace.path("cache")])
    }

    private func training(_ run: String, _ more: String...) -> [String] {
      ["train", "--config", "small.yaml", "--run", run, "--text", "large.txt", "--set", "data.tokens=bytes"] + more
    }

    @Test func tokensAreMadeOnceAndGiveTheSameBitsOnAnyNumberOfRanks() throws {
      try withText(megabytes: 20) { workspace in
        var hashes: [String?] = []
        for ranks in [3, nil, 2, 4] {
          let run = "run-\(ranks ?? 1)"
          let outcome = try program(workspace, training(run), ranks: ranks)
          try #require(outcome.exitCode == 0, "\(outcome)")
          #expect(outcome.errors.contains("making tokens of 20 MB of text") == (ranks == 3), "\(outcome)")
          hashes.append(try workspace.metrics(run).last?.parametersSHA256)
        }
        #expect(Set(hashes).count == 1 && hashes[0] != nil)
        let loss = try #require(try workspace.metrics("run-3").last?.validationLoss)
        let evaluated = try program(workspace, ["evaluate", "run-3"], ranks: 2)
        #expect(evaluated.output.contains("loss: \(loss) nats a token\n"), "\(evaluated)")
        // A stop and a resume, and steps repeated.
        for (steps, ranks) in [(5, 2), (12, 3)] {
          let outcome = try program(workspace, training("again", "--steps", "\(steps)"), ranks: ranks)
          try #require(outcome.exitCode == 0, "\(outcome)")
        }
        #expect(try workspace.metrics("again").last?.parametersSHA256 == hashes[0])
        #expect(try program(workspace, ["verify", "again"], ranks: 2).exitCode == 0)
      }
    }

    @Test func anotherTextUnderTheSameNameIsNoticedWhenTheRunGoesOn() throws {
      try withText(megabytes: 17) { workspace in
        try #require(try program(workspace, training("run"), ranks: nil).exitCode == 0)
        let handle = try FileHandle(forWritingTo: workspace.url.appendingPathComponent("large.txt"))
        try handle.write(contentsOf: Data("X".utf8))
        try handle.close()
        for ranks in [nil, 2] {
          let outcome = try program(workspace, training("run", "--steps", "20"), ranks: ranks)
          #expect(outcome.exitCode == 65, "\(outcome)")
          #expect(outcome.errorLines.first?.contains("the data has changed since the run began") == true, "\(outcome)")
          #expect(outcome.errors.contains("making tokens") == (ranks == nil), "\(outcome)")
        }
      }
    }

    @Test(arguments: [nil, 3])
    func withoutAPlaceForTheTokensTheErrorSaysWhatToDo(ranks: Int?) throws {
      try withText(megabytes: 17) { workspace in
        let outcome = try workspace.program(
          training("run"), ranks: ranks, environment: ["LSTM_DIST_CACHE": "/dev/null/cache"])
        #expect(outcome.exitCode == 74 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains("hint: ") && outcome.errors.contains("LSTM_DIST_CACHE"), "\(outcome)")
        #expect(!FileManager.default.fileExists(atPath: workspace.path("run")))
      }
    }

    /// A limit on the size of files stands for a full disk.
    @Test func aDiskThatIsFullIsToldAndNothingIsLeftOnIt() throws {
      try withText(megabytes: 17) { workspace in
        let program = Launcher.builtExecutable("lstm-dist").path
        let outcome = try Launcher.run(
          ["bash", "-c", "ulimit -f 4000 && exec \"$0\" \"$@\"", program] + training("run"),
          environment: ["LSTM_DIST_CACHE": workspace.path("cache")], workingDirectory: workspace.url)
        #expect(outcome.exitCode == 74 && outcome.errors.contains("hint: make room there"), "\(outcome)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: workspace.path("cache")).isEmpty)
        #expect(!FileManager.default.fileExists(atPath: workspace.path("run")))
      }
    }

    /// As where hosts have different files under one name.
    @Test func ranksWithDifferentTextsAreNotTrained() throws {
      try Workspace.run { workspace in
        try workspace.makeDirectory("other")
        try workspace.copy("small.yaml", to: "other/small.yaml")
        try workspace.put(try workspace.text("corpus.txt").replacing("rain", with: "Rain"), "other/corpus.txt")
        let program = Launcher.builtExecutable("lstm-dist").path
        let part = { (ranks: Int, folder: String) in
          [
            "-np", "\(ranks)", "-wdir", workspace.path(folder), program, "train", "--config", "small.yaml", "--run",
            "run",
          ]
        }
        let outcome = try Launcher.run(
          ["mpirun", "--oversubscribe", "--timeout", "60"] + part(2, "") + [":"] + part(1, "other"),
          workingDirectory: workspace.url)
        #expect(outcome.exitCode == 78, "\(outcome)")
        #expect(outcome.errorLines.count == 1, "\(outcome)")
        #expect(
          outcome.errorLines.first?.contains(
            try Regex(
              "^error: ranks disagree about the data's vocabulary — expected [0-9a-f]{16} as on rank 0, got [0-9a-f]{16} on rank 2$"
            )) == true, "\(outcome)")
      }
    }

    /// Linux counts what a process may write to itself against the limit, but neither files nor what is mapped of them.
    @Test func aTextLargerThanTheMemoryThatTheProgramMayHaveIsTrainedOn() throws {
      try withText(megabytes: 200) { workspace in
        let program = Launcher.builtExecutable("lstm-dist").path
        let outcome = try Launcher.run(
          ["bash", "-c", "ulimit -d 180000 && exec \"$0\" \"$@\"", program]
            + training("run", "--set", "data.validation=0"),
          environment: ["LSTM_DIST_CACHE": workspace.path("cache")], workingDirectory: workspace.url,
          timeoutSeconds: 120)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(try workspace.metrics("run").last?.event == "finished")
      }
    }
  }
}
