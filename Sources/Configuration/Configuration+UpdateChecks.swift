import Problems

/// Which updates and schedules make sense.
extension Configuration {
  func checkUpdate(_ fail: Refusal) throws(Problem) {
    guard !optimizer.nesterov || optimizer.momentum > 0 else {
      throw fail("optimizer.nesterov", "false without optimizer.momentum")
    }
    // A window of random length can be longer by two deviations, and the learning rate larger with it.
    let largestRate = optimizer.learningRate * (1 + 2 * Double(batch.jitter) / Double(max(1, batch.steps)))
    guard optimizer.weightDecay * largestRate < 1 else {
      throw fail(
        "optimizer.weightDecay", "less than 1 / the largest learning rate, here \(1 / largestRate)",
        hint: "an update would throw parameters beyond 0")
    }
    guard optimizer.clipBy == .norm || optimizer.clip > 0 else {
      throw fail("optimizer.clip", "more than 0 with optimizer.clipBy element")
    }
  }

  func checkSchedule(_ fail: Refusal) throws(Problem) {
    switch schedule.name {
    case .constant: break
    case .step, .exponential:
      guard schedule.every >= 1 else { throw fail("schedule.every", "at least 1") }
    case .cosine:
      guard schedule.end > schedule.begin + schedule.warmUp else {
        throw fail(
          "schedule.end",
          schedule.begin == 0
            ? "more than schedule.warmUp, here \(schedule.warmUp)"
            : "more than schedule.begin and schedule.warmUp, here \(schedule.begin) + \(schedule.warmUp)")
      }
    case .plateau:
      guard schedule.patience >= 1 else { throw fail("schedule.patience", "at least 1") }
    }
  }

  /// Where evaluations decide, there must be some.
  func checkDecisions(_ fail: Refusal) throws(Problem) {
    let keys = [
      ("schedule.name", schedule.name == .plateau), ("optimizer.average", optimizer.average == .nonMonotonic),
      ("training.patience", training.patience > 0),
    ]
    guard let (key, _) = keys.first(where: { $0.1 }) else { return }
    guard training.evaluateEvery >= 1 else {
      throw fail(
        "training.evaluateEvery", "at least 1 with \(key) \(text(ofKey: key)!)",
        hint: "evaluations decide how the training goes on")
    }
    guard holdsSomethingOut else {
      throw fail(
        key, "another value where nothing is held out", hint: "evaluations on held-out data decide how it goes on")
    }
  }

  /// Whether there is something to evaluate on.
  package var holdsSomethingOut: Bool {
    if task.isGenerated { return data.heldOutStrings > 0 }
    return task.dataHoldOut || data.validation != .none || data.holdsOutOtherwise
  }
}
