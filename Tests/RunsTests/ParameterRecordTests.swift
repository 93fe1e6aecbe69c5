import Files
import Foundation
import Problems
import Runs
import TestSupport
import Testing

/// The records of parameters among the lines of a metrics file.
struct ParameterRecordTests {
  private static let records = [3, 5].map {
    ParameterRecord(step: $0, ranks: 2, chain: 0xABC << UInt64($0), names: ["b", "a"], hashes: [.max, UInt64($0)])
  }

  private func read(_ lines: [String], end: String = "") throws -> [ParameterRecord] {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("records-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: url) }
    try Data((lines.map { $0 + "\n" }.joined() + end).utf8).write(to: url)
    return try ParameterRecord.read(Place(url.path))
  }

  @Test func recordsReadBackAsTheyWereWritten() throws {
    let lines = Self.records.map(\.json.text)
    #expect(
      lines[0] == #"{"event":"parameters","step":3,"ranks":2,"chain":"00000000000055e0","#
        + #""tensors":{"b":"ffffffffffffffff","a":"0000000000000003"}}"#)
    #expect(try read(lines) == Self.records)
  }

  @Test func otherLinesAndATornEndArePassedOver() throws {
    let lines = Self.records.map(\.json.text)
    let step = #"{"event":"step","step":3,"trainLoss":null}"#
    #expect(try read([step, lines[0], "", "rubbish", "[1]", step, lines[1]], end: lines[0]) == Self.records)
    #expect(try read([lines[0]], end: String(lines[1].dropLast(9))) == [Self.records[0]])
    #expect(try read([]) == [])
    #expect(try ParameterRecord.read(Place("/nowhere/metrics.jsonl")) == [])
  }

  @Test(arguments: [
    #""step":0,"ranks":2,"chain":"00000000000055e0","tensors":{"a":"0000000000000003"}"#,
    #""step":3,"ranks":0,"chain":"00000000000055e0","tensors":{"a":"0000000000000003"}"#,
    #""step":3,"ranks":2,"tensors":{"a":"0000000000000003"}"#, #""step":3,"ranks":2,"chain":"00000000000055e0""#,
    #""step":3,"ranks":2,"chain":"55e0","tensors":{"a":"0000000000000003"}"#,
    #""step":3,"ranks":2,"chain":"00000000000055E0","tensors":{"a":"0000000000000003"}"#,
    #""step":3,"ranks":2,"chain":"00000000000055e0","tensors":{"a":7}"#,
    #""step":3,"ranks":2,"chain":"00000000000055e0","tensors":{}"#,
  ])
  func aMalformedRecordIsAnErrorWithItsLine(members: String) throws {
    let line = #"{"event":"parameters","# + members + "}"
    let error = #expect(throws: Problem.self) { try read(["{}", line]) }
    #expect(error?.exitCode == 65 && error?.message.contains("line 2)") == true, "\(String(describing: error))")
  }

  @Test func recordsOutOfOrderAreAnError() throws {
    let lines = Self.records.map(\.json.text)
    for order in [[lines[1], lines[0]], [lines[0], lines[0]]] {
      let error = #expect(throws: Problem.self) { try read(order) }
      #expect(error?.exitCode == 65 && error?.message.contains("out of order") == true)
    }
  }
}
