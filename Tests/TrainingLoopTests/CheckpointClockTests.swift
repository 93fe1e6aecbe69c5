import TestSupport
import Testing
import TrainingLoop

@Suite struct CheckpointClockTests {
  private func clock(interval: Double = 0, overhead: Double = 0, bytes: Int = 0) -> CheckpointClock {
    CheckpointClock(intervalSeconds: interval, overhead: overhead, startSeconds: 1000, checkpointBytes: bytes)
  }

  @Test func withoutAnIntervalOrABudgetNothingIsEverDue() {
    #expect(!clock(bytes: 1 << 40).isDue(atSeconds: 1e12))
  }

  @Test func anIntervalIsCountedFromTheBeginningOfTheLastOne() {
    var clock = clock(interval: 50)
    #expect(!clock.isDue(atSeconds: 1049) && clock.isDue(atSeconds: 1050))
    clock.began(atSeconds: 1100, stoodStillSeconds: 5)
    #expect(!clock.isDue(atSeconds: 1149) && clock.isDue(atSeconds: 1150))
  }

  /// By an interval or by what it costs, 1,000 seconds here; later ones come as these say.
  @Test func theFirstComesAfterAMinuteAtTheLatest() {
    for (interval, overhead) in [(600.0, 0.0), (0, 0.01), (600, 0.01)] {
      var clock = clock(interval: interval, overhead: overhead, bytes: 2_000_000_000)
      #expect(!clock.isDue(atSeconds: 1059) && clock.isDue(atSeconds: 1060))
      clock.began(atSeconds: 1060, stoodStillSeconds: 0)
      let pause = interval > 0 ? interval : 1000
      #expect(!clock.isDue(atSeconds: 1059 + pause) && clock.isDue(atSeconds: 1060 + pause))
    }
  }

  /// With whatever cost, measured and estimated at first, the share of the time stays within the budget in the long
  /// run.
  @Test func aBudgetIsKept() {
    var random = SplitMix(state: 9)
    for _ in 0..<200 {
      let overhead = Double.random(in: 0.005...0.5, using: &random)
      let cost = Double.random(in: 0.5...20, using: &random)
      var clock = clock(overhead: overhead, bytes: Int.random(in: 0...2_000_000_000, using: &random))
      var (now, spent, count) = (1000.0, 0.0, 0)
      while count < 40 {
        now += 0.25
        guard clock.isDue(atSeconds: now) else { continue }
        let actual = cost * Double.random(in: 0.8...1.2, using: &random)
        clock.began(atSeconds: now, stoodStillSeconds: 0.2 * actual)
        clock.stoodStill(seconds: 0.1 * actual)
        now += actual
        clock.ended(busySeconds: 0.7 * actual)
        (spent, count) = (spent + actual, count + 1)
      }
      let share = spent / (now - 1000)
      // The first ones come by the estimate; a cheap checkpoint comes every ten seconds.
      #expect(share < 1.4 * overhead)
      #expect(share > 0.6 * min(overhead, cost / 10))
    }
  }

  @Test func theFirstCostIsEstimatedFromTheSize() {
    let clock = clock(overhead: 0.05, bytes: 300_000_000)
    #expect(!clock.isDue(atSeconds: 1029) && clock.isDue(atSeconds: 1031))
  }

  @Test func cheapOnesAreNotWrittenAllTheTime() {
    var clock = clock(overhead: 0.02)
    #expect(!clock.isDue(atSeconds: 1009) && clock.isDue(atSeconds: 1010))
    clock.began(atSeconds: 1010, stoodStillSeconds: 0)
    clock.ended(busySeconds: 0)
    #expect(!clock.isDue(atSeconds: 1019) && clock.isDue(atSeconds: 1020))
  }
}
