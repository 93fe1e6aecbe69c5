import ArgumentParser

/// `inspect`: what a checkpoint holds.
struct Inspect: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the tensors, step, configuration and parameter hash of a run or checkpoint.")

  @OptionGroup var model: ModelChoice
  @OptionGroup var ranks: RankOptions

  func run() {
    runJob { world in
      let (saved, checkpoint) = try loadModel(model, world: world)
      world.agree {
        guard world.communicator.rank == 0 else { return }
        let manifest = checkpoint.manifest
        printLine("checkpoint    \(checkpoint.path)")
        if let run = manifest.run { printLine("run           \(run)") }
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
        printLine("parametersSHA256  \(saved.model.parametersSHA256)")
      }
      return 0
    }
  }
}
