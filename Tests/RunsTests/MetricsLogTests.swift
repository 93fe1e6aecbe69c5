import Files
import Foundation
import Runs
import TestSupport
import Testing

/// Three steps, an evaluation and an end.
private let lines = [
  #"{"event":"started","ranks":4}"#, #"{"event":"step","step":1,"trainLoss":2.5}"#,
  #"{"event":"step","step":2,"trainLoss":2.25}"#, #"{"event":"evaluation","step":2,"validationLoss":2.0}"#,
  #"{"event":"step", "trainLoss":1.0, "step":3 }"#, #"{"event":"finished","step":3}"#,
]

private func joined(_ lines: some Sequence<String>) -> String { lines.map { $0 + "\n" }.joined() }

@Suite struct MetricsLogTests {
  @Test func recordsAreCompactLinesInTheOrderGiven() throws {
    try withDirectory { directory in
      let path = directory + "/metrics.jsonl"
      let log = try MetricsLog(Place(path), keeping: .start)
      try log.append([
        "event": "finished", "step": 500, "trainLoss": 1.9, "validationLoss": nil, "parametersSHA256": "ab",
      ])
      #expect(
        try text(path)
          == #"{"event":"finished","step":500,"trainLoss":1.9,"validationLoss":null,"parametersSHA256":"ab"}"# + "\n")
      try log.append([
        "n": .number(.nan), "i": .number(-.infinity), "s": "a\"\\\n\u{1}\u{1f}ü", "l": [1, true],
        "o": .object(["k": "v"]),
        "absent": .number(nil as Double?), "u": .unsigned(.max),
      ])
      #expect(
        try text(path).split(separator: "\n")[1]
          == #"{"n":null,"i":null,"s":"a\"\\\n\u0001\u001fü","l":[1,true],"o":{"k":"v"},"absent":null,"u":18446744073709551615}"#
      )
    }
  }

  @Test func everyLossReadsBackAsTheSameNumber() throws {
    try withDirectory { directory in
      let path = directory + "/metrics.jsonl"
      let log = try MetricsLog(Place(path), keeping: .start)
      var random = SplitMix(state: 3)
      var losses: [Double] = [0, -0.0, 0.1, 1e-300, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 1e16, 123456789]
      losses += (0..<1000).map { _ in Double(bitPattern: random.next()) }.filter(\.isFinite)
      for loss in losses { try log.append(["loss": .number(loss)]) }
      for (line, loss) in zip(try text(path).split(separator: "\n"), losses) {
        #expect(Double(line.dropFirst(8).dropLast())?.bitPattern == loss.bitPattern)
        #expect((try? JSONSerialization.jsonObject(with: Data(line.utf8))) != nil, "\(line)")
      }
    }
  }

  @Test func truncationDropsWhatIsNewerAndKeepsTheRestByteForByte() throws {
    try withDirectory { directory in
      let path = directory + "/metrics.jsonl"
      for (step, kept) in [(0, 1), (1, 2), (2, 4), (3, 6), (9, 6)] {
        try put(joined(lines).utf8, path)
        #expect(try MetricsLog.truncate(Place(path), to: .init(step: step)) == 6 - kept)
        #expect(try text(path) == joined(lines.prefix(kept)))
      }
      #expect(try list(directory) == ["metrics.jsonl"])
    }
  }

  @Test func onlyALastLineIsTakenForTornAtEveryLengthOfIt() throws {
    try withDirectory { directory in
      let path = directory + "/metrics.jsonl"
      let last = lines[1]
      for length in 1...last.utf8.count {
        try put((joined(lines[0...0]) + last.prefix(length)).utf8, path)
        #expect(try MetricsLog.truncate(Place(path), to: .init(step: 9)) == 1)
        #expect(try text(path) == joined(lines[0...0]))
      }
      // Blocks of zeros as a power cut leaves them, and half a line that a line feed follows.
      for torn in ["\0\0\0\0", "{\"step\":1,\n"] {
        try put((joined(lines[0...0]) + torn).utf8, path)
        #expect(try MetricsLog.truncate(Place(path), to: .init(step: 9)) == 1)
        #expect(try text(path) == joined(lines[0...0]))
      }
      // In the middle a foreign line stays, and so does the step of a nested object.
      let foreign = "# note\n{\"of\":{\"step\":99}}\n\n"
      try put((foreign + joined(lines)).utf8, path)
      try MetricsLog.truncate(Place(path), to: .init(step: 2))
      #expect(try text(path) == foreign + joined(lines.prefix(4)))
      try put([], path)
      #expect(try MetricsLog.truncate(Place(path), to: .init(step: 2)) == 0)
    }
  }

  /// A crash came between the record of a rollback and the checkpoint that counts it.
  @Test func aRollbackThatNoCheckpointKnowsIsDropped() throws {
    try withDirectory { directory in
      let path = directory + "/metrics.jsonl"
      let rollbacks = (1...3).map { #"{"event":"rolledBack","step":2,"rollbacks":\#($0)}"# }
      for known in 0...3 {
        try put(joined(lines.prefix(1) + rollbacks).utf8, path)
        let log = try MetricsLog(Place(path), keeping: .init(step: 2, rollbacks: known))
        try log.append(["step": 3])
        #expect(try text(path) == joined(lines.prefix(1) + rollbacks.prefix(known)) + "{\"step\":3}\n")
      }
    }
  }

  @Test func openingContinuesAfterTheCheckpoint() throws {
    try withDirectory { directory in
      let path = directory + "/metrics.jsonl"
      try put((joined(lines) + "{\"ev").utf8, path)
      let log = try MetricsLog(Place(path), keeping: .init(step: 2))
      try log.append(["step": 3])
      #expect(try text(path) == joined(lines.prefix(4)) + "{\"step\":3}\n")
    }
  }
}
