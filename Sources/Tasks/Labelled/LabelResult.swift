import Sequences

/// How well a model labels sequences, or the words of sequences.
package struct LabelResult: TaskResult {
  /// What gets a label.
  package enum Unit: String, Sendable { case sequence, word }

  /// What needs no LSTM to label: accuracy on the same sequences.
  package enum Baseline: Equatable, Sendable {
    /// Naive Bayes over the tokens of a text, whatever their order.
    case bagOfTokens(TokenKind, accuracy: Double)
    /// The most frequent label of each word in training.
    case frequentLabels(accuracy: Double)
  }

  /// What the sequences are called, such as "held out".
  package let set: String
  package let sequences: Int
  package let unit: Unit
  /// In nats per unit.
  package let loss: Double
  package let confusion: ConfusionMatrix
  package let classes: [String]
  /// The most frequent class of training.
  package let frequentClass: Int
  /// Nil for numbers, or without training data.
  package let baseline: Baseline?

  /// Accuracy of giving everything the most frequent class of training; NaN of no sequences.
  package var frequentClassAccuracy: Double {
    Double(confusion.support(frequentClass)) / Double(confusion.total)
  }

  package var measurements: [Measurement] {
    let units: [Measurement] = unit == .word ? [Measurement("words", .count(confusion.total), set: set)] : []
    let baselines: [(name: String, accuracy: Double)] = [("most frequent class", frequentClassAccuracy)] + simple
    return [Measurement("sequences", .count(sequences), set: set)] + units
      + [
        Measurement("loss", .number(loss), unit: "nats per \(unit.rawValue)", set: set),
        Measurement("correct", .count(confusion.correct), set: set),
        Measurement("accuracy", .number(confusion.accuracy), set: set),
      ]
      + baselines.map { Measurement("accuracy", .number($0.accuracy), set: set, baseline: $0.name) }
      + [Measurement("macro F1", .number(confusion.macroF1), set: set)]
  }

  private var simple: [(name: String, accuracy: Double)] {
    switch baseline {
    case .bagOfTokens(_, let accuracy): [("naive Bayes", accuracy)]
    case .frequentLabels(let accuracy): [("most frequent label of each word", accuracy)]
    case nil: []
    }
  }

  package var tables: [FigureTable] {
    [
      FigureTable(
        name: "classes", columns: ["class", "\(unit.rawValue)s", "precision", "recall", "F1"],
        rows: classes.indices.map { label in
          [
            .text(classes[label]), .count(confusion.support(label)), .number(confusion.precision(label)),
            .number(confusion.recall(label)), .number(confusion.f1(label)),
          ]
        }),
      // A row for each true class, a column for each predicted one.
      FigureTable(
        name: "confusion", columns: ["class"] + classes,
        rows: classes.indices.map { label in
          [.text(classes[label])] + classes.indices.map { .count(confusion[label, $0]) }
        }),
    ]
  }
}
