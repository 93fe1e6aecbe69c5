import Sequences

/// How far forecasts are from what was measured, beside two rules that need no model.
package struct ForecastResult: TaskResult {
  /// What the windows are called, such as "held out".
  package let set: String
  package let windows: Int
  package let column: String
  /// The mean squared error of normalized values.
  package let loss: Double
  /// In the column's own unit.
  package let errors: ForecastErrors
  /// Of the last value known; nil where there is none.
  package let lastValue: ForecastErrors?
  /// Of the value one season before, in rows; nil without a season.
  package let season: (rows: Int, errors: ForecastErrors)?

  package var measurements: [Measurement] {
    let errors: [(baseline: String?, ForecastErrors?)] = [
      (nil, errors), ("last value", lastValue),
      (season.map { "\($0.rows) rows before" }, season?.errors),
    ]
    return [
      Measurement("windows", .count(windows), set: set),
      Measurement("loss", .number(loss), unit: "mean squared error of normalized values", set: set),
    ]
      + errors.flatMap { baseline, errors -> [Measurement] in
        guard let errors else { return [] }
        return [("RMSE", errors.rootMeanSquare), ("MAE", errors.meanAbsolute)].map {
          Measurement($0, .number($1), unit: "the unit of \(column)", set: set, baseline: baseline)
        }
      }
  }
}
