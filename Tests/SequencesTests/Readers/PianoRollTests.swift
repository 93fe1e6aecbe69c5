import Foundation
import Problems
import Sequences
import Testing

@Suite struct PianoRollTests {
  private static let small = #"{"train": [[[60, 21], [], [108]]], "valid": [[[60], [61]]], "test": [[[62], [62, 62]]]}"#

  private func read(_ text: String) throws -> PianoRolls { try PianoRolls(json: Array(text.utf8), name: "rolls") }

  @Test(arguments: ["", "\u{FEFF}", "\r\n"])
  func framesAreKeysFrom0EachOnceAscending(before: String) throws {
    let rolls = try read(before + Self.small)
    #expect(rolls.training == [[[0, 39], [], [87]]])
    #expect(rolls.validation == [[[39], [40]]] && rolls.test == [[[41], [41]]])
    #expect(rolls.fingerprint[0] == [0, 39, -1, -1, 87, -1, -2])
  }

  @Test(
    arguments: [
      ("", "expected an object"), ("[]", "expected an object"), ("{\"train\": 5}", "expected an array, got a number"),
      ("{\"train\": [[[60.5], [1]]], \"valid\": [], \"test\": []}", "got 60.5"), ("\u{0}", "NUL byte"),
      ("{\"train\": [[[\"60\"]]]}", "got a string (rolls, line 1, column 14, train, piece 0, frame 0)"),
      ("{\"train\": [[[60], [61]]], \"valid\": [[[60], [61]]]}", "without part test"),
      ("{\"train\": [], \"valid\": [[[60], [61]]], \"test\": [[[60], [61]]]}", "without part train"),
      ("{\"train\": [[[60]]], \"valid\": [[[60], [61]]], \"test\": [[[60], [61]]]}", "at least 2 frames, got 1"),
      ("{\"train\": [[]], \"valid\": [[[60], [61]]], \"test\": [[[60], [61]]]}", "at least 2 frames, got 0"),
      (
        "{\"train\": [[[60], [20]]], \"valid\": [[[60], [61]]], \"test\": [[[60], [61]]]}",
        "MIDI notes 21 to 108, got 20 (rolls, train, piece 0, frame 1)"
      ),
      ("{\"train\": [[[60], [109]]], \"valid\": [[[60], [61]]], \"test\": [[[60], [61]]]}", "got 109"),
      ("{\"train\": [[[60], [99999999999999999999]]]}", "got 99999999999999999999"),
      (String(repeating: "[", count: 100_000), "expected an object, got an array"),
    ]) func whatIsNoPianoRollIsBadData(text: String, words: String)
  {
    expectBadData(words, "(rolls") { _ = try read(text) }
  }

  @Test func bytesThatAreNotUTF8AreBadDataAndAMissingFileIsAnInputError() throws {
    expectBadData("text is not UTF-8") { _ = try PianoRolls(json: [0xFF, 0xFE, 0x7B], name: "rolls") }
    let error = #expect(throws: Problem.self) { try PianoRolls(path: "missing.json") }
    #expect(error?.exitCode == 74)
  }

  @Test func theNextFrameIsTheTargetAndPaddingHasNone() throws {
    let rolls = try read(Self.small)
    let source = PianoRollBatches(rolls.training + rolls.test, globalBatch: 3, timesteps: 3, shuffleSeed: nil)
    #expect(source.stepsPerEpoch == 1 && source.targetCount(atStep: 0) == 3)
    let batch = SequenceBatch.allocate(
      timesteps: 3, lanes: 3, inputs: .numbers(88), targets: .everyStepNumbers(88))
    defer { batch.deallocate() }
    source.fill(step: 0, lanes: 0..<3, batch: batch)
    #expect(Array(batch.lengths) == [2, 1, 0])
    func on(_ memory: UnsafeMutableBufferPointer<Float>, t: Int, lane: Int) -> [Int] {
      (0..<88).filter { memory[(t * 3 + lane) * 88 + $0] == 1 }
    }
    #expect(on(batch.numbers, t: 0, lane: 0) == [0, 39] && on(batch.values, t: 0, lane: 0) == [])
    #expect(on(batch.numbers, t: 1, lane: 0) == [] && on(batch.values, t: 1, lane: 0) == [87])
    #expect(on(batch.values, t: 0, lane: 1) == [41])
    #expect(batch.values[2 * 3 * 88].isNaN && batch.values[2 * 88].isNaN && !batch.values[0].isNaN)
  }

  @Test func everyPieceComesOnceAnEpochInAnotherOrder() {
    let pieces: [PianoRolls.Piece] = (0..<7).map { n in (0...n + 1).map { _ in [UInt8(n)] } }
    let source = PianoRollBatches(pieces, globalBatch: 3, timesteps: 8, shuffleSeed: 5)
    func order(_ epoch: Int) -> [Int] {
      (0..<3).flatMap { step in
        (0..<3).compactMap { lane -> Int? in
          let batch = SequenceBatch.allocate(
            timesteps: 8, lanes: 1, inputs: .numbers(88), targets: .everyStepNumbers(88))
          defer { batch.deallocate() }
          source.fill(step: 3 * epoch + step, lanes: lane..<lane + 1, batch: batch)
          return batch.lengths[0] == 0 ? nil : (0..<88).first { batch.numbers[$0] == 1 }
        }
      }
    }
    #expect(order(0).sorted() == Array(0..<7) && order(1).sorted() == Array(0..<7))
    #expect(order(0) != order(1))
    #expect((0..<3).reduce(0) { $0 + source.targetCount(atStep: $1) } == pieces.reduce(0) { $0 + $1.count - 1 })
  }

  @Test(.enabled(if: RealData.folder != nil, RealData.absence))
  func theChoralesAreTheOfficialSplit() throws {
    guard let path = RealData.path("jsb-chorales/jsb-chorales-quarter.json") else { return }
    let rolls = try PianoRolls(path: path)
    let parts = [rolls.training, rolls.validation, rolls.test]
    let (pieces, frames): ([Int], [Int]) = (parts.map(\.count), parts.map { $0.reduce(0) { $0 + $1.count } })
    #expect(pieces == [229, 76, 77])
    #expect(frames == [13807, 4602, 4725])
  }
}
