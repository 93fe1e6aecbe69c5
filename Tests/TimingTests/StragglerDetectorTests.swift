import Testing
import Timing

/// Seconds of one rank: of forward, backward, update, and of what is no rank's own work.
private func rank(
  _ forward: Double, _ backward: Double = 2, update: Double = 0.5, waiting: Double = 0, coordination: Double = 0
) -> PhaseSeconds {
  var seconds = PhaseSeconds()
  (seconds[.forward], seconds[.backward], seconds[.update]) = (forward, backward, update)
  (seconds[.wait], seconds[.coordination]) = (waiting, coordination)
  return seconds
}

private let even = [rank(1.5), rank(1.5), rank(1.5)]

@Suite struct StragglerDetectorTests {
  struct Case: Sendable {
    let name: String
    /// What every step looks like, and how often it comes.
    let steps: [(ranks: [PhaseSeconds], times: Int)]
    /// Steps, counted from 1, at which a straggler is reported.
    let reports: [Int: Straggler]
    /// Of each rank; nil for as many on each.
    var sequences: [Int]?
  }

  static let cases = [
    Case(name: "all alike", steps: [(even, 200)], reports: [:]),
    Case(name: "one rank alone is behind nobody", steps: [([rank(9)], 200)], reports: [:]),
    Case(
      name: "a quarter behind, once for the whole time",
      steps: [([rank(1.5), rank(2.5), rank(1.5)], 200)],
      reports: [50: Straggler(rank: 1, behind: 0.25, phase: .forward)]),
    Case(
      name: "just a fifth is not more than a fifth", steps: [([rank(7.5), rank(9.5, 2), rank(7.5)], 99)], reports: [:]),
    Case(
      name: "49 steps are not 50", steps: [(even, 3), ([rank(1.5), rank(9), rank(1.5)], 49), (even, 60)], reports: [:]),
    Case(
      name: "a good step breaks the row, and the row may come again",
      steps: [([rank(9), rank(1.5)], 49), ([rank(1.5), rank(1.5)], 1), ([rank(5.5), rank(1.5)], 120)],
      reports: [100: Straggler(rank: 0, behind: 1, phase: .forward)]),
    Case(
      name: "two ranks by turns are none",
      steps: (0..<40).flatMap { _ in [([rank(9), rank(1.5)], 5), ([rank(1.5), rank(9)], 5)] }, reports: [:]),
    Case(
      name: "the phase is where most was lost, not where most time went",
      steps: [([rank(1.5), rank(1.5), rank(1.5, 2.25, update: 1.25)], 50)],
      reports: [50: Straggler(rank: 2, behind: 0.25, phase: .update)]),
    Case(
      name: "waiting, and what rank 0 does for all, make nobody slow",
      steps: [([rank(1.5, coordination: 9), rank(1.5, waiting: 9)], 90)], reports: [:]),
    Case(
      name: "two of four ranks are slow: the slower one, against the median of the others",
      steps: [([rank(1.5), rank(5.5), rank(1.5), rank(3.5)], 50)],
      reports: [50: Straggler(rank: 1, behind: 1, phase: .forward)]),
    Case(
      name: "twice the sequences explain twice the time, and the update is not of sequences",
      steps: [([rank(1), rank(2, 4), rank(1)], 200)], reports: [:], sequences: [2, 4, 2]),
    Case(
      name: "what they do not explain counts: a quarter more than the 6.5 that are expected",
      steps: [([rank(1), rank(3.625, 4), rank(1)], 200)],
      reports: [50: Straggler(rank: 1, behind: 0.25, phase: .forward)], sequences: [2, 4, 2]),
    Case(
      name: "a rank with fewer sequences need not be faster",
      steps: [([rank(1.5), rank(1.5), rank(1.5)], 200)], reports: [:], sequences: [4, 1, 4]),
    Case(
      name: "where steps take a millisecond a fifth of a second has to be lost: 0.5 ms in each of 400",
      steps: [([rank(0.5 / 1024, 0.5 / 1024, update: 0), rank(1.0 / 1024, 0.5 / 1024, update: 0)], 1000)],
      reports: [410: Straggler(rank: 1, behind: 0.5, phase: .forward)]),
  ]

  @Test(arguments: cases.indices) func reportsTheRankThatIsBehind(index: Int) {
    let test = StragglerDetectorTests.cases[index]
    var detector = StragglerDetector(sequences: test.sequences ?? test.steps[0].ranks.map { _ in 4 })
    var (step, reports) = (0, [Int: Straggler]())
    for (ranks, times) in test.steps {
      for _ in 0..<times {
        step += 1
        reports[step] = detector.add(ranks)?.straggler
      }
    }
    #expect(reports == test.reports, "\(test.name)")
  }

  @Test func theSlowestOfTheWholeRunNeedNoRow() {
    var detector = StragglerDetector(sequences: [1, 3])
    #expect(detector.slowest == nil)
    _ = detector.add([rank(1.5), rank(1.5)])
    _ = detector.add([rank(1.5), rank(3.5)])
    #expect(detector.slowest == Straggler(rank: 1, behind: 0.25, phase: .forward))
  }
}
