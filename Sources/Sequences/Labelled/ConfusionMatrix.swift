/// How often sequences, or timesteps, of one class were taken for another: the counts from which accuracy and F1 follow.
package struct ConfusionMatrix: Equatable, Sendable {
  /// K.
  package let classes: Int
  /// [K, K] row-major: the row is the true class, the column what was said.
  package private(set) var counts: [Int]

  /// No sequences yet.
  package init(classes: Int) {
    self.classes = classes
    counts = [Int](repeating: 0, count: classes * classes)
  }

  /// One more sequence of class `label`, taken for `predicted`.
  package mutating func add(label: Int32, predicted: Int) { counts[Int(label) * classes + predicted] += 1 }

  /// How many sequences of class `label` were taken for `predicted`.
  package subscript(label: Int, predicted: Int) -> Int { counts[label * classes + predicted] }

  /// Sequences.
  package var total: Int { counts.reduce(0, +) }
  /// Sequences whose class was said.
  package var correct: Int { (0..<classes).reduce(0) { $0 + self[$1, $1] } }
  /// The share of correct ones; 0 of none.
  package var accuracy: Double { ratio(correct, total) }
  /// Sequences of a class.
  package func support(_ label: Int) -> Int { (0..<classes).reduce(0) { $0 + self[label, $1] } }

  /// Of the sequences taken for a class the share that is of it; 0 of none.
  package func precision(_ label: Int) -> Double {
    ratio(self[label, label], (0..<classes).reduce(0) { $0 + self[$1, label] })
  }

  /// Of the sequences of a class the share taken for it; 0 of none.
  package func recall(_ label: Int) -> Double { ratio(self[label, label], support(label)) }

  /// F1 = 2·precision·recall / (precision + recall), here from counts: 2·TP / (2·TP + FP + FN); 0 of nothing.
  package func f1(_ label: Int) -> Double {
    let said = (0..<classes).reduce(0) { $0 + self[$1, label] }
    return ratio(2 * self[label, label], said + support(label))
  }

  /// The mean F1 of the classes that there are sequences of.
  package var macroF1: Double {
    let present = (0..<classes).filter { support($0) > 0 }
    return present.isEmpty ? 0 : present.reduce(0) { $0 + f1($1) } / Double(present.count)
  }

  private func ratio(_ part: Int, _ whole: Int) -> Double { whole == 0 ? 0 : Double(part) / Double(whole) }
}
