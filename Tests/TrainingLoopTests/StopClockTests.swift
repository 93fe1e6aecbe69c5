import DataParallel
import TestSupport
import Testing

@Suite struct StopClockTests {
  private func clock(timeLimit: Double?, schedulerEnd: Double?) -> StopClock {
    StopClock(timeLimit: timeLimit, schedulerEnd: schedulerEnd, checkpointBytes: 0)
  }

  @Test func withoutALimitThereIsNoReasonToStop() {
    #expect(clock(timeLimit: nil, schedulerEnd: nil).reason(atSeconds: .greatestFiniteMagnitude) == nil)
  }

  @Test func theEarlierEndCounts() {
    #expect(clock(timeLimit: 100, schedulerEnd: 200).reason(atSeconds: 250) == .timeLimit)
    #expect(clock(timeLimit: 300, schedulerEnd: 200).reason(atSeconds: 250) == .schedulerEnd)
    #expect(clock(timeLimit: nil, schedulerEnd: 200).reason(atSeconds: 250) == .schedulerEnd)
    #expect(clock(timeLimit: nil, schedulerEnd: 200).reason(atSeconds: 150) == nil)
  }

  /// A job of random checkpoints, none longer than the longest seen, that looks at the clock at every timestep ends in
  /// time.
  @Test func whatWasMeasuredIsReserved() {
    var random = SplitMix(state: 3)
    for _ in 0..<1000 {
      let (timestep, checkpoint) = (
        Double.random(in: 0.01...1, using: &random), Double.random(in: 0...30, using: &random)
      )
      var clock = clock(timeLimit: 200, schedulerEnd: nil)
      clock.measuredCheckpoint(seconds: checkpoint)
      clock.measuredCheckpoint(seconds: checkpoint / 2)
      var now = 0.0
      while clock.reason(atSeconds: now) == nil { now += Double.random(in: 0...1, using: &random) * timestep }
      #expect(now + checkpoint <= 200)
      // Nor does it give away more than it has to.
      #expect(now + timestep + 1.5 * checkpoint + 1 >= 200)
    }
  }

  @Test func theFirstCheckpointIsEstimatedFromItsSizeUntilOneIsMeasured() {
    var clock = StopClock(timeLimit: 100, schedulerEnd: nil, checkpointBytes: 1_000_000_000)
    #expect(clock.reservedSeconds() > 10)
    clock.measuredCheckpoint(seconds: 2)
    #expect(clock.reservedSeconds() == 4)
    // One that is being written has to end before the last one begins.
    #expect(clock.reservedSeconds(isWriting: true) == 7)
    #expect(clock.reason(atSeconds: 94) == nil && clock.reason(atSeconds: 94, isWriting: true) == .timeLimit)
  }
}
