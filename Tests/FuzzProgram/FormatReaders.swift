import DataParallel
import ExactMath
import Files
import Foundation
import Problems
import Runs
import SafeTensors
import Sequences

/// The files whose outer form other rows change: here a seal or a digest is always right, and what it seals is not.
func formatReaders() -> [Reader.Kind] {
  let (state, dump, tokens) = try! (StateOriginal(), DumpOriginal(), TokenOriginal())
  return [
    ("state", [state.file], { bytes, folder in try state.read(bytes, folder) }),
    ("batch", [dump.file], { bytes, folder in try dump.read(bytes, folder) }),
    ("token file", [tokens.file], { bytes, folder in try tokens.read(bytes, folder) }),
    ("records", [records], { bytes, folder in try readRecords(bytes, folder) }),
  ]
}

private func zeros(_ name: String, _ shape: [Int]) -> TensorSource {
  TensorSource(name: name, shape: shape, values: [Float](repeating: 0.5, count: shape.reduce(1, *)))
}

private func text(_ name: String, _ text: String) -> TensorSource {
  TensorSource(name: name, shape: [text.utf8.count], values: Array(text.utf8))
}

/// V 4, D 3, one layer of H 2.
private var modelTensors: [TensorSource] {
  [
    zeros("embedding.weight", [4, 3]), zeros("lstm.weight_ih_l0", [8, 3]), zeros("lstm.weight_hh_l0", [8, 2]),
    zeros("lstm.bias_ih_l0", [8]), zeros("lstm.bias_hh_l0", [8]), zeros("output.weight", [4, 2]),
    zeros("output.bias", [4]),
  ]
}

/// Two files written by the program, the second of which a row changes: then its manifest says so.
private struct SealedFiles: Sendable {
  let file: [UInt8]
  private let name: String
  private let model: [UInt8]
  private let manifest: String

  /// - Parameter write: writes a model and the file to a run, and returns where they are.
  init(_ name: String, _ write: (RunDirectory, Manifest, [CheckpointFile]) throws -> String, _ tensors: [TensorSource])
    throws
  {
    let folder = try Folder()
    defer { folder.remove() }
    let run = RunDirectory(path: folder.path + "/run")
    try run.create(configuration: "")
    let place = try write(
      run,
      Manifest(
        step: 7, dataPosition: DataPosition(epoch: 0, stepInEpoch: 7), seed: 1, shards: 2, configuration: "seed: 1\n"),
      [
        CheckpointFile(name: "model.safetensors", tensors: modelTensors),
        CheckpointFile(name: name, tensors: tensors, refusesNonFinite: false),
      ])
    (file, model) = (try get("\(place)/\(name)"), try get(place + "/model.safetensors"))
    let text = String(decoding: try get(place + "/manifest.json"), as: UTF8.self)
    (self.name, manifest) = (name, String(text[..<text.range(of: ",\"manifestSHA256\"")!.lowerBound]))
  }

  func put(_ bytes: [UInt8], _ folder: Folder) throws -> String {
    let place = folder.path + "/sealed"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    try folder.put(model, "sealed/model.safetensors")
    try folder.put(bytes, "sealed/" + name)
    let digest = { (bytes: [UInt8]) in "\"length\":\(bytes.count),\"sha256\":\"\(sha256(bytes))\"" }
    try folder.put(
      sealed(Array(manifest.replacing(digest(file), with: digest(bytes)).utf8)), "sealed/manifest.json")
    return place
  }
}

// MARK: State

/// B 3.
private struct StateOriginal: Sendable {
  private let files: SealedFiles
  var file: [UInt8] { files.file }

  init() throws {
    files = try SealedFiles(
      "state.safetensors",
      { run, manifest, files in
        try run.writeCheckpoint(manifest, files: files)
        return run.checkpointPath(step: manifest.step)
      },
      [
        zeros("hidden", [3, 1, 2, 2]), text("head", "everyStep"),
        text("vocabulary", #"{"entries":["<unk>","a","b","c"],"kind":"characters"}"#),
        text("tokensSHA256", String(repeating: "0", count: 64)),
        TensorSource(name: "trainLoss", shape: [], values: [0.5]),
        TensorSource(name: "setbacks", shape: [3], values: [Int64(2), 1, 1]),
        TensorSource(name: "learningRateFactor", shape: [], values: [0.5]),
        TensorSource(name: "averaged", shape: [], values: [Int64(3)]),
        TensorSource(name: "evaluations.step", shape: [2], values: [Int64(2), 4]),
        TensorSource(name: "evaluations.loss", shape: [2], values: [1.5, 1.25]),
      ])
  }

  func read(_ bytes: [UInt8], _ folder: Folder) throws -> Bool {
    let checkpoint = try Checkpoint(verifying: files.put(bytes, folder))
    let (saved, state) = (try SavedModel(checkpoint), try StateFile(checkpoint))
    _ = try DataIdentity(checkpoint)
    let (setbacks, averaged, evaluations) = (try state.setbacks(), try state.averaged(), try state.evaluations())
    _ = try state.trainLoss()
    let hidden = try state.hidden(lanes: 3, shape: saved.shape)
    return hidden.count == 12 && setbacks.skipped >= 0 && setbacks.skippedInARow >= 0 && setbacks.rollbacks >= 0
      && setbacks.learningRateFactor > 0 && setbacks.learningRateFactor <= 1 && (0...Int(Int32.max)).contains(averaged)
      && zip(evaluations, evaluations.dropFirst()).allSatisfy { $0.step < $1.step }
      && evaluations.allSatisfy { $0.step > 0 }
  }
}

// MARK: Batch

/// B 2, T 3.
private struct DumpOriginal: Sendable {
  private let files: SealedFiles
  var file: [UInt8] { files.file }

  init() throws {
    files = try SealedFiles(
      "batch.safetensors", { run, manifest, files in try run.writeDump(manifest, files: files, limit: 1)! },
      [
        TensorSource(name: "tokens", shape: [2, 3], values: [Int32(0), 1, 2, 3, 0, 1]),
        TensorSource(name: "targets", shape: [2, 3], values: [Int32(1), 2, -1, 0, 1, 2]),
        TensorSource(name: "lengths", shape: [2], values: [Int32(3), 2]), zeros("hidden", [2, 1, 2, 2]),
        TensorSource(name: "dropout", shape: [3], values: [Float(0.25), 0.5, 0.75]),
        TensorSource(name: "penalty", shape: [2], values: [Float(2), 1]), text("dropoutMask", "sequence"),
        TensorSource(name: "segment", shape: [], values: [Int64(2)]),
        TensorSource(name: "targetCount", shape: [], values: [Int64(5)]),
        TensorSource(name: "ranks", shape: [2], values: [Int64(0), 1]), text("head", "everyStep"),
        text("finding", "the loss is NaN"),
      ])
  }

  func read(_ bytes: [UInt8], _ folder: Folder) throws -> Bool {
    let dump = try StepDump(files.put(bytes, folder))
    let setup = dump.setup
    return setup.globalBatch >= 1 && setup.timesteps >= 1 && setup.globalBatch * setup.timesteps * 4 <= bytes.count
      && (0..<dump.recordedRank.of).contains(dump.recordedRank.rank)
      && [setup.dropout, setup.weightDropout, setup.embeddingDropout].allSatisfy { (0..<1).contains($0) }
  }
}

// MARK: Tokens

/// The tokens of a small text in a cache.
private struct TokenOriginal: Sendable {
  private static let content = Array("the rain falls and the rain stops".utf8)
  private static let headerBytes = 168
  let file: [UInt8]

  init() throws {
    let folder = try Folder()
    defer { folder.remove() }
    file = try get(TokenOriginal.prepared(folder).path(endingWith: ".tokens"))
  }

  private static func recipe(_ folder: Folder) -> TextRecipe {
    TextRecipe(
      path: folder.path + "/tokens.txt", numbers: .counted(.words, maximum: 0), validation: .fraction(0.25))
  }

  private struct Prepared {
    let cache: TokenCache
    var told: [String] = []

    func path(endingWith end: String) throws -> String {
      let names = try FileManager.default.contentsOfDirectory(atPath: cache.directory)
      guard let name = names.first(where: { $0.hasSuffix(end) }) else { throw Broken("no token file") }
      return "\(cache.directory)/\(name)"
    }
  }

  private static func prepared(_ folder: Folder) throws -> Prepared {
    var prepared = Prepared(cache: TokenCache(directory: folder.path + "/cache", smallestText: 0))
    if !FileManager.default.fileExists(atPath: prepared.cache.directory) { try folder.put(content, "tokens.txt") }
    try prepared.cache.prepare(recipe(folder)) { prepared.told.append($0) }
    return prepared
  }

  /// Reads the file in place of the good one. Both of its checksums are right.
  func read(_ changed: [UInt8], _ folder: Folder) throws -> Bool {
    let whole = try TokenOriginal.prepared(folder)
    let link = try whole.path(endingWith: ".link")
    var bytes = changed
    if bytes.count >= TokenOriginal.headerBytes {
      // The recipe has the place of the text in it, which is another for each folder.
      bytes.replaceSubrange(64..<96, with: try get(whole.path(endingWith: ".tokens"))[64..<96])
      store(bytes[TokenOriginal.headerBytes...].withUnsafeBytes { XXHash64.hash($0) }, at: 40, in: &bytes)
      store(bytes[..<160].withUnsafeBytes { XXHash64.hash($0) }, at: 160, in: &bytes)
    }
    // It is the good one's file too.
    try FileManager.default.removeItem(atPath: link)
    try folder.put(bytes, "cache/" + link.split(separator: "/").last!)
    let prepared = try TokenOriginal.prepared(folder)
    let corpus = try TextCorpus(TokenOriginal.recipe(folder), cache: prepared.cache)
    let known = 0..<Int32(corpus.vocabulary.count)
    let isWhole = corpus.training.allSatisfy(known.contains) && corpus.validation?.allSatisfy(known.contains) != false
    if let told = prepared.told.first(where: { $0.contains("is removed: expected") }) {
      guard isWhole, corpus.training.count + (corpus.validation?.count ?? 0) == 7 else { return false }
      throw Problem(.badData, told, expected: "the file as it was", got: "another", at: link)
    }
    return isWhole
  }

  private func store(_ word: UInt64, at offset: Int, in bytes: inout [UInt8]) {
    for byte in 0..<8 { bytes[offset + byte] = UInt8(truncatingIfNeeded: word >> (8 * UInt64(byte))) }
  }
}

// MARK: Records

/// A line of every event that something reads.
private let records = Array(
  """
  {"event":"run","step":0,"run":"0123456789abcdef0123456789abcdef","program":"1.0.0","commit":"0123456789"}
  {"event":"step","step":1,"trainLoss":0.5,"gradientNorm":1.5,"stepSeconds":0.25}
  {"event":"skipped","step":2,"inARow":1}
  {"event":"evaluated","step":3,"validationLoss":1.25}
  {"event":"rolledBack","step":2,"from":4,"rollbacks":1,"learningRateFactor":0.5,"because":"the loss is NaN"}
  {"event":"evaluated","step":4,"validationLoss":null}
  {"event":"parameters","step":4,"ranks":2,"chain":"00000000000000ab","tensors":{"a":"0123456789abcdef"}}
  {"event":"finished","step":4,"trainLoss":0.5,"validationLoss":1.25,"parametersSHA256":"00"}

  """.utf8)

private func readRecords(_ bytes: [UInt8], _ folder: Folder) throws -> Bool {
  try folder.put(bytes, "metrics.jsonl")
  let run = RunDirectory(path: folder.path)
  let losses = StepRecord.losses(in: bytes)
  _ = try MetricsLog.finishedStep(run.metrics)
  if let best = try run.betterEvaluation(than: nil), best.step < 0 || !best.loss.isFinite { return false }
  for record in try ParameterRecord.read(run.metrics) where record.ranks < 1 { return false }
  for record in try SetbackRecord.read(run.metrics) {
    switch record {
    case .skipped(let skipped): if skipped.step < 0 { return false }
    case .rolledBack(let back):
      if back.rollbacks < 0 || back.learningRateFactor <= 0 || back.learningRateFactor > 1 { return false }
    }
  }
  return losses.allSatisfy(\.isFinite)
}
