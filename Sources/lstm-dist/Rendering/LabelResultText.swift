import Problems
import Tasks

extension LabelResult: TextRendered {
  /// Loss, accuracy beside that of simple rules, figures of each class, and the confusion matrix.
  var lines: [String] {
    let words = unit == .word ? ", \(confusion.total) words" : ""
    return [
      "sequences: \(set), \(sequences)\(words)", "loss: \(loss) nats a \(unit.rawValue)",
      "accuracy: \(rounded(confusion.accuracy, 4)) (\(confusion.correct) of \(confusion.total)); "
        + "always \(classes[frequentClass]): \(rounded(frequentClassAccuracy, 4))\(baselineText)",
      "macro F1: \(rounded(confusion.macroF1, 4))", "",
      table(
        ["class", "\(unit.rawValue)s", "precision", "recall", "F1"],
        classes.enumerated().map { label, name in
          [name, "\(confusion.support(label))"]
            + [confusion.precision(label), confusion.recall(label), confusion.f1(label)].map { rounded($0, 4) }
        }), "",
      // A row for each true class, a column for each predicted one.
      table(
        ["is, was taken for"] + classes,
        classes.enumerated().map { label, name in [name] + classes.indices.map { "\(confusion[label, $0])" } }),
    ]
  }

  private var baselineText: String {
    switch baseline {
    case .bagOfTokens(let kind, let accuracy): "; bag of \(kind) (naive Bayes): \(rounded(accuracy, 4))"
    case .frequentLabels(let accuracy): "; the most frequent label of each word: \(rounded(accuracy, 4))"
    case nil: ""
    }
  }
}
