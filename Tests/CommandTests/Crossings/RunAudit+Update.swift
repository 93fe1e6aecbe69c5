/// One update from the checkpoints before and behind it.
extension RunAudit {
  /// Nothing but the states of lanes that begin anew is another.
  func skipped(_ step: Int, _ before: RecordedState, _ after: RecordedState) -> [String] {
    var findings: [String] = []
    if before.parameters != after.parameters {
      findings.append("the parameters change in step \(step), which is skipped")
    }
    for name in before.moments.keys.sorted() where name != "iterate" && before.moments[name] != after.moments[name] {
      findings.append("\(name) changes in step \(step), which is skipped")
    }
    let (lanes, fresh) = (run.measurement.windows[step - 1].fresh, before.hidden.count)
    let expected = before.hidden.enumerated().map { lanes[$0 / (fresh / lanes.count)] ? 0 : $1 }
    return findings + differ("state after step \(step), which is skipped", after.hidden, expected, within: 0)
  }

  /// Moments and parameters follow from the gradient that they themselves tell of, whose norm is the recorded one, or
  /// what clipping leaves of it.
  func updated(_ step: Int, _ before: RecordedState, _ after: RecordedState) -> [String] {
    let rate = expectedRate(step)
    let update = Update(crossing, rate: rate, count: run.updates(before: step) + 1)
    var findings: [String] = []
    var (squares, largest, gradient) = (0.0, 0.0, [String: [Double]]())
    for name in before.parameters.keys.sorted() {
      func moment(_ state: RecordedState, _ moment: String) -> [Double] { state.moments[moment]?[name] ?? [] }
      let result = update.of(before.parameters[name]!, after.parameters[name]!) {
        ($0, moment(before, $0), moment(after, $0))
      }
      gradient[name] = result.gradient
      squares += result.gradient.reduce(0) { $0 + $1 * $1 }
      largest = max(largest, result.gradient.map(abs).max() ?? 0)
      findings += differ(
        "\(name) after step \(step)", after.parameters[name]!, result.parameters, within: 2e-6 + 1e-4 * rate)
      findings += differ(
        "squares of \(name) after step \(step)", result.squares.got, result.squares.expected,
        within: 1e-3 * (result.squares.expected.max() ?? 0) + 1e-12)
    }
    findings += clipped(step, norm: squares.squareRoot(), largest: largest)
    return findings + (step == 3 ? slope(step, before, along: gradient) : [])
  }

  private func clipped(_ step: Int, norm: Double, largest: Double) -> [String] {
    let recorded = run.record("step", step: step)?.number("gradientNorm") ?? .nan
    let what = "norm of the gradient of the update of step \(step)"
    guard crossing.has(.clipElement) else {
      return differ(what, norm, min(0.3, recorded), within: 1e-3 * recorded)
    }
    let isClipped = largest > 0.01 * (1 - 1e-3)
    return (largest <= 0.01 * (1 + 1e-3) ? [] : ["a gradient of \(largest) in step \(step), expected at most 0.01"])
      + (isClipped
        ? (norm < recorded ? [] : ["\(what) is \(norm), expected less than \(recorded)"])
        : differ(what, norm, recorded, within: 1e-3 * recorded))
  }
}

/// A rule as the paper has it, turned round: the gradient from the moments.
private struct Update {
  struct Result {
    /// After clipping.
    var gradient: [Double]
    /// What the parameters must be.
    var parameters: [Double]
    /// Mean squares as they are, and as they must be; none for a rule without.
    var squares: (got: [Double], expected: [Double]) = ([], [])
  }

  private let crossing: Crossing
  private let rate: Double
  /// This one counted, from the start of the run.
  private let count: Double
  private let beta1 = 0.8
  private let beta2 = 0.9
  private let epsilon = 1e-6

  init(_ crossing: Crossing, rate: Double, count: Int) {
    (self.crossing, self.rate, self.count) = (crossing, rate, Double(count))
  }

  /// Of a tensor p that became q. `moment`: its name, before, behind.
  func of(
    _ p: [Double], _ q: [Double], _ moment: (String) -> (name: String, before: [Double], after: [Double])
  ) -> Result {
    if crossing.has(.sgd) { return Result(gradient: p.indices.map { (p[$0] - q[$0]) / rate }, parameters: q) }
    if crossing.has(.momentum) {
      let velocity = moment("momentum_buffer")
      let g = p.indices.map { velocity.after[$0] - 0.8 * velocity.before[$0] }
      return Result(gradient: g, parameters: p.indices.map { p[$0] - rate * (g[$0] + 0.8 * velocity.after[$0]) })
    }
    if crossing.has(.rmsprop) {
      let square = moment("square_avg")
      let g = p.indices.map { (p[$0] - q[$0]) * (square.after[$0].squareRoot() + epsilon) / rate }
      return Result(gradient: g, parameters: q, squares: (square.after, squares(square.before, g)))
    }
    return adaptive(p, moment("exp_avg"), moment("exp_avg_sq"))
  }

  private func squares(_ before: [Double], _ g: [Double]) -> [Double] {
    g.indices.map { beta2 * before[$0] + (1 - beta2) * g[$0] * g[$0] }
  }

  /// Adam, AdamW, LAMB.
  private func adaptive(
    _ p: [Double], _ mean: (name: String, before: [Double], after: [Double]),
    _ square: (name: String, before: [Double], after: [Double])
  ) -> Result {
    let g = p.indices.map { (mean.after[$0] - beta1 * mean.before[$0]) / (1 - beta1) }
    let direction = p.indices.map { i in
      mean.after[i] / (1 - power(beta1)) / ((square.after[i] / (1 - power(beta2))).squareRoot() + epsilon)
    }
    var q = p.indices.map { (p[$0]) * (1 - (crossing.has(.adamw) ? 0.5 * rate : 0)) - rate * direction[$0] }
    if crossing.has(.lamb) {
      let u = p.indices.map { direction[$0] + 0.1 * p[$0] }
      let norms = [p, u].map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      let ratio = norms[0] > 0 && norms[1] > 0 ? norms[0] / norms[1] : 1
      q = p.indices.map { p[$0] - rate * ratio * u[$0] }
    }
    return Result(gradient: g, parameters: q, squares: (square.after, squares(square.before, g)))
  }

  private func power(_ beta: Double) -> Double { (0..<Int(count)).reduce(1) { power, _ in power * beta } }
}
