import JobHealth
import Runs
import TestSupport
import Testing

@Suite struct RankRecordTests {
  /// The record of another process: some bytes of this one's are changed.
  private func changed(_ record: RankRecord, _ change: (inout [UInt8]) -> Void) -> RankRecord? {
    var bytes = record.bytes
    change(&bytes)
    return RankRecord(bytes)
  }

  private func put(_ value: UInt64, _ offset: Int, _ bytes: inout [UInt8]) {
    for place in 0..<8 { bytes[offset + place] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(place))) }
  }

  @Test func aRecordIsReadAsItWasWritten() throws {
    let own = RankRecord(ranks: 513, run: nil)
    #expect(own.bytes.count == RankRecord.byteCount && RankRecord.byteCount <= RankRecord.pageBytes)
    #expect(RankRecord(own.bytes) == own && own.ranks == 513 && own.phase == .starting && own.step == 0)
    #expect(own.hostText == own.host && !own.bootID.isEmpty && own.jobDescription.contains(", started 20"))
    let run = RankRecord(ranks: 2, run: RunIdentity())
    #expect(run.run != nil && RankRecord(run.bytes) == run)
  }

  @Test func stepAndPhaseAreOneNumber() throws {
    for step in [0, 1, 255, 256, 1 << 31, 1 << 40] {
      for phase in (UInt8(0)...9).compactMap(RankPhase.init(rawValue:)) {
        let record = try #require(
          changed(RankRecord(ranks: 1, run: nil)) {
            put(RankRecord.progress(phase, step: step), RankRecord.progressOffset, &$0)
            put(77, RankRecord.movesOffset, &$0)
            put(UInt64(step), RankRecord.beatsOffset, &$0)
            put(1.5.bitPattern, RankRecord.beatSecondsOffset, &$0)
          })
        #expect(record.phase == phase && record.step == step && record.moves == 77)
        #expect(record.beats == UInt64(step) && record.beatSeconds == 1.5)
        #expect(record.activity == phase.description(step: step))
      }
    }
  }

  @Test func bytesOfSomethingElseAreNoRecord() {
    let own = RankRecord(ranks: 1, run: nil)
    #expect(RankRecord(Array(own.bytes.dropLast())) == nil && RankRecord([]) == nil)
    #expect(RankRecord([UInt8](repeating: 0, count: RankRecord.byteCount)) == nil)
    #expect(changed(own) { $0[0] ^= 1 } == nil)
    #expect(changed(own) { $0[RankRecord.progressOffset] = 99 } == nil, "an unknown phase")
    #expect(changed(own) { put(.max, 8, &$0) } == nil, "more ranks than there can be")
  }

  /// Only the processes that one kernel numbers for both can be known to be gone.
  @Test func aProcessIsGoneWhereItsNumberIsKnownAndFree() throws {
    let own = RankRecord(ranks: 1, run: nil)
    func dead(_ change: (inout [UInt8]) -> Void = { _ in }) throws -> RankRecord {
      try #require(
        changed(own) {
          // No process has a number as large.
          put(1 << 30, 16, &$0)
          change(&$0)
        })
    }
    #expect(own.isOnMachine(of: own) && !own.isGone(seenBy: own))
    #expect(try dead().isGone(seenBy: own))
    #expect(try !dead { $0[64] ^= 1 }.isGone(seenBy: own), "of another boot")
    #expect(try !dead { $0[104] ^= 1 }.isGone(seenBy: own), "of another container")
    let nameless = try dead { for place in 64..<104 { $0[place] = 0 } }
    #expect(!nameless.isOnMachine(of: nameless), "two machines that say nothing are not one")
  }

  @Test func aHostNameFitsInOneLine() throws {
    let strange = try #require(
      changed(RankRecord(ranks: 1, run: nil)) {
        for (place, byte) in "a\nb\0".utf8.enumerated() { $0[136 + place] = byte }
      })
    #expect(!strange.hostText.contains("\n") && strange.hostText.contains("a"))
  }
}

@Suite struct RankPhaseTests {
  @Test func everyPhaseSaysWhatARankIsAbout() {
    let phases: [(RankPhase, String)] = [
      (.starting, "starting"), (.computing, "computing step 3"), (.reducing, "adding up the gradients of step 3"),
      (.updating, "updating the parameters of step 3"), (.evaluating, "evaluating after step 3"),
      (.saving, "saving step 3"), (.waiting, "waiting for rank 0's decision after step 3"),
      (.finishing, "finishing"), (.ended, "at its end"), (.working, "at work"),
    ]
    for (phase, text) in phases { #expect(phase.description(step: 3) == text) }
    let known = (UInt8(0)...UInt8.max).compactMap(RankPhase.init(rawValue:))
    #expect(known.count == phases.count)
  }
}
