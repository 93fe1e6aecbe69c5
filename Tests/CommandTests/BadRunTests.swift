import Files
import Foundation
import TestSupport
import Testing

extension Commands {
  /// Runs and checkpoints that are not what they should be.
  struct BadRunTests {
    private static let readers = ["evaluate", "sample", "inspect"]
    private static let newest = checkpoint("run", step: 12)

    private func withRun(_ arguments: [String] = [], _ body: (Workspace) throws -> Void) throws {
      try Workspace.run { workspace in
        try workspace.train("run", arguments, ranks: nil)
        try body(workspace)
      }
    }

    @Test(arguments: readers)
    func aMissingRunIsRefused(command: String) throws {
      try Workspace.run { workspace in
        try workspace.expectRefusal([command, "runs/none"], exitCode: 74, ["got nothing (runs/none)"])
        try workspace.expectRefusal([command, "corpus.txt"], exitCode: 74, ["got a file (corpus.txt)"], ranks: [nil])
        try workspace.makeDirectory("photos")
        try workspace.expectRefusal([command, "photos"], exitCode: 65, ["not a run — expected "], ranks: [nil])
      }
    }

    @Test(arguments: readers)
    func aDamagedCheckpointIsRefused(command: String) throws {
      try withRun { workspace in
        try workspace.damage(Self.newest + "/model.safetensors")
        let words = ["SHA-256", Self.newest + "/model.safetensors"]
        try workspace.expectRefusal([command, Self.newest], exitCode: 65, words)
        try workspace.expectRefusal(
          [command, "run"], exitCode: 65, ["run has no valid checkpoint — expected "] + words)
      }
    }

    @Test(arguments: readers)
    func aDamagedCheckpointBeforeWhichThereIsAnotherIsPassedOver(command: String) throws {
      try withRun(["--set", "training.checkpointEvery=5"]) { workspace in
        try workspace.damage(Self.newest + "/model.safetensors")
        let older = try workspace.output([command, checkpoint("run", step: 10)], ranks: nil)
        for ranks in [nil, 3] {
          let outcome = try workspace.program([command, "run"], ranks: ranks)
          #expect(outcome.exitCode == 0 && outcome.output == older, "\(outcome)")
          let warnings = outcome.errors.split(separator: "\n").filter { $0.hasPrefix("warning: ") }
          #expect(warnings.count == 1 && warnings[0].contains(Self.newest), "\(outcome)")
        }
      }
    }

    @Test(arguments: ["cut", "lengthened", "missing", "manifest cut", "manifest missing", "manifest nonsense"])
    func whatElseCanHappenToACheckpointIsRefused(damage: String) throws {
      try withRun { workspace in
        let (model, manifest) = (Self.newest + "/model.safetensors", Self.newest + "/manifest.json")
        switch damage {
        case "cut": try workspace.put(workspace.get(model).dropLast(100), model)
        case "lengthened": try workspace.put(workspace.get(model) + [0], model)
        case "missing": try workspace.remove(model)
        case "manifest cut": try workspace.put(workspace.get(manifest).dropLast(100), manifest)
        case "manifest missing": try workspace.remove(manifest)
        default: try workspace.put("[1, {]", manifest)
        }
        try workspace.expectRefusal(["evaluate", "run"], exitCode: 65, ["run has no valid checkpoint"])
      }
    }

    // MARK: Shapes

    /// A valid checkpoint of another model in the place of the newest.
    @Test func aCheckpointOfAnotherShapeIsRefused() throws {
      try withRun { workspace in
        try workspace.train("other", ["--set", "model.hidden=9"], ranks: nil)
        try workspace.remove(Self.newest)
        try workspace.copy(checkpoint("other", step: 12), to: Self.newest)
        try workspace.expectRefusal(
          ["train", "--config", "small.yaml", "--run", "run", "--steps", "20"], exitCode: 65,
          [" — expected ", "got "], announces: true)
      }
    }

    /// Tensors that do not fit each other, under hashes that are right.
    @Test(arguments: [
      ("\"lstm.weight_hh_l1\":{\"dtype\":\"F32\",\"shape\":[48,12]", "[48,12]", "[12,48]"),
      ("\"lstm.weight_hh_l1\":{\"dtype\":\"F32\",\"shape\":[48,12]", "weight_hh_l1", "weight_hx_l1"),
    ])
    func tensorsThatDoNotFitAreRefused(entry: String, from: String, to: String) throws {
      try withRun { workspace in
        let bytes = try workspace.get(Self.newest + "/model.safetensors")
        let place = try #require(Data(bytes).range(of: Data(entry.utf8)))
        let changed =
          Array(bytes[..<place.lowerBound]) + Array(entry.replacing(from, with: to).utf8)
          + Array(bytes[place.upperBound...])
        try workspace.put(changed, "model.safetensors", ofCheckpoint: Self.newest)
        for command in ["evaluate", "sample"] {
          try workspace.expectRefusal([command, "run"], exitCode: 65, ["weight_hh_l1", " — expected "])
        }
        try workspace.expectTrainingRefusal()
      }
    }

    // MARK: Texts for a model

    @Test func aTextThatCannotBeEvaluatedIsRefused() throws {
      try withRun { workspace in
        try workspace.put("", "empty.txt")
        try workspace.put([0xFF, 0xFE, 0x41], "binary")
        func refused(_ text: String, _ code: Int32, _ words: [String], hint: String? = nil) throws {
          try workspace.expectRefusal(["evaluate", "run", "--text", text], exitCode: code, words, hint: hint)
        }
        try refused("missing.txt", 74, ["missing.txt"])
        try refused(".", 74, ["got a directory"])
        try refused("empty.txt", 65, ["empty.txt"])
        try refused("binary", 65, ["UTF-8"], hint: "bytes")
        try workspace.put(Workspace.corpus(characters: 950).uppercased(), "corpus.txt")
        try workspace.expectRefusal(["evaluate", "run"], exitCode: 65, ["the data has changed"], hint: "--data")
      }
    }

    @Test func moreRanksThanShardsCanEvaluateNothing() throws {
      try withRun(["--set", "batch.shards=2"]) { workspace in
        try workspace.expectRefusal(["evaluate", "run"], exitCode: 78, ["expected at most 2 ranks, got 3"], ranks: [3])
      }
    }
  }
}

extension Workspace {
  fileprivate func expectTrainingRefusal() throws {
    try expectRefusal(
      ["train", "--config", "small.yaml", "--run", "run", "--steps", "20"], exitCode: 65,
      ["weight_hh_l1", " — expected "], announces: true)
  }
}
