import Sequences

extension ConfusionMatrix {
  /// Precision, recall and F1 of each class, and the matrix, as lines of text; `unit` is what was counted, such as
  /// "sequences".
  func tables(_ classes: [String], unit: String) -> [String] {
    [
      table(
        ["class", unit, "precision", "recall", "F1"],
        classes.enumerated().map { label, name in
          [name, "\(support(label))"] + [precision(label), recall(label), f1(label)].map { rounded($0, 4) }
        }), "",
      // A row for each true class, a column for each class that was said.
      table(
        ["is, was taken for"] + classes,
        classes.enumerated().map { label, name in [name] + classes.indices.map { "\(self[label, $0])" } }),
    ]
  }

  /// Accuracy beside that of always saying one class, macro F1 below it.
  func summary(always frequent: Int, _ classes: [String], besides: String) -> [String] {
    [
      "accuracy: \(rounded(accuracy, 4)) (\(correct) of \(total)); "
        + "always \(classes[frequent]): \(rounded(Double(support(frequent)) / Double(total), 4))\(besides)",
      "macro F1: \(rounded(macroF1, 4))", "",
    ]
  }
}
