import ArgumentParser
import Checkpoints
import DataParallel

/// `inspect`: what a checkpoint holds.
struct Inspect: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Shows the tensors, step, configuration and parameter hash of a run or checkpoint.")

  @OptionGroup var model: ModelChoice

  func run() {
    runJob { world in
      let (saved, checkpoint) = try loadModel(model, world: world)
      world.agree {
        guard world.communicator.rank == 0 else { return }
        let manifest = checkpoint.manifest
        print("checkpoint    \(checkpoint.path)")
        if let run = manifest.run { print("run           \(run)") }
        print("step          \(manifest.step)")
        print("data position epoch \(manifest.dataPosition.epoch), step \(manifest.dataPosition.stepInEpoch)")
        print("seed          \(manifest.seed)")
        print("shards        \(manifest.shards)")
        for file in manifest.files {
          print("\n\(file.name), \(file.digest.length) bytes, SHA-256 \(file.digest.sha256)")
          for tensor in try checkpoint.open(file.name).tensors {
            print("  \(tensor.name)  \(tensor.dtype.rawValue) \(tensor.shape)  \(tensor.byteRange.count) bytes")
          }
        }
        print("\nconfiguration")
        for line in manifest.configuration.split(separator: "\n", omittingEmptySubsequences: false) {
          print(line.isEmpty ? "" : "  \(line)")
        }
        print("parametersSHA256  \(saved.model.parametersSHA256)")
      }
      return 0
    }
  }
}
