/// How a model does on a generated task, and whether Hochreiter and Schmidhuber (1997) would call it learned.
package struct GeneratedResult: TaskResult {
  /// What one target is.
  package enum Unit: String, Sendable { case symbol, sequence }

  /// What must be right without exception.
  package enum Criterion: Equatable, Sendable {
    /// The last 2,000 sequences that were trained on: how many of them are wrong, of as many as there were.
    case trained(wrong: Int, of: Int)
    /// 10,000 held-out sequences.
    case new
  }

  /// Such as "temporal order, task 6a".
  package let name: String
  package let unit: Unit
  /// Whether the loss is a mean squared error; it is in nats otherwise.
  package let isSquaredError: Bool
  package let loss: Double
  /// Held-out sequences with an output `tolerance` or more off.
  package let wrong: Int
  package let heldOut: Int
  package let tolerance: Float
  package let criterion: Criterion
  /// Sequences that the model was trained on.
  package let trained: Int

  package var isMet: Bool {
    switch criterion {
    case .trained(let wrong, let count): wrong == 0 && count == 2000
    case .new: wrong == 0 && heldOut >= 10_000
    }
  }

  package var measurements: [Measurement] {
    var last: [Measurement] = []
    if case .trained(let wrong, let count) = criterion {
      last = [
        Measurement("sequences", .count(count), set: "last trained on"),
        Measurement("wrong", .count(wrong), set: "last trained on"),
      ]
    }
    return [
      Measurement("sequences", .count(heldOut), set: "held out"),
      Measurement(
        "loss", .number(loss), unit: isSquaredError ? "mean squared error" : "nats per \(unit.rawValue)",
        set: "held out"),
      Measurement("wrong", .count(wrong), set: "held out"),
      Measurement("tolerance", .number(Double(tolerance)), set: "held out"),
    ] + last + [
      Measurement("criterion met", .answer(isMet), set: last.isEmpty ? "held out" : "last trained on"),
      Measurement("sequences trained on", .count(trained), set: "training"),
    ]
  }
}
