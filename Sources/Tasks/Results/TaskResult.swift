/// What a model comes to on a task's data. Each kind is a type with its figures by name; `measurements` and `tables`
/// give them to readers that know no kind, such as JSON.
package protocol TaskResult: Sendable {
  var measurements: [Measurement] { get }
  var tables: [FigureTable] { get }
}

extension TaskResult {
  package var tables: [FigureTable] { [] }
}

/// One figure.
package struct Measurement: Equatable, Sendable {
  /// `answer`: yes or no; `text`: a name in a table, such as that of a class.
  package enum Value: Equatable, Sendable {
    case number(Double)
    case count(Int)
    case answer(Bool)
    case text(String)
  }

  /// What is measured, such as "accuracy".
  package let name: String
  package let value: Value
  /// What the value is in, such as "nats per token"; nil for what has none, such as a share or an answer.
  package let unit: String?
  /// The sequences that it is measured on, such as "held out".
  package let set: String
  /// What is measured in the model's stead, such as "last value"; nil for the model itself.
  package let baseline: String?

  init(_ name: String, _ value: Value, unit: String? = nil, set: String, baseline: String? = nil) {
    (self.name, self.value, self.unit, self.set, self.baseline) = (name, value, unit, set, baseline)
  }
}

/// Figures in rows and columns, each row beginning with its name.
package struct FigureTable: Equatable, Sendable {
  package let name: String
  /// One for each value of a row.
  package let columns: [String]
  package let rows: [[Measurement.Value]]
}
