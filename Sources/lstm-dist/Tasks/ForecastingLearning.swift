import Configuration
import DataParallel
import Files
import LSTM
import Sequences

/// The next values of one column of a table of numbers.
enum ForecastingLearning: LearningTask {
  static func data(_ configuration: Configuration) throws -> RunData {
    let data = try read(configuration)
    let (batch, path, horizon) = (configuration.batch, configuration.data.path, configuration.data.horizon)
    let training = try data.training(
      timesteps: batch.steps, horizon: horizon, globalBatch: batch.sequences, seed: configuration.seed, name: path)
    let heldOut =
      data.trainingRows == data.rows
      ? nil
      : try data.heldOut(timesteps: batch.steps, horizon: horizon, globalBatch: batch.sequences, name: path)
    let model = configuration.model
    return RunData(
      shape: ModelShape(
        input: .numbers(data.encoding.columns.count), hidden: model.hidden, layers: model.layers,
        head: .pooledNumbers(horizon)),
      timesteps: batch.steps, training: training, validation: heldOut,
      identity: DataIdentity(
        vocabulary: Array(try data.encoding.json()),
        tokens: [data.values.map { Int32(bitPattern: $0.bitPattern) }, [Int32(truncatingIfNeeded: data.trainingRows)]]),
      unit: "window", measure: ""
    ) { model, _, _ in
      guard let heldOut else { return [] }
      return [""] + (try result(data, heldOut, "held out", configuration, model))
    }
  }

  static func evaluation(of saved: SavedRun, on path: String?) throws -> Evaluation {
    let configuration = saved.configuration
    let (data, name) = try heldOut(saved, path)
    let batch = configuration.batch
    let windows = try data.heldOut(
      timesteps: batch.steps, horizon: configuration.data.horizon, globalBatch: batch.sequences, name: name)
    return Evaluation(timesteps: batch.steps) { model, _ in try result(data, windows, name, configuration, model) }
  }

  private static func heldOut(_ saved: SavedRun, _ path: String?) throws -> (ForecastData, name: String) {
    let (configuration, encoding) = (saved.configuration, try saved.forecastEncoding())
    if let path {
      return (
        try ForecastData(
          bytes: TextFile.read(path, as: "table"), name: path, encoding: encoding,
          missing: MissingValues(configuration.data.missing)), path
      )
    }
    let again = try read(configuration)
    guard again.encoding == encoding else { throw SavedRun.otherData(at: configuration.data.path, "the columns") }
    guard again.trainingRows < again.rows else { throw SavedRun.nothingHeldOut }
    return (again, "held out of \(configuration.data.path)")
  }

  /// Errors as measured, beside those of saying the last value, or the value a season before.
  private static func result(
    _ data: ForecastData, _ windows: ForecastWindows, _ name: String, _ configuration: Configuration,
    _ model: Replica
  ) throws -> [String] {
    let (loss, outputs) = try model.outputs(windows, sequences: windows.starts.count)
    var errors = ForecastErrors()
    for (start, forecast) in zip(windows.starts, outputs) {
      for (k, value) in forecast.enumerated() {
        errors.add(data.encoding.restored(value), measured: Double(data.measured[start + windows.timesteps + k]))
      }
    }
    var rows = [row("this model", errors)]
    if let naive = data.seasonalNaive(windows, season: 1) { rows.append(row("naive: the last value", naive)) }
    let season = configuration.data.season
    if season > 0, let naive = data.seasonalNaive(windows, season: season) {
      rows.append(row("seasonal naive: \(season) rows before", naive))
    }
    return [
      "windows: \(name), \(windows.starts.count), forecasts of \(data.encoding.columns[data.encoding.target])",
      "loss: \(loss), the mean squared error of normalized values", "",
      table(["forecast", "RMSE", "MAE"], rows),
    ]
  }

  private static func row(_ name: String, _ errors: ForecastErrors) -> [String] {
    [name, rounded(errors.rootMeanSquare, 4), rounded(errors.meanAbsolute, 4)]
  }

  static func prediction(by saved: SavedRun, of files: [ClassifierEncoding.File]) throws -> Prediction {
    let (configuration, encoding) = (saved.configuration, try saved.forecastEncoding())
    let windows = try files.map { file in
      try ForecastData(
        bytes: file.bytes, name: file.name, encoding: encoding, missing: MissingValues(configuration.data.missing)
      ).last(timesteps: configuration.batch.steps, horizon: configuration.data.horizon, name: file.name)
    }
    return Prediction(timesteps: configuration.batch.steps) { model, _ in
      try zip(files, windows).map { file, window in
        struct Said: Encodable {
          let name: String
          let column: String
          let forecast: [Double]
        }
        let said = Said(
          name: file.name, column: encoding.columns[encoding.target],
          forecast: try model.outputs(window, sequences: 1).outputs[0].map(encoding.restored))
        return try SortedJSON.text(said)
      }
    }
  }

  static func uses(of run: FinishedRun) -> [ShellCommand] {
    [run.command("predict", ShellCommand.path(run.dataPath))]
  }

  private static func read(_ configuration: Configuration) throws -> ForecastData {
    let data = configuration.data
    let share = if case .fraction(let share) = data.validation { share } else { 0.0 }
    return try ForecastData(
      path: data.path, columns: data.columns.split(separator: ",").map(String.init), target: data.target,
      missing: MissingValues(data.missing), share: share)
  }
}

extension MissingValues {
  init(_ choice: Configuration.Data.Missing) {
    switch choice {
    case .error: self = .error
    case .previous: self = .previous
    case .mean: self = .mean
    }
  }
}
