import Foundation
import Testing
import Timing
import TrainingLoop

@Suite struct TraceTextTests {
  private struct Trace: Decodable {
    struct Event: Decodable {
      struct Arguments: Decodable {
        let name: String?
        let step: Int?
      }
      let name: String
      let cat: String?
      let ph: String
      let ts: Double
      let dur: Double?
      let pid: Int
      let tid: Int
      let args: Arguments
    }
    let traceEvents: [Event]
  }

  private func events(_ events: [TraceEvent], rank: Int = 0) throws -> [Trace.Event] {
    var text = TraceText.head
    try TraceText(partNames: ["embedding", "output"], originSeconds: 10).append(events, rank: rank, host: "a\"b") {
      text += $0
    }
    return try JSONDecoder().decode(Trace.self, from: Data((text + TraceText.tail).utf8)).traceEvents
  }

  private func event(
    _ kind: TraceEvent.Kind, _ begin: Double, _ end: Double, part: Int32 = -1, phase: Phase = .backward
  ) -> TraceEvent {
    TraceEvent(begin: begin, end: end, step: 7, part: part, kind: kind, phase: phase)
  }

  /// Microseconds since the origin, to the nanosecond.
  @Test(arguments: [
    (10.0, 10.5, 0.0, 500_000.0), (10.000001005, 10.000001014, 1.005, 0.009), (10.00000002, 10.0001, 0.02, 99.98),
    (10.0012, 10.0013, 1200, 100), (9.5, 10.000002, 0, 2),
  ])
  func timesAreMicroseconds(begin: Double, end: Double, ts: Double, duration: Double) throws {
    let found = try #require(try events([event(.step, begin, end)]).last)
    #expect(found.ph == "X" && found.ts == ts && found.dur == duration)
  }

  @Test func eventsHaveTheLaneOfTheirPart() throws {
    let all = try events(
      [
        event(.step, 10, 11), event(.phase, 10, 11, phase: .data), event(.phase, 10, 11, part: 1),
        event(.exchange, 10, 11, part: 0), event(.ready, 10, 11, part: 1), event(.reading, 10, 11, part: 0),
      ], rank: 3
    ).dropFirst()
    #expect(all.allSatisfy { $0.pid == 3 })
    let names = all.filter { $0.ph == "M" && $0.args.name != nil }
    #expect(names.map(\.tid) == [0, 0, 1, 2])
    #expect(
      names.compactMap(\.args.name)
        == ["rank 3 (a\"b)", "computation", "communication: output", "communication: embedding"])
    let spans = all.filter { $0.ph == "X" }
    #expect(
      spans.map(\.name)
        == ["step 7", "data", "backward output", "embedding", "output ready", "reading embedding"])
    #expect(spans.map(\.tid) == [0, 0, 0, 2, 1, 2] && spans.allSatisfy { $0.args.step == 7 })
    #expect(
      spans.map(\.cat) == ["step"] + Array(repeating: "computation", count: 2)
        + Array(repeating: "communication", count: 3))
  }
}
