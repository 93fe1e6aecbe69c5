import Problems

/// Which updates and schedules make sense.
extension Configuration {
  func checkUpdate(_ fail: Refusal) throws(Problem) {
    if let (key, expected) = optimizer.description.misfit(optimizer.values) {
      throw fail("optimizer.\(key.name)", expected)
    }
    // A window of random length can be longer by two deviations, and the learning rate larger with it.
    let largestRate = optimizer.learningRate * (1 + 2 * Double(batch.jitter) / Double(max(1, batch.steps)))
    guard optimizer.values[.weightDecay] * largestRate < 1 else {
      throw fail(
        "optimizer.weightDecay", "less than 1 / the largest learning rate, here \(1 / largestRate)",
        hint: "an update would throw parameters beyond 0")
    }
    guard optimizer.clipBy == .norm || optimizer.clip > 0 else {
      throw fail("optimizer.clip", "more than 0 with optimizer.clipBy element")
    }
  }

  func checkSchedule(_ fail: Refusal) throws(Problem) {
    if let (key, expected) = schedule.description.misfit(schedule.values) {
      throw fail("schedule.\(key.name)", expected)
    }
  }

  /// Where evaluations decide, there must be some.
  func checkDecisions(_ fail: Refusal) throws(Problem) {
    let keys = [
      ("schedule.name", schedule.description.dependsOnEvaluations),
      ("optimizer.average", optimizer.average == .nonMonotonic),
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
