import Files
import Problems

/// What `metrics.jsonl` holds of the parameters after a step: a hash of each tensor, and the link of a chain over all
/// such records since the start of the run, the same for every number of ranks.
///
///     {"event":"parameters","step":40,"ranks":4,"chain":"8d1e…","tensors":{"embedding.weight":"07a3…",…}}
package struct ParameterRecord: MetricsRecord, Equatable, Sendable {
  package static let event = MetricsEvent.parameters

  /// Completed steps.
  package let step: Int
  /// P at that time.
  package let ranks: Int
  /// The link: a hash of this record's step and hashes, and of the link before it.
  package let chain: UInt64
  /// The tensors in memory order.
  package let names: [String]
  /// The hash of each.
  package let hashes: [UInt64]

  /// - Precondition: a hash for each name.
  package init(step: Int, ranks: Int, chain: UInt64, names: [String], hashes: [UInt64]) {
    precondition(names.count == hashes.count, "one hash for each tensor")
    self.step = step
    self.ranks = ranks
    self.chain = chain
    self.names = names
    self.hashes = hashes
  }

  package var members: [(key: String, value: JSON)] {
    [
      ("ranks", .integer(ranks)), ("chain", .string(hexadecimal(chain))),
      ("tensors", .object(JSONRecord(zip(names, hashes).map { (key: $0, value: .string(hexadecimal($1))) }))),
    ]
  }
}

// MARK: Reading

extension ParameterRecord {
  /// The records of a metrics file, their steps ascending; none where there is no file. Other lines, and a last one
  /// that is torn, are passed over.
  package static func read(_ metrics: Place) throws -> [ParameterRecord] {
    var records: [ParameterRecord] = []
    try MetricsLog.forEachRecord(metrics, events: [.parameters], what: "record of parameters") { line, _, place in
      let record = try ParameterRecord(line)
      if let last = records.last, last.step >= record.step {
        throw Problem(
          .badData, "records of parameters are out of order", expected: "a step after \(last.step)",
          got: "\(record.step)", at: place)
      }
      records.append(record)
    }
    return records
  }

  private init(_ json: JSONReader) throws {
    var reader = json
    var numbers: [String: Int] = [:]
    var chain: UInt64?
    var tensors: [(name: String, hash: UInt64)] = []
    try reader.record { reader, key in
      switch key {
      case MetricsEvent.stepKey, "ranks": numbers[key] = try reader.count(from: 1)
      case "chain": chain = try reader.hash()
      case "tensors": try reader.object { reader, name in tensors.append((name, try reader.hash())) }
      default: return false
      }
      return true
    }
    guard let step = numbers[MetricsEvent.stepKey], let ranks = numbers["ranks"], let chain, !tensors.isEmpty else {
      throw reader.failure("step, ranks, chain and tensors", got: "fewer of them")
    }
    self.init(step: step, ranks: ranks, chain: chain, names: tensors.map(\.name), hashes: tensors.map(\.hash))
  }
}

extension JSONReader {
  /// A word as `hexadecimal` writes it.
  mutating func hash() throws -> UInt64 {
    let text = try string("sixteen hexadecimal digits")
    guard let word = UInt64(text, radix: 16), hexadecimal(word) == text else {
      throw failure("sixteen hexadecimal digits", got: quoted(text))
    }
    return word
  }
}
