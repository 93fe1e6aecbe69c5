import Files

/// Which checkpoints of a run are kept when a newer one stands. A pure function of what each says of itself.
package struct Retention: Equatable, Sendable {
  /// How many of the newest are kept; 0 keeps all.
  package let last: Int
  /// Whether the one with the lowest validation loss is kept: among those at whose step there was an evaluation.
  package let keepsBest: Bool
  /// The first one from each multiple of this many steps on is kept; 0 keeps none for that reason.
  package let every: Int

  /// All are kept.
  package static let all = Retention(last: 0, keepsBest: true, every: 0)

  /// - Precondition: no number is negative.
  package init(last: Int, keepsBest: Bool, every: Int) {
    precondition(last >= 0 && every >= 0)
    self.last = last
    self.keepsBest = keepsBest
    self.every = every
  }

  /// The steps of those that are superseded now that the one of `newest` stands. Checkpoints of later steps are none of
  /// its business: the run went back behind them.
  /// - Parameter checkpoints: all of the run, steps ascending.
  package func superseded(by newest: Int, among checkpoints: [(step: Int, validationLoss: Double?)]) -> [Int] {
    guard last > 0 else { return [] }
    let past = checkpoints.filter { $0.step <= newest }
    var kept = Set(past.suffix(last).map(\.step) + [newest])
    if keepsBest {
      let evaluated = past.compactMap { checkpoint in checkpoint.validationLoss.map { (checkpoint.step, $0) } }
      // Of equal ones the newest.
      if let best = evaluated.reversed().min(by: { $0.1 < $1.1 }) { kept.insert(best.0) }
    }
    if every > 0 {
      var multiple = 0
      for step in past.map(\.step) where step / every > multiple {
        multiple = step / every
        kept.insert(step)
      }
    }
    return past.map(\.step).filter { !kept.contains($0) }
  }
}

extension RunDirectory {
  /// Removes the checkpoints that are superseded by a verified one. Each disappears at once, as a whole.
  package func removeSuperseded(by newest: Int, _ retention: Retention) throws {
    guard retention.last > 0 else { return }
    let own = try identity ?? readIdentity()
    let all = try checkpointSteps().compactMap { step -> (step: Int, validationLoss: Double?)? in
      // A damaged one is none of the best, and one of another run is none of ours.
      let found = try? manifest(step: step)
      if let run = found?.run, run != own { return nil }
      return (step, found?.validationLoss)
    }
    for step in retention.superseded(by: newest, among: all) {
      let leftover = checkpoints.at(RunNames.removed(RunNames.step(step)))
      try removeTree(leftover)
      try move(checkpointPlace(step: step), to: leftover)
      try removeTree(leftover)
    }
  }
}
