import Tasks

extension GeneratedResult: TextRendered {
  var lines: [String] {
    let figures = [
      "\(name), of Hochreiter and Schmidhuber (1997)",
      isSquaredError ? "  loss: \(loss), the mean squared error" : "  loss: \(loss) nats a \(unit.rawValue)",
      "  \(wrong) of \(heldOut) held-out sequences wrong, an output \(tolerance) or more off",
    ]
    switch criterion {
    case .trained(let wrong, let count):
      return figures + [
        "  \(wrong) of the last \(count) training sequences wrong",
        verdict("the last 2000 training sequences right"),
      ]
    case .new: return figures + [verdict("10000 new sequences right")]
    }
  }

  private func verdict(_ criterion: String) -> String {
    "  the paper's criterion, \(criterion): \(isMet ? "met" : "not met") after \(trained) sequences"
  }
}
