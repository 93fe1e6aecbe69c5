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
    #expect(
      try read(text) == [.skipped(step: 3), .rolledBack(step: 2, rollbacks: 1, learningRateFactor: 1e-6)])
    #expect(try SetbackRecord.read(Place("/nowhere/metrics.jsonl")).isEmpty)
  }

  @Test(arguments: [
    #"{"event":"skipped"}"#, #"{"event":"skipped","step":-1}"#, #"{"event":"skipped","step":1.5}"#,
    #"{"event":"rolledBack","step":1,"rollbacks":1}"#, #"{"event":"rolledBack","step":1,"learningRateFactor":0.5}"#,
    #"{"event":"rolledBack","step":1,"rollbacks":1,"learningRateFactor":0}"#,
    #"{"event":"rolledBack","step":1,"rollbacks":1,"learningRateFactor":1e999}"#,
    #"{"event":"rolledBack","step":1,"rollbacks":1,"learningRateFactor":"1"}"#,
  ])
  func aMalformedOneIsRefused(line: String) throws {
    let error = #expect(throws: Problem.self) { try read(line + "\n") }
    #expect(error?.exit == .badData && error?.message.contains("line 1") == true)
  }
}
