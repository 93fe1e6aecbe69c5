import Configuration
import DataParallel
import Files
import Foundation
import LSTM
import Sequences

/// The next values of one column of a table of numbers.
struct ForecastingLearning: LearningTask {
  let configuration: Configuration

  func data() throws -> RunData {
    let account = DataAccount()
    let data = try read(account)
    let (batch, path, horizon) = (configuration.batch, configuration.data.path, configuration.data.horizon)
    let training = try data.training(
      timesteps: batch.steps, horizon: horizon, globalBatch: batch.sequences, seed: configuration.seed, name: path)
    let heldOut =
      data.trainingRows == data.rows
      ? nil
      : try data.heldOut(timesteps: batch.steps, horizon: horizon, globalBatch: batch.sequences, name: path)
    let season = configuration.data.season
    if season > data.rows {
      account.remark(
        "data.season is \(season), but the table has \(data.rows) rows: there is no seasonal naive forecast", at: path)
    }
    let model = configuration.model
    return RunData(
      shape: ModelShape(
        input: .numbers(data.encoding.columns.count), hidden: model.hidden, layers: model.layers,
        head: .pooledNumbers(horizon)),
      timesteps: batch.steps, training: training, validation: heldOut, account: account,
      identity: DataIdentity(
        vocabulary: Array(try data.encoding.json()),
        tokens: [data.values.map { Int32(bitPattern: $0.bitPattern) }, [Int32(truncatingIfNeeded: data.trainingRows)]]),
      unit: "window", measure: ""
    ) { model, _ in try heldOut.map { try result(data, $0, "held out", model) } }
  }

  func evaluation(of saved: SavedRun, on path: String?) throws -> EvaluationPlan {
    let account = DataAccount()
    let (data, name) = try heldOut(saved, path, account)
    let batch = configuration.batch
    let windows = try data.heldOut(
      timesteps: batch.steps, horizon: configuration.data.horizon, globalBatch: batch.sequences, name: name)
    return EvaluationPlan(timesteps: batch.steps, account: account) { try result(data, windows, name, $0) }
  }

  private func heldOut(
    _ saved: SavedRun, _ path: String?, _ account: DataAccount
  ) throws -> (ForecastData, name: String) {
    let encoding = try saved.forecastEncoding()
    if let path {
      return (
        try ForecastData(
          bytes: TextFile.read(path, as: "table"), form: configuration.data.table, name: path, encoding: encoding,
          missing: configuration.data.missing, account: account), path
      )
    }
    let again = try read(account)
    guard again.encoding == encoding else { throw saved.otherData("the columns") }
    guard again.trainingRows < again.rows else { throw SavedRun.nothingHeldOut }
    return (again, configuration.data.heldOutName)
  }

  /// Errors as measured, beside those of the last value and of the value a season before.
  private func result(
    _ data: ForecastData, _ windows: ForecastWindows, _ name: String, _ model: any EvaluatedModel
  ) throws -> ForecastResult {
    let (loss, outputs) = try model.outputs(windows, sequences: windows.starts.count)
    var errors = ForecastErrors()
    for (start, forecast) in zip(windows.starts, outputs) {
      for (k, value) in forecast.enumerated() {
        errors.add(data.encoding.restored(value), measured: Double(data.measured[start + windows.timesteps + k]))
      }
    }
    let season = configuration.data.season
    return ForecastResult(
      set: name, windows: windows.starts.count, column: data.encoding.columns[data.encoding.target], loss: loss,
      errors: errors, lastValue: data.seasonalNaive(windows, season: 1),
      season: season > 0 ? data.seasonalNaive(windows, season: season).map { (season, $0) } : nil)
  }

  func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> PredictionPlan {
    let encoding = try saved.forecastEncoding()
    let account = DataAccount()
    let windows = try files.map { file in
      try ForecastData(
        bytes: file.bytes, form: configuration.data.table, name: file.name, encoding: encoding,
        missing: configuration.data.missing,
        account: account
      ).last(timesteps: configuration.batch.steps, horizon: configuration.data.horizon, name: file.name)
    }
    return PredictionPlan(timesteps: configuration.batch.steps, account: account) { model in
      try zip(files, windows).map { file, window in
        ForecastPrediction(
          name: file.name, column: encoding.columns[encoding.target],
          forecast: try model.outputs(window, sequences: 1).outputs[0].map(encoding.restored))
      }
    }
  }

  var uses: [ModelUse] { [.predict(path: configuration.data.heldOutPath)] }

  private func read(_ account: DataAccount) throws -> ForecastData {
    let data = configuration.data
    let share = if case .fraction(let share) = data.validation { share } else { 0.0 }
    return try ForecastData(
      path: data.path, form: data.table, columns: ColumnList.names(data.columns), target: data.target,
      missing: data.missing, share: share, account: account)
  }
}

extension SavedRun {
  /// How a model that predicts the next numbers of a table reads it.
  fileprivate func forecastEncoding() throws -> ForecastEncoding {
    let encoding = try ForecastEncoding(json: Data(vocabulary), name: path)
    try check(input: .numbers(encoding.columns.count), head: .pooledNumbers(configuration.data.horizon))
    return encoding
  }
}

/// The next values of a column.
package struct ForecastPrediction: Prediction, Equatable {
  package let name: String
  package let column: String
  /// In the column's own unit.
  package let forecast: [Double]
}
