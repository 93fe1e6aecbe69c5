import Testing
import TrainingLoop

/// Clocks of other hosts, from the times that messages take.
@Suite struct ClockOffsetTests {
  @Test func theShortestRoundTripSaysHowFarAClockIsOff() {
    // Sent and received by rank 0's clock, read by the other's in between.
    let cases: [(trips: [(sent: Double, there: Double, received: Double)], offset: Double)] = [
      ([], 0),
      ([(10, 110, 12)], -99),
      ([(10, 110, 12), (20, 120.5, 21), (30, 131.9, 32)], -100),
      ([(10, 5, 11)], 5.5),
      // A clock that may be the same one is taken for it.
      ([(10, 10, 12)], 0), ([(10, 11.9, 12)], 0), ([(10, 12, 12)], 0),
      ([(10, 50, 13), (20, 20.5, 21)], 0),
    ]
    for (trips, offset) in cases {
      var found = RoundTrips()
      for trip in trips { found.add(sent: trip.sent, there: trip.there, received: trip.received) }
      #expect(found.offsetSeconds == offset, "\(trips)")
    }
  }

  @Test func aClockThatDriftsIsCorrectedInProportionToTheTime() {
    let correction = ClockCorrection(
      first: ClockOffset(atSeconds: 100, offsetSeconds: 2), last: ClockOffset(atSeconds: 300, offsetSeconds: 6))
    for (own, root) in [(100.0, 102.0), (150, 153), (200, 204), (300, 306), (50, 51)] {
      #expect(correction.rootSeconds(own) == root)
    }
    let once = ClockOffset(atSeconds: 100, offsetSeconds: 2)
    #expect(ClockCorrection(first: once, last: once).rootSeconds(50) == 52)
  }
}
