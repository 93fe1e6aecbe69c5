import ArgumentParser
import Files
import Runs

/// `inspect`: what a checkpoint holds.
struct Inspect: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the tensors, step, configuration and parameter hash of a run or checkpoint.")

  @OptionGroup var model: ModelChoice
  @Flag(help: "Prints one JSON object.") var json = false
  @OptionGroup var ranks: RankOptions

  func run() {
    runJob { world in
      let loaded = try model.load(world)
      world.agree {
        guard world.communicator.rank == 0 else { return }
        if json { printLine(try record(loaded).text) } else { try show(loaded) }
      }
      return 0
    }
  }

  private func show(_ loaded: LoadedModel) throws {
    let (checkpoint, manifest) = (loaded.checkpoint, loaded.checkpoint.manifest)
    printLine("checkpoint    \(checkpoint.path)")
    if let run = manifest.run { printLine("run           \(run)") }
    if let program = manifest.program { printLine("program       lstm-dist \(program)") }
    printLine("step          \(manifest.step)")
    printLine("data position epoch \(manifest.dataPosition.epoch), step \(manifest.dataPosition.stepInEpoch)")
    printLine("seed          \(manifest.seed)")
    printLine("shards        \(manifest.shards)")
    for file in manifest.files {
      printLine("\n\(file.name), \(file.digest.length) bytes, SHA-256 \(file.digest.sha256)")
      for tensor in try checkpoint.open(file.name).tensors {
        printLine("  \(tensor.name)  \(tensor.dtype.rawValue) \(tensor.shape)  \(tensor.byteRange.count) bytes")
      }
    }
    printLine("\nconfiguration")
    for line in manifest.configuration.split(separator: "\n", omittingEmptySubsequences: false) {
      printLine(line.isEmpty ? "" : "  \(line)")
    }
    printLine("parametersSHA256  \(loaded.model.parametersSHA256)")
  }

  /// The same in JSON.
  private func record(_ loaded: LoadedModel) throws -> JSONRecord {
    let (checkpoint, manifest) = (loaded.checkpoint, loaded.checkpoint.manifest)
    return [
      "checkpoint": .string(checkpoint.path), "run": manifest.run.map { .string("\($0)") } ?? .null,
      "program": manifest.program.map { JSON.string($0) } ?? .null, "step": .integer(manifest.step),
      "dataPosition": .object([
        "epoch": .integer(manifest.dataPosition.epoch), "stepInEpoch": .integer(manifest.dataPosition.stepInEpoch),
      ]),
      "seed": .unsigned(manifest.seed), "shards": .integer(manifest.shards),
      "validationLoss": .number(manifest.validationLoss),
      "files": .array(try manifest.files.map { .object(try record($0, checkpoint)) }),
      "configuration": .object(loaded.saved.configuration.json),
      "parametersSHA256": .string(loaded.model.parametersSHA256),
    ]
  }

  private func record(_ file: Manifest.File, _ checkpoint: Checkpoint) throws -> JSONRecord {
    let tensors = try checkpoint.open(file.name).tensors.map { tensor in
      JSON.object([
        "name": .string(tensor.name), "dtype": .string(tensor.dtype.rawValue),
        "shape": .array(tensor.shape.map { .integer($0) }), "bytes": .integer(tensor.byteRange.count),
      ])
    }
    return [
      "name": .string(file.name), "bytes": .integer(file.digest.length), "sha256": .string(file.digest.sha256),
      "tensors": .array(tensors),
    ]
  }
}
