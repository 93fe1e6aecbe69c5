import Files
import Foundation
import Problems
import Runs
import TestSupport
import Testing

@Suite struct SetbackRecordTests {
  private func read(_ text: String) throws -> [SetbackRecord] {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("setbacks-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    return try SetbackRecord.read(Place(path))
  }

  @Test func onlyWholeRecordsOfSetbacksAreRead() throws {
    let text = """
      {"event":"step","step":3,"trainLoss":null}
      {"event":"skipped","step":3,"inARow":1}
      {"event":"rolledBack","step":2,"from":5,"rollbacks":1,"learningRateFactor":1e-06}
      not a record
      {"event":"skipped","step":4
      """
    let back = RolledBackRecord(step: 2, from: 5, rollbacks: 1, learningRateFactor: 1e-6, because: nil)
    #expect(try read(text) == [.skipped(SkippedRecord(step: 3, inARow: 1)), .rolledBack(back)])
    #expect(try SetbackRecord.read(Place("/nowhere/metrics.jsonl")).isEmpty)
  }

  @Test func recordsReadBackAsTheyWereWritten() throws {
    let skipped = SkippedRecord(step: 3, inARow: 2)
    #expect(skipped.json.text == #"{"event":"skipped","step":3,"inARow":2}"#)
    let backs = [nil, "step 5: \"NaN\""].map {
      RolledBackRecord(step: 2, from: 5, rollbacks: 1, learningRateFactor: 0.5, because: $0)
    }
    #expect(
      backs[0].json.text
        == #"{"event":"rolledBack","step":2,"from":5,"rollbacks":1,"learningRateFactor":0.5,"because":null}"#)
    let lines = [skipped.json.text] + backs.map(\.json.text)
    #expect(
      try read(lines.map { $0 + "\n" }.joined())
        == [.skipped(skipped), .rolledBack(backs[0]), .rolledBack(backs[1])])
  }

  @Test(arguments: [
    #"{"event":"skipped"}"#, #"{"event":"skipped","step":1}"#, #"{"event":"skipped","step":1,"inARow":0}"#,
    #"{"event":"skipped","step":-1}"#, #"{"event":"skipped","step":1.5}"#,
    #"{"event":"rolledBack","step":1,"from":2,"rollbacks":1}"#,
    #"{"event":"rolledBack","step":1,"from":2,"learningRateFactor":0.5}"#,
    #"{"event":"rolledBack","step":1,"from":2,"rollbacks":1,"learningRateFactor":0}"#,
    #"{"event":"rolledBack","step":1,"from":2,"rollbacks":1,"learningRateFactor":1e999}"#,
    #"{"event":"rolledBack","step":1,"from":2,"rollbacks":1,"learningRateFactor":"1"}"#,
  ])
  func aMalformedOneIsRefused(line: String) throws {
    let error = #expect(throws: Problem.self) { try read(line + "\n") }
    #expect(error?.exit == .badData && error?.message.contains("line 1") == true)
  }
}
