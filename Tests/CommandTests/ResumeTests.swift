import Foundation
import TestSupport
import Testing

extension Commands {
  /// The same command again: what it goes on from, what it keeps, and what it refuses.
  struct ResumeTests {
    private static let small = ["train", "--config", "small.yaml", "--run", "run"]
    private static let evaluating = ["--set", "training.evaluateEvery=4", "--set", "training.checkpointEvery=4"]

    @Test(arguments: [nil, 3])
    func aFinishedRunIsNotTouched(ranks: Int?) throws {
      try Workspace.run { workspace in
        try workspace.train("run", Self.evaluating, ranks: ranks)
        let before = try workspace.contents("run")
        let again = try workspace.output(Self.small + Self.evaluating, ranks: ranks)
        #expect(again.contains("the run is complete at step 12"), "\(again)")
        // A smaller total, and other intervals, are no reason to write either.
        try workspace.output(Self.small + ["--steps", "10"], ranks: ranks)
        #expect(try workspace.contents("run") == before)
      }
    }

    /// Before tensors were aligned, files had them in the order of their names, behind a header of any length.
    @Test(arguments: [1, 2, 7]) func anOlderCheckpointWithTensorsAtAnyPlaceGoesOnWithTheSameBits(bytes: Int) throws {
      try Workspace.run { workspace in
        let settings = ["--set", "optimizer.average=from-step", "--set", "optimizer.averageFrom=3"]
        let undisturbed = try workspace.train("undisturbed", settings + ["--steps", "20"], ranks: nil)
        try workspace.train("run", settings, ranks: nil)
        for file in ["model", "optimizer", "state"].map({ "\($0).safetensors" }) {
          let aligned = try workspace.get("\(checkpoint("run", step: 12))/\(file)")
          let old = try Self.misaligned(aligned, by: bytes)
          try #require(old != aligned)
          try workspace.put(old, file, ofCheckpoint: checkpoint("run", step: 12))
        }
        #expect(try workspace.train("run", settings + ["--steps", "20"], ranks: 3) == undisturbed)
        for file in ["model", "optimizer", "state"].map({ "\($0).safetensors" }) {
          let files = try ["run", "undisturbed"].map { try workspace.get("\(checkpoint($0, step: 20))/\(file)") }
          #expect(files[0] == files[1], "\(file)")
        }
      }
    }

    /// The same tensors in the order of their names, behind a header whose length is `bytes` above a multiple of 8.
    private static func misaligned(_ file: [UInt8], by bytes: Int) throws -> [UInt8] {
      let tensors = try TensorReader(file).tensors.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
      var (members, data): ([String], [UInt8]) = ([#""__metadata__":{"format":"pt"}"#], [])
      for (name, tensor) in tensors {
        let end = data.count + tensor.bytes.count
        members.append(
          #""\#(name)":{"dtype":"\#(tensor.dtype)","shape":\#(tensor.shape),"data_offsets":[\#(data.count),\#(end)]}"#)
        data += tensor.bytes
      }
      var header = Array("{\(members.joined(separator: ","))}".utf8)
      while header.count % 8 != bytes { header.append(UInt8(ascii: " ")) }
      return (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) } + header + data
    }

    @Test func aFinishedRunGoesOnToALargerTotal() throws {
      try Workspace.run { workspace in
        let undisturbed = try workspace.train("undisturbed", ["--steps", "20"], ranks: nil)
        try workspace.train("run", ranks: 3)
        let output = try workspace.output(Self.small + ["--steps", "20"], ranks: 2)
        #expect(output.contains("resuming run after step 12"), "\(output)")
        #expect(try workspace.metrics("run").last == undisturbed)
        #expect(try workspace.text("run/config.yaml").contains("steps: 20\n"))
      }
    }

    @Test(arguments: [
      (["--set", "model.hidden=13"], "model.hidden", "12", "13"), (["--seed", "2"], "seed", "1", "2"),
      (["--set", "batch.shards=6"], "batch.shards", "7", "6"),
      (["--set", "distributed.reduction=mpi"], "distributed.reduction", "reproducible", "mpi"),
    ])
    func anyOtherDifferenceIsRefused(arguments: [String], key: String, was: String, now: String) throws {
      try Workspace.run { workspace in
        try workspace.train("run", ranks: nil)
        let before = try workspace.contents()
        for ranks in [nil, 3] {
          let outcome = try workspace.program(Self.small + arguments, ranks: ranks)
          #expect(outcome.exitCode == 78, "\(outcome)")
          #expect(
            outcome.errorLines == [
              "error: \(key) differs from the run that would be resumed — expected \(was), got \(now) (run)"
            ], "\(outcome)")
          #expect(outcome.errors.contains("hint: ") && outcome.errors.contains("--fresh"), "\(outcome)")
        }
        #expect(try workspace.contents() == before)
      }
    }

    @Test func otherDataBehindTheSameNameAreRefused() throws {
      try Workspace.run { workspace in
        try workspace.train("run", ranks: nil)
        try workspace.put(
          "quite another text without the same letters. " + Workspace.corpus(characters: 950), "corpus.txt")
        let outcome = try workspace.program(Self.small + ["--steps", "20"], ranks: 3)
        #expect(outcome.exitCode == 65, "\(outcome)")
        #expect(outcome.errorLines.count == 1 && outcome.errorLines[0].contains("the data has changed"), "\(outcome)")
      }
    }

    /// The same characters in the same numbers, so the same vocabulary: two neighbours have changed places.
    @Test func aTextOfTheSameVocabularyIsOtherDataToo() throws {
      try Workspace.run { workspace in
        try workspace.train("run", ranks: nil)
        var scalars = Array(Workspace.corpus(characters: 950).unicodeScalars)
        let place = try #require((100..<200).first { scalars[$0] != scalars[$0 + 1] })
        scalars.swapAt(place, place + 1)
        try workspace.put(String(String.UnicodeScalarView(scalars)), "corpus.txt")
        try workspace.expectRefusal(
          Self.small + ["--steps", "20"], exitCode: 65, ["the data has changed"], hint: "--fresh")
      }
    }

    @Test func theConfigurationIsThatOfTheLastCommandAlsoWithoutACheckpoint() throws {
      try Workspace.run { workspace in
        try workspace.train("run", ranks: nil)
        try workspace.remove(checkpoint("run", step: 12))
        try workspace.train("run", ["--steps", "9"], ranks: 2)
        #expect(try workspace.text("run/config.yaml").contains("steps: 9\n"))
        #expect(try workspace.metrics("run").map(\.step) == Array(1...9) + [9, 9])
      }
    }

    @Test func freshMovesTheOldRunAside() throws {
      try Workspace.run { workspace in
        try workspace.train("run", ranks: nil)
        let old = try workspace.contents("run")
        let other = ["--set", "model.hidden=5", "--fresh"]
        try workspace.train("run", other, ranks: 3)
        #expect(try workspace.contents("run.old-1") == old)
        #expect(try workspace.text("run/config.yaml").contains("hidden: 5\n"))
        try workspace.train("run", ["--fresh"], ranks: nil)
        #expect(try workspace.contents("run.old-1") == old)
        #expect(try workspace.text("run.old-2/config.yaml").contains("hidden: 5\n"))
        #expect(
          try workspace.metrics("run").last?.parametersSHA256 == workspace.metrics("run.old-1").last?.parametersSHA256)
      }
    }

    @Test func freshNeedsNoEarlierRun() throws {
      try Workspace.run { workspace in
        let fresh = try workspace.train("fresh", ["--fresh"], ranks: 2)
        #expect(try workspace.train("run", ranks: nil) == fresh)
        #expect(!FileManager.default.fileExists(atPath: workspace.path("fresh.old-1")))
      }
    }

    // MARK: Damage

    @Test(arguments: ["model", "optimizer", "state"], [nil, 3])
    func aDamagedCheckpointIsNamedAndPassedOver(file: String, ranks: Int?) throws {
      try Workspace.run { workspace in
        try workspace.train("run", Self.evaluating, ranks: nil)
        let undisturbed = try workspace.metrics("run")
        let damaged = checkpoint("run", step: 12) + "/\(file).safetensors"
        try workspace.damage(damaged)
        let outcome = try workspace.program(Self.small + Self.evaluating, ranks: ranks)
        #expect(outcome.exitCode == 0, "\(outcome)")
        #expect(outcome.errorLines.isEmpty, "\(outcome)")
        #expect(
          outcome.errors.contains("passed over a damaged checkpoint: ") && outcome.errors.contains(damaged),
          "\(outcome)")
        #expect(outcome.output.contains("resuming run after step 8"), "\(outcome)")
        #expect(try workspace.metrics("run") == undisturbed)
        // The damaged one has been replaced.
        #expect(
          try workspace.output(["inspect", checkpoint("run", step: 12)], ranks: nil).contains(
            try #require(undisturbed.last?.parametersSHA256)))
      }
    }

    @Test func whereEveryCheckpointIsDamagedTheRunIsRefused() throws {
      try Workspace.run { workspace in
        try workspace.train("run", ranks: nil)
        try workspace.damage(checkpoint("run", step: 12) + "/model.safetensors")
        try workspace.expectRefusal(
          ["train", "--config", "small.yaml", "--run", "run", "--steps", "20"], exitCode: 65,
          ["no checkpoint is whole", "model.safetensors"], hint: "--fresh")
      }
    }

    @Test(arguments: ["{\"event\":\"step\",\"step\":9,\"tra", "{\"event\":\"step\",\"step\":13}\n", "\u{0}\u{0}\u{0}"])
    func aTornLineAndNewerRecordsAreDropped(tail: String) throws {
      try Workspace.run { workspace in
        try workspace.train("run", Self.evaluating, ranks: nil)
        let undisturbed = try workspace.metrics("run")
        try workspace.remove(checkpoint("run", step: 12))
        let kept = try workspace.metricsLines("run").prefix { !$0.contains("\"step\":9,") }
        try workspace.put(try workspace.text("run/metrics.jsonl") + tail, "run/metrics.jsonl")
        try workspace.train("run", Self.evaluating, ranks: 2)
        #expect(try workspace.metrics("run") == undisturbed)
        // Older records stay as they were, with their times.
        #expect(kept.count == 12)
        #expect(try Array(workspace.metricsLines("run").prefix(kept.count)) == Array(kept))
      }
    }

    @Test func aRecordOfTheEndThatWasLostIsWrittenAgain() throws {
      try Workspace.run { workspace in
        try workspace.train("run", Self.evaluating, ranks: nil)
        let undisturbed = try workspace.metrics("run")
        let lines = try workspace.metricsLines("run")
        try workspace.put(lines.dropLast().joined(separator: "\n") + "\n", "run/metrics.jsonl")
        try workspace.train("run", Self.evaluating, ranks: 3)
        #expect(try workspace.metrics("run").last == undisturbed.last)
      }
    }

    @Test func theLastRecordHasItsKeysInTheirOrder() throws {
      try Workspace.run { workspace in
        let held = try workspace.train("held", ranks: 2)
        let number = #"-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?"#
        func pattern(validation: String) -> String {
          #"^\{"event":"finished","step":12,"trainLoss":"# + number + #","validationLoss":"# + validation
            + #","parametersSHA256":"[0-9a-f]{64}"\}$"#
        }
        func last(_ run: String) throws -> String {
          try #require(try workspace.text("\(run)/metrics.jsonl").split(separator: "\n").last.map(String.init))
        }
        #expect(try last("held").range(of: pattern(validation: number), options: .regularExpression) != nil)
        #expect(held.trainLoss == (try workspace.metrics("held").last { $0.event == "step" }?.trainLoss))
        try workspace.train("none", ["--set", "data.validation=0"], ranks: 2)
        #expect(try last("none").range(of: pattern(validation: "null"), options: .regularExpression) != nil)
        let file = try TensorReader(try workspace.get(checkpoint("held", step: 12) + "/model.safetensors"))
        #expect(held.parametersSHA256 == file.sha256)
      }
    }

    // MARK: A job that is killed

    /// mpirun is killed while the ranks compute and write checkpoints, so that nobody can tidy up; the next job starts
    /// at once.
    @Test(arguments: [1, 3])
    func aJobThatWasKilledGoesOnWithTheSameBits(after: Int) throws {
      try Workspace.run { workspace in
        let run = "killed-\(UUID().uuidString)"
        let script = """
          mpirun --oversubscribe --timeout 60 -np 2 "$0" "$@" & mpirun=$!
          until [ -e "$RUN/checkpoints/step-00000006" ]; do sleep 0.05; done
          kill -9 $mpirun
          """
        let settings = ["--set", "training.checkpointEvery=2", "--set", "training.evaluateEvery=5"]
        let outcome = try Launcher.run(
          ["sh", "-c", script, Launcher.builtExecutable("lstm-dist").path, "train", "--config", "small.yaml"]
            + ["--run", run] + settings + ["--steps", "1000000"],
          environment: ["RUN": run], workingDirectory: workspace.url)
        try #require(outcome.exitCode == 0 && !outcome.timedOut, "\(outcome)")
        // Until the lock is free its job may still write; this one waits for it, and finds out how far it came.
        try workspace.output(
          ["train", "--config", "small.yaml", "--run", run] + settings + ["--steps", "1"], ranks: nil)
        let saved = try FileManager.default.contentsOfDirectory(atPath: workspace.path("\(run)/checkpoints"))
        let newest = try #require(saved.compactMap { Int($0.dropFirst("step-".count)) }.max())
        let total = ["--steps", "\(newest + 7)"]
        try workspace.train(run, settings + total, ranks: after)
        try workspace.train("undisturbed", settings + total, ranks: nil)
        #expect(try workspace.metrics(run) == workspace.metrics("undisturbed"))
        let files = try [run, "undisturbed"].map { run in
          try workspace.contents(checkpoint(run, step: newest + 7)).filter { $0.key.hasSuffix("safetensors") }
        }
        #expect(files[0] == files[1])
      }
    }
  }
}
