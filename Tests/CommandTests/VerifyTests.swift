import Foundation
import TestSupport
import Testing

extension Commands {
  /// Steps that are computed again come out as they were recorded, or what differs is named.
  struct VerifyTests {
    /// A run of two ranks with checkpoints of steps 4, 8 and 12 and records of 3, 6, 9 and 12.
    private static let settings = ["--set", "training.checkpointEvery=4", "--set", "verify.every=3"]

    private func withRun(_ body: (Workspace) throws -> Void) throws {
      try Workspace.run { workspace in
        try workspace.train("run", Self.settings, ranks: 2)
        try body(workspace)
      }
    }

    /// A difference, alone and on three ranks: exit code 70, one error with all of `words`, and nothing written.
    private func expectDifference(_ workspace: Workspace, _ words: [String]) throws {
      try workspace.expectRefusal(["verify", "run"], exitCode: 70, words, announces: true)
    }

    /// Changes a number of a checkpoint's file, and its SHA-256 in the manifest.
    private func forge(_ workspace: Workspace, step: Int, file: String) throws {
      let place = checkpoint("run", step: step)
      var bytes = try workspace.get("\(place)/\(file)")
      bytes[bytes.count - 5] ^= 255
      try workspace.put(bytes, file, ofCheckpoint: place)
    }

    @Test func aRunIsRepeatedOnAnyNumberOfRanks() throws {
      try withRun { workspace in
        let before = try workspace.contents()
        let sha256 = try #require(try workspace.metrics("run").last?.parametersSHA256)
        for ranks in [nil, 2, 3, 4] {
          let output = try workspace.output(["verify", "run"], ranks: ranks)
          #expect(output.contains("steps 4 to 12 on \(ranks ?? 1) rank"), "\(output)")
          #expect(output.contains("3 records by 2\n"), "\(output)")
          for step in [6, 9, 12] { #expect(output.contains("step \(step)  9 tensors the same"), "\(output)") }
          #expect(output.contains("verified: ") && output.contains(sha256), "\(output)")
        }
        let whole = try workspace.output(["verify", "run", "--from", "0", "--to", "8"], ranks: 3)
        #expect(whole.contains("steps 0 to 8 on") && whole.contains("2 records by 2\n"), "\(whole)")
        #expect(whole.contains("step 3  ") && !whole.contains("step 9  ") && whole.contains("verified: "), "\(whole)")
        #expect(try workspace.contents() == before)
      }
    }

    /// Also where the run was stopped and went on with other ranks, and another distance between records.
    @Test func aRunThatWasResumedIsRepeated() throws {
      try Workspace.run { workspace in
        try workspace.train("run", ["--set", "verify.every=2", "--steps", "5"], ranks: 3)
        try workspace.train("run", ["--set", "verify.every=4", "--set", "paranoid=true"], ranks: 2)
        let output = try workspace.output(["verify", "run", "--from", "0"], ranks: nil)
        #expect(output.contains("4 records by 2, 3\n") && output.contains("verified: "), "\(output)")
        #expect(try workspace.output(["verify", "run"], ranks: 4).contains("2 records by 2\n"))
      }
    }

    @Test func theFirstRecordThatDiffersIsNamed() throws {
      try withRun { workspace in
        try forge(workspace, step: 4, file: "model.safetensors")
        try expectDifference(
          workspace,
          [
            "differs at step 6, the first record that does", "expected embedding.weight", "as on 2 ranks then",
            "on rank",
          ])
        let outcome = try workspace.program(["verify", "run"], ranks: 3)
        #expect(outcome.errors.contains("on ranks 0, 1 and 2 of 3"), "\(outcome)")
        #expect(outcome.errors.contains("hint: the difference arose in steps 5 to 6"), "\(outcome)")
        // What does not begin there is as it was.
        try workspace.output(["verify", "run", "--from", "8"], ranks: 3)
      }
    }

    @Test(arguments: [("model", "output.weight of model"), ("optimizer", "output.weight of optimizer")])
    func aTensorOfTheLastCheckpointThatDiffersIsNamed(file: String, words: String) throws {
      try withRun { workspace in
        try forge(workspace, step: 12, file: "\(file).safetensors")
        try expectDifference(
          workspace, ["differs from the checkpoint", words, "numbers, the first at ", "1 tensor in all"])
      }
    }

    @Test func recordsThatWereChangedAreRefused() throws {
      try withRun { workspace in
        let lines = try workspace.metricsLines("run")
        let records = lines.filter { $0.contains(#""event":"parameters""#) }
        try #require(records.count == 4)
        let other = records[2].replacingOccurrences(
          of: #""output.bias":"[0-9a-f]{16}""#, with: #""output.bias":"0123456789abcdef""#, options: .regularExpression)
        for (changed, step) in [(other, 9), ("{}", 12)] {
          try workspace.put(
            lines.map { ($0 == records[2] ? changed : $0) + "\n" }.joined(), "run/metrics.jsonl")
          try workspace.expectRefusal(
            ["verify", "run"], exitCode: 65, ["chain of records is broken at step \(step)", "run/metrics.jsonl"],
            hint: "has been changed")
        }
      }
    }

    /// A step may be left out for its numbers alone.
    @Test func aStepThatIsFiniteCannotHaveBeenSkipped() throws {
      try withRun { workspace in
        let lines = try workspace.metricsLines("run") + [#"{"event":"skipped","step":8,"inARow":1}"#]
        try workspace.put(lines.map { $0 + "\n" }.joined(), "run/metrics.jsonl")
        try expectDifference(workspace, ["differs at step 8", "not finite", "recorded to have been skipped"])
      }
    }

    @Test func theDataMayHaveMovedButNotChanged() throws {
      try withRun { workspace in
        try workspace.copy("corpus.txt", to: "elsewhere.txt")
        try workspace.put(Workspace.corpus(characters: 949), "corpus.txt")
        try workspace.expectRefusal(
          ["verify", "run"], exitCode: 65, ["data are not those of the run", "the tokens of the checkpoint"],
          hint: "--set data.path=FILE")
        try workspace.put("and quite another text. " + Workspace.corpus(characters: 950), "corpus.txt")
        try workspace.expectRefusal(["verify", "run"], exitCode: 65, ["the vocabulary of the checkpoint"])
        try workspace.output(["verify", "run", "--set", "data.path=elsewhere.txt"], ranks: 3)
      }
    }

    @Test func anotherConfigurationIsRefused() throws {
      try withRun { workspace in
        for (setting, key) in [
          ("model.hidden=13", "model.hidden"), ("seed=2", "seed"), ("batch.shards=6", "batch.shards"),
        ] {
          try workspace.expectRefusal(
            ["verify", "run", "--set", setting], exitCode: 78, ["\(key) differs from the run to be verified"],
            hint: "data.path")
        }
      }
    }

    @Test func whatCannotBeVerifiedIsRefused() throws {
      try withRun { workspace in
        try workspace.expectRefusal(["verify", "nowhere"], exitCode: 74, ["no such run"])
        try workspace.expectRefusal(
          ["verify", "run", "--from", "5"], exitCode: 74, ["no such checkpoint", "[4, 8, 12]"])
        try workspace.expectRefusal(["verify", "run", "--from", "12"], exitCode: 64, ["no steps to verify"])
        try workspace.train("mpi", ["--set", "distributed.reduction=mpi"], ranks: nil)
        try workspace.expectRefusal(["verify", "mpi"], exitCode: 78, ["distributed.reduction mpi cannot be verified"])
      }
    }
  }
}
