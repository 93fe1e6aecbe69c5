import Benchmarks
import DataParallel
import Files
import Problems

extension MemoryLevels {
  /// One line: `reading, a rank, all at once: L2 70.1 GB/s, …`.
  var text: String {
    let rates = levels.map { "\($0.name) \(rounded($0.bytesPerSecond / 1e9, 1)) GB/s" }
    return "reading, each rank, all at once: " + rates.joined(separator: ", ")
  }

  /// Name, a rank's share in bytes (null for main memory), and bytes a second of each level.
  var json: JSON {
    .array(
      levels.map { level in
        .object([
          "name": .string(level.name),
          "capacityBytes": .number(level.capacityBytes), "bytesPerSecond": .number(level.bytesPerSecond),
        ])
      })
  }
}

extension MemoryEstimate {
  /// `parameters 18 MB, …`.
  var text: String {
    let parts = [
      ("parameters", parameters), ("gradients", gradients), ("packed copies", packed), ("activations", activations),
      ("other", other),
    ]
    return parts.map { "\($0.0) \(rounded(Double($0.1) / 1e6, 1))" }.joined(separator: ", ")
  }

  /// Bytes of each part.
  var json: JSON {
    .object([
      "parametersBytes": .integer(parameters), "gradientsBytes": .integer(gradients), "packedBytes": .integer(packed),
      "activationsBytes": .integer(activations), "otherBytes": .integer(other),
    ])
  }
}

extension Roofline {
  /// A line for each phase.
  func text(_ levels: MemoryLevels) -> String {
    table(
      ["roofline of a rank", "Gflop"] + levels.levels.map { "MB through \($0.name)" } + ["at least ms", "limit"],
      phases.map { phase in
        [phase.name, rounded(phase.flops / 1e9, 3)] + phase.bytesThrough.map { rounded($0 / 1e6, 2) }
          + [rounded(phase.seconds * 1e3, 3), phase.limit]
      })
  }

  /// The same figures in flop, bytes and seconds; bytes in the order of the levels of memory.
  var json: JSON {
    .array(
      phases.map { phase in
        .object([
          "phase": .string(phase.name), "flops": .number(phase.flops),
          "bytesThrough": .array(phase.bytesThrough.map { .number($0) }),
          "seconds": .number(phase.seconds), "limit": .string(phase.limit),
        ])
      })
  }
}
