import Files
import Tasks

/// What `evaluate --json` prints of a model's result.
func evaluationRecord(of result: any TaskResult, _ loaded: LoadedModel) -> JSONRecord {
  [
    "checkpoint": .string(loaded.checkpoint.path), "step": .integer(loaded.saved.step),
    "task": .string(loaded.saved.configuration.task.rawValue),
    "measurements": .array(result.measurements.map { .object($0.json) }),
    "tables": .array(result.tables.map { .object($0.json) }),
  ]
}

extension Measurement {
  /// None of its figures is rounded.
  var json: JSONRecord {
    var record: JSONRecord = ["name": .string(name), "value": value.json]
    if let unit { record.append("unit", .string(unit)) }
    record.append("set", .string(set))
    if let baseline { record.append("baseline", .string(baseline)) }
    return record
  }
}

extension FigureTable {
  var json: JSONRecord {
    [
      "name": .string(name), "columns": .array(columns.map { .string($0) }),
      "rows": .array(rows.map { .array($0.map(\.json)) }),
    ]
  }
}

extension Measurement.Value {
  fileprivate var json: JSON {
    switch self {
    case .number(let number): .number(number)
    case .count(let count): .integer(count)
    case .answer(let answer): .boolean(answer)
    case .text(let text): .string(text)
    }
  }
}
