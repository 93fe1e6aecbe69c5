import Files
import Foundation
import TestSupport
import Testing
import TrainingLoop

@Suite struct LossCourseTests {
  @Test func onlyLossesThatAllLieFarAboveTheFirstCount() {
    func endsAbove(_ losses: [Double]) -> Bool? { LossCourse(losses)?.endsFarAboveStart }
    #expect(endsAbove([4, 1, 9, 9, 9, 9, 9]) == false)
    #expect(endsAbove([4, 9, 9, 9, 9, 9]) == true)
    // One batch among the last twenty is not bad, or one before them.
    #expect(endsAbove([4] + Array(repeating: 9, count: 30) + [7, 9]) == false)
    #expect(endsAbove([4, 1] + Array(repeating: 9, count: 20)) == true)
    // A noisy start, and too little to tell.
    #expect(endsAbove([4, 5, 7, 6, 5, 7.9]) == false)
    #expect(endsAbove([4, 9, 9, 9, 9]) == nil && endsAbove([]) == nil && endsAbove([-1, 9, 9, 9, 9, 9]) == nil)
  }

  /// Of a long file both ends are read, and lines that are cut or of another kind are passed over.
  @Test func theFileHasBothEnds() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("metrics-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    func course(_ losses: [Double], tail: String = "") throws -> LossCourse? {
      let lines = losses.enumerated().map { step, loss in
        #"{"event":"step","step":\#(step + 1),"trainLoss":\#(loss),"pad":"\#(String(repeating: "x", count: 200))"}"#
          + "\n"
          + #"{"event":"evaluated","step":\#(step + 1),"validationLoss":0}"# + "\n"
      }
      try (lines.joined() + tail).write(toFile: path, atomically: true, encoding: .utf8)
      return try LossCourse(metrics: Place(path))
    }
    #expect(try LossCourse(metrics: Place(path)) == nil)
    for count in [10, 2000] {
      let rising = [3] + Array(repeating: 7.5, count: count)
      let found = try #require(try course(rising, tail: #"{"event":"step","step":9,"trainLoss":1"#))
      #expect(found.first == 3 && found.least == 7.5 && found.count == min(count, 20) && found.endsFarAboveStart)
      #expect(try course(rising + [2])?.endsFarAboveStart == false)
    }
  }
}
