import Crypto
import DataParallel
import Files
import Foundation
import Glibc
import JobHealth
import Problems
import Runs
import SafeTensors

func checkpointReaders() -> [Reader.Kind] {
  let original = try! Original()
  return [
    (
      "safetensors", [original.tensors],
      { bytes, folder in
        let file = try TensorFile(path: folder.put(bytes, "a"))
        var total = 0
        for tensor in file.tensors { try file.forEachPiece(of: tensor) { total += $0.count } }
        return total <= bytes.count
      }
    ),
    (
      "safetensors header", [original.header],
      { bytes, folder in
        let length = (0..<8).map { UInt8(truncatingIfNeeded: bytes.count >> (8 * $0)) }
        let file = try TensorFile(path: folder.put(length + bytes + original.data, "a"))
        for tensor in file.tensors where tensor.dtype == .float32 {
          guard try file.values(tensor.name, as: Float.self).count == tensor.elementCount else { return false }
        }
        return true
      }
    ),
    ("manifest", [original.manifest], { bytes, folder in try isWhole(original.put(folder, manifest: sealed(bytes))) }),
    (
      "model", [original.model],
      { bytes, folder in
        let saved = try SavedModel(original.put(folder, model: bytes))
        return saved.shape.parameterCount * 4 <= bytes.count
      }
    ),
    (
      "metrics", [original.metrics],
      { bytes, folder in
        let path = try folder.put(bytes, "metrics.jsonl")
        try MetricsLog.truncate(Place(path), to: .init(step: 7))
        return try ParameterRecord.read(Place(path)).allSatisfy { $0.step <= 7 }
      }
    ),
    (
      "identity", [original.identity],
      { bytes, folder in
        try folder.put(bytes, "run.json")
        return try RunDirectory(path: folder.path).readIdentity()?.description.utf8.count == 32
      }
    ),
    (
      "heartbeat", [original.heartbeat],
      { bytes, folder in
        let run = RunDirectory(path: folder.path + "/run")
        try FileManager.default.createDirectory(atPath: run.path, withIntermediateDirectories: true)
        try folder.put(bytes, "run/heartbeat")
        var patience = RunLock.Patience()
        (patience.heldSeconds, patience.heartbeatSeconds) = (0, 0)
        let lock = try RunLock(run, ranks: 1, patience: patience)
        guard let job = lock.takenOver else {
          throw Problem(.badData, "no record", expected: "", got: "", at: "")
        }
        return job.utf8.count < 10_000 && job.unicodeScalars.allSatisfy { $0.value >= 32 }
      }
    ),
  ]
}

/// Whether every file that the manifest of a checkpoint names can be opened.
private func isWhole(_ checkpoint: Checkpoint) throws -> Bool {
  for file in checkpoint.manifest.files { _ = try checkpoint.open(file.name) }
  return true
}

func sha256(_ bytes: [UInt8]) -> String {
  SHA256.hash(data: bytes).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
}

/// The text of a manifest with what must stand at its end.
func sealed(_ text: [UInt8]) -> [UInt8] { text + ",\"manifestSHA256\":\"\(sha256(text))\"}\n".utf8 }

/// Files as the program writes them.
private struct Original: Sendable {
  let tensors, header, data, manifest, model, state, metrics, identity, heartbeat: [UInt8]

  init() throws {
    let folder = try Folder()
    defer { folder.remove() }
    try TensorFileWriter.write(
      [
        TensorSource(name: "weight_ih_l0", shape: [2, 3], values: [Float](repeating: 1, count: 6)),
        TensorSource(name: "b\u{e9}ta \"x\"", shape: [2], values: [1.0, 2]),
        TensorSource(name: "step", shape: [], values: [Int64(5)]),
      ], metadata: ["key": "value"], to: folder.path + "/tensors")
    tensors = try get(folder.path + "/tensors")
    let end = 8 + Int(tensors[0]) + Int(tensors[1]) << 8
    (header, data) = (Array(tensors[8..<end]), Array(tensors[end...]))

    let run = RunDirectory(path: folder.path + "/run")
    try run.create(configuration: "")
    let manifest = Manifest(
      step: 1, dataPosition: DataPosition(epoch: 2, stepInEpoch: 7), seed: .max, shards: 8,
      configuration: "seed: 1\nname: \"ü\"\n")
    try run.writeCheckpoint(
      manifest,
      files: [
        CheckpointFile(name: "model.safetensors", tensors: Original.modelTensors),
        CheckpointFile(name: "state.safetensors", tensors: Original.stateTensors),
      ])
    identity = try get(run.path + "/run.json")
    let place = run.checkpointPath(step: 1)
    (model, state) = (try get(place + "/model.safetensors"), try get(place + "/state.safetensors"))
    let text = try get(place + "/manifest.json")
    self.manifest = Array(text[..<Data(text).range(of: Data(",\"manifestSHA256\"".utf8))!.lowerBound])
    metrics = Array(
      """
      {"event":"run","step":0,"run":"0123456789abcdef0123456789abcdef"}
      {"event":"step","step":5,"trainLoss":0.5}
      {"event":"parameters","step":5,"ranks":2,"chain":"00000000000000ab","tensors":{"a":"0123456789abcdef"}}
      {"event":"step","step":8,"trainLoss":0.25}
      {"event":"parameters","step":10,"ranks":2,"chain":"00000000000000cd","tensors":{"a":"0123456789abcdee"}}

      """.utf8)
    let lock = try RunLock(run, ranks: 2)
    heartbeat = Array(try get(run.heartbeatPath).prefix(424))
    lock.release()
  }

  /// V 5, D 3, two layers of H 2.
  private static var modelTensors: [TensorSource] {
    func tensor(_ name: String, _ shape: [Int]) -> TensorSource {
      TensorSource(name: name, shape: shape, values: [Float](repeating: 0.5, count: shape.reduce(1, *)))
    }
    return [tensor("embedding.weight", [5, 3]), tensor("output.weight", [5, 2]), tensor("output.bias", [5])]
      + [3, 2].enumerated().flatMap { layer, inputs in
        [
          tensor("lstm.weight_ih_l\(layer)", [8, inputs]), tensor("lstm.weight_hh_l\(layer)", [8, 2]),
          tensor("lstm.bias_ih_l\(layer)", [8]), tensor("lstm.bias_hh_l\(layer)", [8]),
        ]
      }
  }

  private static var stateTensors: [TensorSource] {
    func text(_ name: String, _ text: String) -> TensorSource {
      TensorSource(name: name, shape: [text.utf8.count], values: Array(text.utf8))
    }
    return [
      text("head", "everyStep"), text("vocabulary", #"{"entries":["<unk>","a","b","c","d"],"kind":"characters"}"#),
      text("tokensSHA256", String(repeating: "0", count: 64)),
    ]
  }

  /// A checkpoint with one file changed. One of a changed model has a manifest that says so.
  func put(_ folder: Folder, manifest changed: [UInt8]? = nil, model changedModel: [UInt8]? = nil) throws -> Checkpoint
  {
    let place = folder.path + "/checkpoint"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try folder.put(changedModel ?? model, "checkpoint/model.safetensors")
    try folder.put(state, "checkpoint/state.safetensors")
    var text = String(decoding: manifest, as: UTF8.self)
    if let changedModel {
      text = text.replacing("\"length\":\(model.count)", with: "\"length\":\(changedModel.count)")
        .replacing(sha256(model), with: sha256(changedModel))
    }
    try folder.put(changed ?? sealed(Array(text.utf8)), "checkpoint/manifest.json")
    return try Checkpoint(verifying: place)
  }
}
