/// A rank that takes longer over the same task than the others.
package struct Straggler: Sendable, Equatable {
  /// The rank.
  package let rank: Int
  /// Its time over what was to be expected of it, less 1: 0.25 for a quarter longer.
  package let behind: Double
  /// The phase in which it lost most.
  package let phase: Phase

  /// A rank that is `behind`, mostly in `phase`.
  package init(rank: Int, behind: Double, phase: Phase) {
    self.rank = rank
    self.behind = behind
    self.phase = phase
  }
}

/// Finds the rank that the others wait for. Durations in, reports out; no clock, no messages.
///
/// Of a rank one can expect the median of the others' time, and for the work on sequences as much more as it has more
/// sequences than the median of the others: what the plan deals out unevenly makes nobody slow. A rank with fewer
/// sequences is not expected to be faster in proportion, for a part of the work does not depend on them.
package struct StragglerDetector: Sendable {
  /// Steps in a row for which a rank must be behind.
  package let steps: Int
  /// How far behind it must be in each.
  package let threshold: Double
  /// Seconds that it must have lost in them: where steps are short it takes more of them to matter.
  package let lostSeconds: Double

  private let sequences: [Int]
  private var all: [PhaseSeconds]
  private var streak: [PhaseSeconds]
  private var streakRank = -1
  private var streakSteps = 0
  private var isReported = false

  /// As many steps as a run waits before it complains.
  package static let stepsInARow = 50

  /// A detector for ranks, given how many sequences each computes.
  package init(sequences: [Int], steps: Int = stepsInARow, threshold: Double = 0.2, lostSeconds: Double = 0.2) {
    self.sequences = sequences
    self.steps = steps
    self.threshold = threshold
    self.lostSeconds = lostSeconds
    all = Array(repeating: PhaseSeconds(), count: sequences.count)
    streak = all
  }

  /// Takes what each rank measured in a step. Returns a rank that has now been behind for at least `steps` steps in a
  /// row and lost `lostSeconds` in them, with their number; once for each time that it falls behind.
  package mutating func add(_ ranks: [PhaseSeconds]) -> (straggler: Straggler, steps: Int)? {
    precondition(ranks.count == all.count, "seconds of other ranks")
    for rank in ranks.indices { all[rank] += ranks[rank] }
    guard let slowest = slowest(ranks, sequences: sequences), slowest.straggler.behind > threshold else {
      streakRank = -1
      return nil
    }
    if slowest.straggler.rank != streakRank {
      (streakRank, streakSteps, isReported) = (slowest.straggler.rank, 0, false)
      for rank in streak.indices { streak[rank] = PhaseSeconds() }
    }
    streakSteps += 1
    for rank in ranks.indices { streak[rank] += ranks[rank] }
    guard !isReported, streakSteps >= steps, let total = self.slowest(streak, sequences: sequences),
      total.lost >= lostSeconds
    else { return nil }
    isReported = true
    return (total.straggler, streakSteps)
  }

  /// The slowest rank over all steps, however many sequences it has; nil for a single rank, or before the first step.
  package var slowest: Straggler? { slowest(all, sequences: all.map { _ in 1 })?.straggler }

  /// The rank whose time exceeds its expectation by most, and by how many seconds.
  private func slowest(_ ranks: [PhaseSeconds], sequences: [Int]) -> (straggler: Straggler, lost: Double)? {
    guard ranks.count > 1 else { return nil }
    let expected = ranks.indices.map { rank in
      Phase.computing.map { StragglerDetector.expectedSeconds(of: rank, $0, ranks, sequences) }
    }
    let lost = ranks.indices.map { ranks[$0].sum(Phase.computing) - expected[$0].reduce(0, +) }
    let rank = lost.indices.max { lost[$0] < lost[$1] }!
    let total = expected[rank].reduce(0, +)
    guard total > 0 else { return nil }
    let excess = zip(Phase.computing, expected[rank]).map { (phase: $0, seconds: ranks[rank][$0] - $1) }
    let phase = excess.max { $0.seconds < $1.seconds }!.phase
    return (Straggler(rank: rank, behind: lost[rank] / total, phase: phase), lost[rank])
  }

  /// The phases whose work is that of a rank's sequences.
  private static let ofSequences: [Phase] = [.data, .forward, .loss, .backward]

  private static func expectedSeconds(
    of rank: Int, _ phase: Phase, _ ranks: [PhaseSeconds], _ sequences: [Int]
  ) -> Double {
    let others = median(of: ranks.map { $0[phase] }, without: rank)
    guard ofSequences.contains(phase) else { return others }
    let usual = median(of: sequences.map(Double.init), without: rank)
    guard usual > 0 else { return ranks[rank][phase] }
    return others * max(1, Double(sequences[rank]) / usual)
  }

  private static func median(of values: [Double], without rank: Int) -> Double {
    var others = values
    others.remove(at: rank)
    others.sort()
    let middle = others.count / 2
    return others.count % 2 == 1 ? others[middle] : (others[middle - 1] + others[middle]) / 2
  }
}
