import Files
import Foundation
import TestSupport
import Testing

extension Commands {
  /// A run knows its configuration and its data: `--run DIR` alone takes it up, from any directory.
  struct TakingUpTests {
    /// The small model after 12 steps, and another directory beside it.
    private func withRun(
      _ arguments: [String] = [], _ body: (Workspace, _ elsewhere: Workspace) throws -> Void
    ) throws {
      try Workspace.run { workspace in
        try workspace.train("run", ["--set", "training.checkpointEvery=4"] + arguments, ranks: nil)
        try workspace.makeDirectory("elsewhere")
        try body(workspace, Workspace(url: workspace.url.appendingPathComponent("elsewhere")))
      }
    }

    @Test(arguments: [nil, 3])
    func theDirectoryAloneIsEnough(ranks: Int?) throws {
      try withRun(["--set", "model.hidden=9"]) { workspace, elsewhere in
        let complete = try workspace.output(["train", "--run", "run"], ranks: ranks)
        #expect(complete.contains("the run is complete at step 12"), "\(complete)")
        let undisturbed = try workspace.train("undisturbed", ["--set", "model.hidden=9", "--steps", "20"], ranks: nil)
        let output = try elsewhere.output(["train", "--run", "../run", "--steps", "20"], ranks: ranks)
        #expect(output.contains("resuming ../run after step 12"), "\(output)")
        #expect(try workspace.metrics("run").last == undisturbed)
        // What was given once is stored.
        #expect(try workspace.text("run/config.yaml").contains("steps: 20\n"))
        #expect(try workspace.text("run/config.yaml").contains("checkpointEvery: 4\n"))
      }
    }

    /// Without --run the task or the data name the directory, and the run in it is taken up alike.
    @Test func aRunThatIsFoundByItsNameIsTakenUpToo() throws {
      try Workspace.run { workspace in
        let small = ["--set", "batch.steps=16", "--set", "model.hidden=7"]
        try workspace.output(["train", "--text", "corpus.txt", "--steps", "3"] + small, ranks: nil)
        let output = try workspace.output(["train", "--text", "./corpus.txt", "--steps", "5"], ranks: 3)
        #expect(output.contains("resuming runs/corpus after step 3"), "\(output)")
        try workspace.expectRefusal(
          ["train", "--text", "corpus.txt", "--set", "model.hidden=8"], exitCode: 78,
          ["model.hidden differs from the run that would be resumed — expected 7, got 8 (runs/corpus)"], hint: "--fresh"
        )
        let fresh = try workspace.output(
          ["train", "--text", "corpus.txt", "--steps", "1", "--fresh"] + small, ranks: 2)
        #expect(fresh.contains("run directory: runs/corpus"), "\(fresh)")
      }
    }

    @Test func whatMayNotChangeIsRefused() throws {
      try withRun { workspace, _ in
        for (setting, key) in [
          ("seed=2", "seed"), ("model.dropout=0.5", "model.dropout"), ("schedule.name=cosine", "schedule.name"),
          ("data.validation=0.2", "data.validation"), ("data.tokens=words", "data.tokens"),
        ] {
          try workspace.expectRefusal(
            ["train", "--run", "run", "--set", setting], exitCode: 78,
            ["\(key) differs from the run that would be resumed"], hint: "--fresh")
        }
      }
    }

    // MARK: Data

    /// However the path is spelled, and whatever the file is called.
    @Test func dataAreKnownByTheirContent() throws {
      try withRun { workspace, elsewhere in
        try workspace.copy("corpus.txt", to: "elsewhere/other name.txt")
        let paths = [
          "./corpus.txt", workspace.path("corpus.txt"), "elsewhere/../corpus.txt", "elsewhere/other name.txt",
        ]
        for (index, path) in paths.enumerated() {
          let steps = 13 + index
          try workspace.output(
            ["train", "--run", "run", "--text", path, "--steps", "\(steps)"], ranks: index == 0 ? 3 : nil)
          #expect(try workspace.metrics("run").last?.step == steps)
        }
        try elsewhere.put("quite another text without the same letters. " + Workspace.corpus(characters: 950), "x.txt")
        for arguments in [["--text", "elsewhere/x.txt"], ["--set", "data.path=elsewhere/x.txt"]] {
          try workspace.expectRefusal(
            ["train", "--run", "run", "--steps", "30"] + arguments, exitCode: 65, ["the data has changed"],
            hint: "--fresh")
        }
      }
    }

    /// Nothing says yet what the data were.
    @Test func beforeThereIsACheckpointThePlaceOfTheDataCounts() throws {
      try withRun { workspace, elsewhere in
        try workspace.remove("run/checkpoints")
        try workspace.copy("corpus.txt", to: "other.txt")
        try workspace.expectRefusal(
          ["train", "--run", "run", "--text", "other.txt"], exitCode: 78,
          ["data.path differs from the run that would be resumed"], hint: "--fresh")
        try elsewhere.output(["train", "--run", "../run", "--text", "../corpus.txt"], ranks: 2)
        #expect(try workspace.metrics("run").last?.step == 12)
      }
    }

    @Test(arguments: [nil, 3])
    func aRunFindsItsDataFromAnyDirectory(ranks: Int?) throws {
      try Workspace.run { workspace in
        try workspace.put(Workspace.corpus(characters: 300), "held-out.txt")
        try workspace.train(
          "run", ["--set", "data.validation=held-out.txt", "--set", "training.checkpointEvery=4"], ranks: nil)
        try workspace.makeDirectory("elsewhere")
        let elsewhere = Workspace(url: workspace.url.appendingPathComponent("elsewhere"))
        let here = try workspace.output(["evaluate", "run"], ranks: nil)
        let there = try elsewhere.output(["evaluate", "../run"], ranks: ranks)
        #expect(there == here.replacing("run/checkpoints", with: "../run/checkpoints"))
        #expect(try elsewhere.output(["verify", "../run", "--from", "0"], ranks: ranks).contains("verified: "))
        #expect(try elsewhere.output(["sample", "../run", "--length", "9"], ranks: ranks).count > 9)
      }
    }

    @Test func dataThatHaveMovedAreMissedByName() throws {
      try withRun { workspace, elsewhere in
        let before = try workspace.output(["verify", "run"], ranks: nil)
        try FileManager.default.moveItem(atPath: workspace.path("corpus.txt"), toPath: elsewhere.path("moved.txt"))
        let gone = "got nothing of that name (\(workspace.path("corpus.txt")))"
        try workspace.expectRefusal(["evaluate", "run"], exitCode: 74, [gone], hint: "--data PATH")
        for command in [["train", "--run", "run", "--steps", "13"], ["verify", "run"]] {
          try workspace.expectRefusal(command, exitCode: 74, [gone], hint: "--set data.path=PATH")
        }
        let moved = ["--set", "data.path=moved.txt"]
        #expect(try elsewhere.output(["verify", "../run"] + moved, ranks: 3).hasSuffix(before.suffix(40)))
        try elsewhere.output(["train", "--run", "../run", "--steps", "13"] + moved, ranks: 3)
        // It is stored where they are now.
        try workspace.output(["train", "--run", "run", "--steps", "14"], ranks: nil)
        #expect(try workspace.output(["evaluate", "run"], ranks: 2).contains("loss: "))
      }
    }
  }
}
