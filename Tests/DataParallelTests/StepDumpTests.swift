import DataParallel
import Foundation
import LSTM
import Problems
import Runs
import SafeTensors
import Testing

/// Dumps are hostile until they are checked.
@Suite struct StepDumpTests {
  /// What a dump of two sequences of three timesteps holds, before something is made wrong with it.
  private struct Parts {
    var step = 7
    var shards = 2
    var vocabulary = 4
    var tokensShape = [2, 3]
    var tokens: [Int32] = [0, 1, 2, 3, 0, 1]
    var targets: [Int32] = [1, 2, -1, 0, 1, 2]
    var lengths: [Int32] = [3, 2]
    var targetCount: Int64 = 5
    var dropout: [Float] = [0.25, 0.5, 0.75]
    var penalty: [Float] = [2, 1]
    var mask = "sequence"
    var segment: Int64 = 2
    var ranks: [Int64] = [0, 1]
    var head = "everyStep"
    var hidden = [2, 1, 2, 2]
    var missing = ""

    func write(to directory: RunDirectory) throws -> String {
      func zeros(_ name: String, _ shape: [Int]) -> TensorSource {
        TensorSource(name: name, shape: shape, values: [Float](repeating: 0.5, count: shape.reduce(1, *)))
      }
      let model = [
        zeros("embedding.weight", [vocabulary, 3]), zeros("lstm.weight_ih_l0", [8, 3]),
        zeros("lstm.weight_hh_l0", [8, 2]), zeros("lstm.bias_ih_l0", [8]), zeros("lstm.bias_hh_l0", [8]),
        zeros("output.weight", [4, 2]), zeros("output.bias", [4]),
      ]
      let batch = [
        TensorSource(name: "tokens", shape: tokensShape, values: tokens),
        TensorSource(name: "targets", shape: [2, 3], values: targets),
        TensorSource(name: "lengths", shape: [2], values: lengths), zeros("hidden", hidden),
        TensorSource(name: "dropout", shape: [3], values: dropout),
        TensorSource(name: "penalty", shape: [2], values: penalty),
        TensorSource(name: "dropoutMask", shape: [mask.utf8.count], values: Array(mask.utf8)),
        TensorSource(name: "segment", shape: [], values: [segment]),
        TensorSource(name: "targetCount", shape: [], values: [targetCount]),
        TensorSource(name: "ranks", shape: [2], values: ranks),
        TensorSource(name: "head", shape: [head.utf8.count], values: Array(head.utf8)),
        TensorSource(name: "finding", shape: [4], values: Array("step".utf8)),
      ].filter { $0.name != missing }
      let manifest = Manifest(
        step: step, dataPosition: DataPosition(epoch: 0, stepInEpoch: 0), seed: 1, shards: shards, configuration: "")
      let path = try directory.writeDump(
        manifest,
        files: [
          CheckpointFile(name: "model.safetensors", tensors: model),
          CheckpointFile(name: "batch.safetensors", tensors: batch, refusesNonFinite: false),
        ], limit: 1)
      return try #require(path)
    }
  }

  private func read(_ parts: Parts) throws -> StepDump {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("dump-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try StepDump(parts.write(to: RunDirectory(path: url.path)))
  }

  @Test func aWholeDumpIsRead() throws {
    let dump = try read(Parts())
    #expect(dump.step == 7 && dump.finding == "step" && dump.recordedRank == (rank: 0, of: 1))
    let setup = dump.setup
    #expect(setup.timesteps == 3 && setup.globalBatch == 2 && setup.shards == 2 && setup.dropout == 0.25)
    #expect(setup.segment == 2 && setup.dropoutMask == .sequence)
    #expect(setup.weightDropout == 0.5 && setup.embeddingDropout == 0.75)
    #expect(setup.penalty == ActivationPenalty(activation: 2, temporal: 1))
    #expect(setup.shape == .languageModel(vocabulary: 4, embedding: 3, hidden: 2, layers: 1))
  }

  @Test func whatCannotBeIsRefused() throws {
    let changes: [(inout Parts) -> Void] = [
      { $0.tokens[3] = 4 }, { $0.tokens[0] = -1 }, { $0.targets[0] = 4 }, { $0.targets[0] = -2 },
      { $0.lengths[1] = 4 }, { $0.lengths[0] = -1 }, { $0.targetCount = 7 }, { $0.targetCount = -1 },
      { $0.dropout[0] = 1 }, { $0.dropout[1] = .nan }, { $0.dropout[2] = -0.5 }, { $0.penalty[0] = -1 },
      { $0.penalty[1] = .infinity }, { $0.mask = "lane" }, { $0.ranks = [1, 1] }, { $0.ranks = [-1, 1] },
      { $0.ranks = [0, .min] }, { $0.tokensShape = [3, 2] }, { $0.tokensShape = [6] }, { $0.step = 0 },
      { ($0.tokensShape, $0.tokens) = ([2, 0], []) }, { $0.hidden = [2, 1, 2, 3] }, { $0.head = "nobody's" },
      { $0.head = "lastStep" }, { $0.vocabulary = 3 }, { $0.segment = 0 }, { $0.segment = 4 },
    ]
    for (index, change) in changes.enumerated() {
      var parts = Parts()
      change(&parts)
      let error = #expect(throws: Problem.self, "change \(index)") { try read(parts) }
      #expect(error?.exit == .badData, "change \(index): \(String(describing: error))")
    }
    for name in [
      "tokens", "targets", "lengths", "hidden", "dropout", "targetCount", "ranks", "head", "finding", "segment",
      "penalty", "dropoutMask",
    ] {
      let error = #expect(throws: Problem.self) { try read(Parts(missing: name)) }
      #expect(error?.message.contains("\"\(name)\"") == true, "\(String(describing: error))")
    }
  }

  @Test func damagedFilesAreNamedAndNoMoreDumpsAreWrittenThanWanted() throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("dump-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    let directory = RunDirectory(path: url.path)
    let path = try Parts().write(to: directory)
    let manifest = Manifest(
      step: 8, dataPosition: DataPosition(epoch: 0, stepInEpoch: 0), seed: 1, shards: 2, configuration: "")
    #expect(try directory.writeDump(manifest, files: [], limit: 1) == nil)
    // The same step once more replaces what stands there.
    #expect(try Parts().write(to: directory) == path)
    for name in ["model.safetensors", "batch.safetensors", "manifest.json"] {
      let file = URL(fileURLWithPath: path).appendingPathComponent(name)
      let whole = try Data(contentsOf: file)
      for place in stride(from: 0, to: whole.count, by: 7) {
        var bytes = whole
        bytes[place] ^= 4
        try bytes.write(to: file)
        #expect(throws: Problem.self) { try StepDump(path) }
        try whole.prefix(place).write(to: file)
        #expect(throws: Problem.self) { try StepDump(path) }
      }
      try whole.write(to: file)
    }
    _ = try StepDump(path)
  }
}
