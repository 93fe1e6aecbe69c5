import Problems
import Sequences
import Tasks

extension LabelResult: TextRendered {
  /// Of more classes the terminal shows no confusion matrix, and the figures of these with the most sequences.
  private static let mostShown = 30

  /// Loss, accuracy beside that of simple rules, figures of each class, and the confusion matrix.
  var lines: [String] {
    let words = unit == .word ? ", \(confusion.total) words" : ""
    let names = ClassNames.shown(classes)
    return [
      "sequences: \(set), \(sequences)\(words)", "loss: \(loss) nats a \(unit.rawValue)",
      "accuracy: \(figure(confusion.accuracy)) (\(confusion.correct) of \(confusion.total)); "
        + "always \(names[frequentClass]): \(figure(frequentClassAccuracy))\(baselineText)",
      "macro F1: \(figure(confusion.macroF1))", "",
    ] + (classes.count <= LabelResult.mostShown ? allClasses(names) : someClasses(names))
  }

  private func allClasses(_ names: [String]) -> [String] {
    [
      figures(of: Array(classes.indices), names), "",
      // A row for each true class, a column for each predicted one.
      table(
        ["is, was taken for"] + names,
        names.enumerated().map { label, name in [name] + classes.indices.map { "\(confusion[label, $0])" } }),
    ]
  }

  private func someClasses(_ names: [String]) -> [String] {
    let supports = classes.indices.map(confusion.support)
    let largest = classes.indices.sorted { (supports[$1], $0) < (supports[$0], $1) }
    let shown = largest.prefix(LabelResult.mostShown).sorted()
    return [
      figures(of: shown, names),
      "the other \(classes.count - shown.count) classes, which have no more \(unit.rawValue)s, and the confusion matrix: "
        + "lstm-dist evaluate --json",
    ]
  }

  private func figures(of labels: [Int], _ names: [String]) -> String {
    table(
      ["class", "\(unit.rawValue)s", "precision", "recall", "F1"],
      labels.map { label in
        [names[label], "\(confusion.support(label))"]
          + [confusion.precision(label), confusion.recall(label), confusion.f1(label)].map(figure)
      })
  }

  private var baselineText: String {
    switch baseline {
    case .bagOfTokens(let kind, let accuracy): "; bag of \(kind) (naive Bayes): \(figure(accuracy))"
    case .frequentLabels(let accuracy): "; the most frequent label of each word: \(figure(accuracy))"
    case nil: ""
    }
  }
}
