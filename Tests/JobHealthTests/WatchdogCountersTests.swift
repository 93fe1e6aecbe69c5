import JobHealth
import TestSupport
import Testing

/// Who is silent, who makes no progress and which rank is named, wake-up by wake-up.
@Suite struct WatchdogCountersTests {
  private static let template = RankRecord(ranks: 3, run: nil)

  private static func record(beats: Int, phase: RankPhase) -> RankRecord {
    var bytes = template.bytes
    for place in 0..<8 {
      bytes[RankRecord.beatsOffset + place] = UInt8(truncatingIfNeeded: beats >> (8 * place))
      bytes[RankRecord.progressOffset + place] = UInt8(
        truncatingIfNeeded: RankRecord.progress(phase, step: 7) >> (8 * place))
    }
    return RankRecord(bytes)!
  }

  // MARK: Whom and how often

  @Test(
    arguments: [
      (0, [0, 1, 2], 1), (1, [0, 1, 2], 2), (2, [0, 1, 2], 0), (2, [0, 2, 5], 5), (5, [0, 2, 5], 0), (0, [0], nil),
      (3, [3], nil), (0, [], nil),
    ] as [(Int, [Int], Int?)])
  func theNextRankIsWatchedAndByTheLastTheFirst(rank: Int, ranks: [Int], watched: Int?) {
    #expect(WatchdogCounters(rank: rank, ranks: ranks, limitSeconds: 10).watched == watched)
    #expect(WatchdogCounters(rank: rank, ranks: ranks, limitSeconds: 0).watched == nil)
  }

  @Test(arguments: [(0, 4), (1, 0.1), (3, 0.25), (12, 1), (48, 4), (3600, 4)] as [(Int, Double)])
  func theThreadWakesTwelveTimesWithinTheLimitAndEveryFourSecondsAtLeast(limitSeconds: Int, tickSeconds: Double) {
    var counters = WatchdogCounters(rank: 0, ranks: [0, 1], limitSeconds: limitSeconds)
    #expect(counters.tickSeconds == tickSeconds && counters.limitSeconds == limitSeconds)
    counters.allow(seconds: 24)
    #expect(counters.tickSeconds == 2 && counters.limitSeconds == 24)
  }

  // MARK: Who is lost

  /// What rank 1 of 3 sees of rank 2 and of itself, in wake-ups from 0.
  private struct Case {
    let name: Comment
    var beatsUntil = Int.max
    var phase = RankPhase.computing
    var gone = 0..<0
    var movesUntil = Int.max
    var behindUntil = 0
    var workingUntil = 0
    var hasEnded = false
    /// Nil where the job goes on.
    let expected: (reason: WatchdogCounters.Reason, rank: Int, wakeUp: Int)?
  }

  /// The limit is 12 wake-ups.
  private func loss(_ test: Case) -> (loss: WatchdogCounters.Loss, wakeUp: Int)? {
    var counters = WatchdogCounters(rank: 1, ranks: [0, 1, 2], limitSeconds: 12)
    for wakeUp in 0..<400 {
      counters.allow(seconds: 12)
      let loss = counters.wake(
        Self.record(beats: min(wakeUp, test.beatsUntil), phase: test.phase),
        moves: UInt64(min(wakeUp, test.movesUntil)), hasEnded: test.hasEnded,
        isGone: { _ in test.gone.contains(wakeUp) },
        isAnybodyBehind: { wakeUp < test.behindUntil },
        own: { Self.record(beats: 0, phase: wakeUp < test.workingUntil ? .working : .reducing) })
      if let loss { return (loss, wakeUp) }
    }
    return nil
  }

  @Test func theLostRankIsNamedAtTheRightWakeUp() {
    let always = 0..<400
    let cases = [
      Case(name: "all is well", expected: nil),
      Case(name: "silent from the start", beatsUntil: 0, expected: (.silent, 2, 12)),
      Case(name: "silent later", beatsUntil: 5, expected: (.silent, 2, 17)),
      Case(name: "silence comes before progress", beatsUntil: 120, movesUntil: 12, expected: (.silent, 2, 132)),
      Case(name: "gone", gone: 3..<400, expected: (.died, 2, 4)),
      Case(name: "gone at one wake-up alone", gone: 3..<4, expected: nil),
      Case(name: "gone before it counts as silent", beatsUntil: 0, gone: 10..<400, expected: (.died, 2, 11)),
      Case(name: "silent before it counts as gone", beatsUntil: 0, gone: 11..<400, expected: (.silent, 2, 12)),
      Case(name: "no progress", movesUntil: 0, expected: (.noProgress, 1, 120)),
      Case(name: "no progress later", movesUntil: 5, expected: (.noProgress, 1, 125)),
      Case(name: "waiting", movesUntil: 0, behindUntil: 400, expected: nil),
      // At 49 the count is the limit for the last time.
      Case(name: "waited", movesUntil: 0, behindUntil: 50, expected: (.noProgress, 1, 49 + 108)),
      Case(name: "working", movesUntil: 0, workingUntil: 400, expected: nil),
      Case(name: "has worked", movesUntil: 0, workingUntil: 200, expected: (.noProgress, 1, 200)),
      Case(name: "it has ended", beatsUntil: 0, phase: .ended, gone: always, movesUntil: 0, expected: nil),
      Case(name: "both have ended", beatsUntil: 0, phase: .ended, hasEnded: true, expected: (.silent, 2, 12)),
      Case(name: "this rank has ended", gone: always, movesUntil: 0, hasEnded: true, expected: nil),
      Case(name: "this rank has ended, it is silent", beatsUntil: 3, hasEnded: true, expected: (.silent, 2, 15)),
    ]
    for test in cases {
      let found = loss(test)
      #expect(found?.loss.reason == test.expected?.reason, test.name)
      #expect(found?.loss.rank == test.expected?.rank && found?.wakeUp == test.expected?.wakeUp, test.name)
    }
  }

  @Test(arguments: [
    (
      0, 400, "a rank is silent — expected a sign of life within 12 s, got none from rank 2 on host ",
      "computing step 7"
    ),
    (400, 400, "a rank has died — expected a running process, got none from rank 2 on host ", "computing step 7"),
    (
      400, 0, "a rank makes no progress — expected a new phase within 120 s, got none from rank 1 on host ",
      "adding up the gradients of step 7"
    ),
  ])
  func theMessageSaysWhoWasSeenDoingWhat(beatsUntil: Int, movesUntil: Int, beginning: String, activity: String) throws {
    let gone = beatsUntil == movesUntil ? 0..<400 : 0..<0
    let found = try #require(
      loss(Case(name: "", beatsUntil: beatsUntil, gone: gone, movesUntil: movesUntil, expected: nil)))
    let problem = found.loss.problem(limitSeconds: 12)
    #expect(problem.exitCode == 77 && problem.message.hasPrefix(beginning), "\(problem.message)")
    #expect(problem.message.hasSuffix(", last seen \(activity) (process \(Self.template.process))"))
  }

  // MARK: Another limit

  /// Wake-ups until a silent rank is lost, once the limit is another after 100 of them within 480 s, 4 s apart.
  @Test(
    arguments: [
      (480, 20),
      // As far apart as before: what has been counted stands.
      (600, 50),
      // Within 12 s, 1 s apart: 4 and one more for a rank that still sleeps.
      (12, 12 + 5), (0, nil),
    ] as [(Int, Int?)])
  func anotherLimitLeavesOthersTheTimeToWakeUp(limitSeconds: Int, wakeUps: Int?) {
    var counters = WatchdogCounters(rank: 0, ranks: [0, 1], limitSeconds: 480)
    func isLost(at wakeUp: Int) -> Bool {
      counters.wake(
        Self.record(beats: 9, phase: .computing), moves: UInt64(wakeUp), hasEnded: false, isGone: { _ in false },
        isAnybodyBehind: { false }, own: { nil }) != nil
    }
    // The first beat is news.
    for wakeUp in 0...100 { #expect(!isLost(at: wakeUp)) }
    counters.allow(seconds: limitSeconds)
    #expect((1...200).first { isLost(at: 100 + $0) } == wakeUps)
  }

  // MARK: Who waits for whom

  @Test(
    arguments: [
      ([], false), ([(0, .computing, 5)], true), ([(2, .computing, 5)], false), ([(2, .computing, 4)], true),
      ([(0, .ended, 1)], false), ([(0, .computing, 6)], false), ([(0, .reducing, 9), (2, .working, 0)], true),
    ] as [([(Int, RankPhase, UInt64)], Bool)])
  func aRankThatIsLessFarIsBehind(others: [(Int, RankPhase, UInt64)], isBehind: Bool) {
    let named = others.map { (rank: $0.0, phase: $0.1, moves: $0.2) }
    #expect(WatchdogCounters.isAnybodyBehind(rank: 1, moves: 5, others: named) == isBehind)
  }

  /// Where all stand still one rank alone ends the job: there is one message.
  @Test(arguments: 1...9) func exactlyOneRankWaitsForNobody(ranks: Int) {
    var random = SplitMix(state: UInt64(ranks))
    for _ in 0..<50 {
      let all = (0..<ranks).map {
        (rank: $0, phase: RankPhase.waiting, moves: UInt64.random(in: 0..<4, using: &random))
      }
      let first = all.filter { own in
        !WatchdogCounters.isAnybodyBehind(
          rank: own.rank, moves: own.moves, others: all.filter { $0.rank != own.rank })
      }
      #expect(first.count == 1 && first.first?.moves == all.map(\.moves).min())
    }
  }
}
