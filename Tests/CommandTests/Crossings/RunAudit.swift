import Foundation

/// Computes anew, from the records and checkpoints of a run and without anything of the program, what the run must
/// have done, and says where it did something else.
struct RunAudit {
  let crossing: Crossing
  let run: RecordedRun

  /// What is wrong, in words; nothing where all is as it should be.
  func findings() -> [String] {
    var findings = order() + evaluations() + gradient()
    for step in 2...max(2, run.steps) {
      guard let before = run.states[step - 1], let after = run.states[step] else {
        return findings + ["no checkpoint of step \(step - 1) or \(step)"]
      }
      findings += learningRate(step)
      findings += run.isSkipped(step) ? skipped(step, before, after) : updated(step, before, after)
      findings += average(step, after) + forward(step, before, after)
    }
    return findings.map { "\(crossing.name): \($0)" }
  }

  func differ(_ what: String, _ got: Double, _ expected: Double, within tolerance: Double) -> [String] {
    abs(got - expected) <= tolerance ? [] : ["\(what) is \(got), expected \(expected)"]
  }

  /// As `differ`, of all numbers of a tensor.
  func differ(_ what: String, _ got: [Double], _ expected: [Double], within tolerance: Double) -> [String] {
    guard got.count == expected.count else { return ["\(what): \(got.count) numbers, expected \(expected.count)"] }
    return got.indices.first { !(abs(got[$0] - expected[$0]) <= tolerance) }.map {
      ["\(what), number \($0), is \(got[$0]), expected \(expected[$0])"]
    } ?? []
  }

  // MARK: What happened when

  /// One record of each step, evaluations after each, the end where patience is exhausted.
  private func order() -> [String] {
    let steps = run.records.filter { $0.event == "step" }.map(\.step)
    var findings = steps == Array(1...max(1, steps.count)) ? [] : ["steps \(steps)"]
    let skips = run.records.filter { $0.event == "skipped" }
    let due = crossing.has(.skip) ? [4, 5, 8].filter { $0 <= run.steps } : []
    if skips.map(\.step) != due { findings.append("skipped \(skips.map(\.step)), expected \(due)") }
    for skip in skips {
      let inARow = (1...skip.step).reversed().prefix { due.contains($0) }.count
      findings += differ(
        "skips in a row at step \(skip.step)", skip.number("inARow") ?? .nan, Double(inARow), within: 0)
    }
    let expected = (1...12).first { crossing.has(.patience) && sinceBest(through: $0) >= 5 } ?? 12
    if run.steps != expected { findings.append("the run ends with step \(run.steps), expected \(expected)") }
    return findings
  }

  private func sinceBest(through step: Int) -> Int {
    let losses = run.evaluations(before: step + 1).map(\.loss)
    guard let least = losses.min(), let best = losses.firstIndex(of: least) else { return 0 }
    return losses.count - 1 - best
  }

  /// Each validation loss is that of the checkpoint's model, computed by one process that trains nothing.
  private func evaluations() -> [String] {
    (1...run.steps).flatMap { step in
      differ(
        "validation loss after step \(step)", run.record("evaluated", step: step)?.number("validationLoss") ?? .nan,
        run.measurement.validationLosses["\(step)"] ?? .nan, within: 0)
    }
  }

  /// The norm of the gradient is the slope of the loss along it. (Penalties are no part of the loss that is told.)
  private func gradient() -> [String] {
    let (measured, step) = (run.measurement, run.measurement.gradientStep)
    let norm = run.record("step", step: step)?.number("gradientNorm") ?? .nan
    let findings = differ("norm of the gradient of step \(step)", norm, measured.gradientNorm, within: 0)
    return crossing.has(.penalties)
      ? findings : findings + RunAudit.slopes(measured).map { "\($0) at step \(step)" }
  }

  /// Where the slope of the loss along a tensor's gradient is not that gradient's norm.
  static func slopes(_ measured: RecordedRun.Measurement) -> [String] {
    measured.slopes.sorted { $0.key < $1.key }.filter { abs($1[0] - $1[1]) > 0.03 * $1[0] + 1e-4 }.map {
      name, numbers in
      "slope of the loss along \(name) is \(numbers[1]), expected \(numbers[0])"
    }
  }

  // MARK: Learning rate

  private static let rates = [
    Feature.sgd: 0.5, .momentum: 0.2, .adamw: 0.02, .rmsprop: 0.01, .lamb: 0.05,
  ]

  /// The rate of a step, from the formulas of its schedule.
  func expectedRate(_ step: Int) -> Double {
    let base = crossing.features.compactMap { RunAudit.rates[$0] }.first ?? 0.02
    let halved = crossing.has(.rollback) && step > 3 ? 0.5 : 1
    return base * halved * run.measurement.windows[step - 1].learningRateFactor * scheduled(step)
  }

  private func scheduled(_ step: Int) -> Double {
    let update = Double(run.updates(before: step))
    func after(_ warmUp: Double, _ decay: (Double) -> Double) -> Double {
      update < warmUp ? (update + 1) / warmUp : decay(update - warmUp)
    }
    if crossing.has(.stepWithWarmUp) { return after(3) { max(0.1, pow(0.5, ($0 / 3).rounded(.down))) } }
    if crossing.has(.exponential) { return after(0) { pow(0.5, $0 / 3) } }
    if crossing.has(.cosineWithWarmUp) {
      return after(2) { 0.05 + 0.95 * (1 + cos(.pi * min(1, $0 / 10))) / 2 }
    }
    guard crossing.has(.plateau) else { return 1 }
    var (best, factor) = (Double.infinity, 1.0)
    for (_, loss) in run.evaluations(before: step) {
      if loss >= best { factor /= 2 }
      best = min(best, loss)
    }
    return factor
  }

  private func learningRate(_ step: Int) -> [String] {
    let window = run.measurement.windows[step - 1]
    let rate = expectedRate(step)
    return differ(
      "learning rate of step \(step)", run.record("step", step: step)?.number("learningRate") ?? .nan, rate,
      within: 1e-9 * rate)
      + differ("window of step \(step) over 8", Double(window.length) / 8, window.learningRateFactor, within: 0)
  }

  // MARK: The average

  /// After how many steps it begins, nil for never.
  private var averageBegins: Int? {
    if crossing.has(.averageFromStep) { return 2 }
    guard crossing.has(.averageNonMonotonic) else { return nil }
    let all = run.evaluations(before: .max)
    return all.indices.first { index in
      index >= 2 && all[index].loss > all[..<(index - 1)].map(\.loss).min()!
    }.map { all[$0].step }
  }

  /// The model is the mean of the parameters after each update since, computed from the checkpoints.
  private func average(_ step: Int, _ after: RecordedState) -> [String] {
    guard let first = averageBegins, step > first else {
      return differ("averaged after step \(step)", Double(after.averaged), 0, within: 0)
    }
    let members = [first] + (first + 1...step).filter { !run.isSkipped($0) }
    let states = members.compactMap { run.states[$0]?.parameters }
    return differ("averaged after step \(step)", Double(after.averaged), Double(members.count), within: 0)
      + after.model.keys.sorted().flatMap { name in
        let mean = after.model[name]!.indices.map { index in
          states.reduce(0) { $0 + $1[name]![index] } / Double(states.count)
        }
        return differ("average of \(name) after step \(step)", after.model[name]!, mean, within: 2e-6)
      }
  }
}
