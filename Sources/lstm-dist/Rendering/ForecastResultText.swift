import Problems
import Sequences
import Tasks

extension ForecastResult: TextRendered {
  var lines: [String] {
    var rows = [row("this model", errors)]
    if let lastValue { rows.append(row("naive: the last value", lastValue)) }
    if let season { rows.append(row("seasonal naive: \(season.rows) rows before", season.errors)) }
    return [
      "windows: \(set), \(windows), forecasts of \(column)",
      "loss: \(loss), the mean squared error of normalized values", "",
      table(["forecast", "RMSE", "MAE"], rows),
    ]
  }

  private func row(_ name: String, _ errors: ForecastErrors) -> [String] {
    [name, figure(errors.rootMeanSquare), figure(errors.meanAbsolute)]
  }
}
