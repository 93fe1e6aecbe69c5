/// A validation loss, and how many steps the run had made.
package struct Evaluation: Equatable, Sendable {
  /// Steps from the start of the run.
  package let step: Int
  /// Mean validation loss.
  package let loss: Double

  /// - Precondition: the loss is a number.
  package init(step: Int, loss: Double) {
    self.step = step
    self.loss = loss
  }
}

extension [Evaluation] {
  /// Evaluations at the end that brought no loss below all before them: 0 where the last one did, or there is none.
  package var sinceBest: Int {
    var (best, since) = (Double.infinity, 0)
    for evaluation in self {
      if evaluation.loss < best {
        (best, since) = (evaluation.loss, 0)
      } else {
        since += 1
      }
    }
    return since
  }

  /// How often `patience` evaluations in a row brought no loss below all before them; each time the count begins anew, as
  /// that of PyTorch's `ReduceLROnPlateau` with a patience of one less and a threshold of 0.
  /// - Precondition: `patience` ≥ 1.
  package func plateaus(patience: Int) -> Int {
    var (best, since, plateaus) = (Double.infinity, 0, 0)
    for evaluation in self {
      if evaluation.loss < best {
        (best, since) = (evaluation.loss, 0)
      } else {
        since += 1
      }
      if since == patience { (since, plateaus) = (0, plateaus + 1) }
    }
    return plateaus
  }

  /// The step of the first evaluation whose loss is above the least of all but the `patience` before it: the
  /// non-monotonic trigger, v > min over l in 0 ... t − n − 1 of logs[l], of Merity, Keskar and Socher, "Regularizing and
  /// Optimizing LSTM Language Models" (2018), algorithm 1. Nil where there is none.
  /// - Precondition: `patience` ≥ 0.
  package func nonMonotonicStep(patience: Int) -> Int? {
    var least = Double.infinity
    for (t, evaluation) in enumerated() where t > patience {
      least = Swift.min(least, self[t - patience - 1].loss)
      if evaluation.loss > least { return evaluation.step }
    }
    return nil
  }
}
