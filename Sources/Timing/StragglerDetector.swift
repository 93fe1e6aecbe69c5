/// A rank that takes longer over the same task than the others.
public struct Straggler: Sendable, Equatable {
  /// The rank.
  public let rank: Int
  /// Its time over the median of the others', less 1: 0.25 for a quarter longer.
  public let behind: Double
  /// The phase in which it lost most.
  public let phase: Phase

  /// A rank that is `behind`, mostly in `phase`.
  public init(rank: Int, behind: Double, phase: Phase) {
    self.rank = rank
    self.behind = behind
    self.phase = phase
  }
}

/// Finds the rank that the others wait for. Durations in, reports out; no clock, no messages.
public struct StragglerDetector: Sendable {
  /// Steps in a row for which a rank must be behind.
  public let steps: Int
  /// How far behind it must be in each.
  public let threshold: Double

  private var all: [PhaseSeconds]
  private var streak: [PhaseSeconds]
  private var streakRank = -1
  private var streakSteps = 0

  /// As many steps as a run waits before it complains.
  public static let stepsInARow = 50

  /// A detector for so many ranks.
  public init(ranks: Int, steps: Int = stepsInARow, threshold: Double = 0.2) {
    self.steps = steps
    self.threshold = threshold
    all = Array(repeating: PhaseSeconds(), count: ranks)
    streak = all
  }

  /// Takes what each rank measured in a step. Returns a rank that has now been behind for `steps` steps in a row; once
  /// for each time that it falls behind.
  public mutating func add(_ ranks: [PhaseSeconds]) -> Straggler? {
    precondition(ranks.count == all.count, "seconds of other ranks")
    for rank in ranks.indices { all[rank] += ranks[rank] }
    guard let slowest = StragglerDetector.slowest(ranks), slowest.behind > threshold else {
      streakRank = -1
      return nil
    }
    if slowest.rank != streakRank {
      (streakRank, streakSteps) = (slowest.rank, 0)
      for rank in streak.indices { streak[rank] = PhaseSeconds() }
    }
    streakSteps += 1
    for rank in ranks.indices { streak[rank] += ranks[rank] }
    return streakSteps == steps ? StragglerDetector.slowest(streak) : nil
  }

  /// The slowest rank over all steps; nil for a single rank, or before the first step.
  public var slowest: Straggler? { StragglerDetector.slowest(all) }

  private static func slowest(_ ranks: [PhaseSeconds]) -> Straggler? {
    let busy = ranks.map { $0.sum(Phase.computing) }
    guard ranks.count > 1, let most = busy.max(), let rank = busy.firstIndex(of: most) else { return nil }
    let others = median(of: busy, without: rank)
    guard others > 0 else { return nil }
    let phase = Phase.computing.max { excess(of: rank, $0, ranks) < excess(of: rank, $1, ranks) }!
    return Straggler(rank: rank, behind: most / others - 1, phase: phase)
  }

  private static func excess(of rank: Int, _ phase: Phase, _ ranks: [PhaseSeconds]) -> Double {
    ranks[rank][phase] - median(of: ranks.map { $0[phase] }, without: rank)
  }

  private static func median(of values: [Double], without rank: Int) -> Double {
    var others = values
    others.remove(at: rank)
    others.sort()
    let middle = others.count / 2
    return others.count % 2 == 1 ? others[middle] : (others[middle - 1] + others[middle]) / 2
  }
}
