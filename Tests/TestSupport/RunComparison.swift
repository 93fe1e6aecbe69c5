import Foundation

/// A line of `metrics.jsonl`, as far as it does not depend on the clock and on who computed it.
package struct RunRecord: Equatable, CustomStringConvertible {
  package let event: String
  package let step: Int
  /// The other members, each as its value is written.
  package let members: [String: String]

  /// The value of a member that is a number, nil where it is none.
  package func number(_ key: String) -> Double? { members[key].flatMap(Double.init) }

  package var description: String { "\"\(event)\" of step \(step)" }

  /// What tells of ranks, times and causes.
  private static let passedOver: Set = ["event", "step", "ranks", "because", "dump", "stepsInARow"]

  /// Nil for a record of the identity of a run, of a slow rank, and of where numbers went bad.
  init?(_ line: Substring) throws {
    let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
    guard let object, let event = object["event"] as? String, let step = object["step"] as? Int,
      !["run", "straggler", "nonFinite"].contains(event)
    else { return nil }
    (self.event, self.step) = (event, step)
    members = try object.filter { !RunRecord.passedOver.contains($0.key) && !$0.key.hasSuffix("Seconds") }
      .mapValues { value in
        guard value is [String: Any] || value is [Any] else { return "\(value)" }
        return String(decoding: try JSONSerialization.data(withJSONObject: value, options: .sortedKeys), as: UTF8.self)
      }
  }

  /// Those of a run's directory, in their order, but for the ends that a longer run has gone beyond.
  package static func read(_ run: String) throws -> [RunRecord] {
    let records = try text(run + "/metrics.jsonl").split(separator: "\n").compactMap { try RunRecord($0) }
    return records.enumerated().filter { $1.event != "finished" || $0 == records.count - 1 }.map(\.element)
  }
}

/// What two runs must have in common.
package struct RunComparison {
  /// Records of these events are not compared.
  package var ignoredEvents: Set<String> = []
  /// Nor are members of these names.
  package var ignoredMembers: Set<String> = []
  /// Nor are tensors of these names.
  package var ignoredTensors: Set<String> = []

  package init(
    ignoredEvents: Set<String> = [], ignoredMembers: Set<String> = [], ignoredTensors: Set<String> = []
  ) {
    (self.ignoredEvents, self.ignoredMembers, self.ignoredTensors) = (ignoredEvents, ignoredMembers, ignoredTensors)
  }

  /// The first record and the first tensor of the newest checkpoint in which two run directories differ, in words; nil
  /// where all is the same.
  package func difference(_ run: String, _ other: String) throws -> String? {
    let found = [try differingRecord(run, other), try differingTensor(run, other)].compactMap(\.self)
    let names = [run, other].map { $0.split(separator: "/").suffix(2).joined(separator: "/") }
    return found.isEmpty ? nil : "\(names[0]) and \(names[1]) differ: " + found.joined(separator: "; ")
  }

  private func differingRecord(_ run: String, _ other: String) throws -> String? {
    let records = try [run, other].map { try RunRecord.read($0).filter { !ignoredEvents.contains($0.event) } }
    for (index, (one, two)) in zip(records[0], records[1]).enumerated() {
      let place = "record \(index + 1), \(one)"
      guard (one.event, one.step) == (two.event, two.step) else { return "\(place), is \(two) in the other" }
      let keys = Set(one.members.keys).union(two.members.keys).subtracting(ignoredMembers).sorted()
      let differing = keys.filter { one.members[$0] != two.members[$0] }
      if differing.isEmpty { continue }
      let values = differing.map {
        "\($0) \(one.members[$0] ?? "missing") and \(two.members[$0] ?? "missing")"
      }
      return "\(place): \(values.joined(separator: ", "))"
    }
    let counts = records.map(\.count)
    return counts[0] == counts[1] ? nil : "\(counts[0]) and \(counts[1]) records"
  }

  private func differingTensor(_ run: String, _ other: String) throws -> String? {
    let newest = try [run, other].map { try list($0 + "/checkpoints").last { $0.hasPrefix("step-") } ?? "none" }
    guard newest[0] == newest[1], newest[0] != "none" else { return "newest checkpoint \(newest[0]) and \(newest[1])" }
    for file in ["model", "optimizer", "state"] {
      let tensors = try [run, other].map {
        try TensorReader(get("\($0)/checkpoints/\(newest[0])/\(file).safetensors")).tensors
      }
      for name in Set(tensors[0].keys).union(tensors[1].keys).sorted() where !ignoredTensors.contains(name) {
        guard let one = tensors[0][name], let two = tensors[1][name] else {
          return "tensor \(name) of \(newest[0])/\(file) is there once only"
        }
        if one.dtype == two.dtype, one.shape == two.shape, Array(one.bytes) == Array(two.bytes) { continue }
        return "tensor \(name) of \(newest[0])/\(file): \(RunComparison.words(one, two))"
      }
    }
    return nil
  }

  private static func words(_ one: TensorReader.Tensor, _ two: TensorReader.Tensor) -> String {
    guard one.dtype == two.dtype, one.shape == two.shape else {
      return "\(one.dtype) \(one.shape) and \(two.dtype) \(two.shape)"
    }
    guard one.dtype != "U8" else { return "other bytes" }
    let (a, b) = (one.values, two.values)
    let places = a.indices.filter { a[$0].bitPattern != b[$0].bitPattern }
    return places.first.map { "\(places.count) of \(a.count) numbers, the first at \($0): \(a[$0]) and \(b[$0])" }
      ?? "other bits"
  }
}
