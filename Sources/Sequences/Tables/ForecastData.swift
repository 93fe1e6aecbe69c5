import Files
import Foundation
import Problems

/// How a forecaster reads tables: fitted on the training rows alone and stored with the model.
package struct ForecastEncoding: Codable, Equatable, Sendable {
  /// The columns that are read, in their order.
  package let columns: [String]
  /// Which of them is forecast.
  package let target: Int
  /// Of each column.
  package let normalization: Normalization

  /// The encoding as one JSON object, the same bytes for the same encoding.
  package func json() throws -> Data { try SortedJSON.data(self) }

  /// The encoding in a JSON object; `name` is what an error calls the file. Exit code 65 for anything malformed.
  package init(json: Data, name: String) throws(Problem) {
    self = try SortedJSON.read(json, what: "encoding", keys: "columns, target and normalization", name: name)
    guard !columns.isEmpty, columns.indices.contains(target), normalization.isUsable,
      normalization.mean.count == columns.count
    else {
      throw .data(
        "encoding of a forecaster — expected columns, one of them the target, and a normalization, got something else "
          + "(\(name))")
    }
  }

  init(columns: [String], target: Int, normalization: Normalization) {
    (self.columns, self.target, self.normalization) = (columns, target, normalization)
  }

  /// Tells where different values that follow each other are one Float once they are normalized.
  fileprivate func tellOfEqualNeighbours(_ table: NumberTable, _ normalized: [Float], _ account: DataAccount) {
    let D = columns.count
    for column in columns.indices {
      let places = stride(from: column + D, to: normalized.count, by: D)
      let lost = places.count { table.values[$0] != table.values[$0 - D] && normalized[$0] == normalized[$0 - D] }
      guard lost > 0 else { continue }
      account.remark(
        "\(counted(lost, "row")) of \(table.rows) differ from the row before by less than a normalized Float can say, in "
          + "column \(quoted(columns[column]))", at: table.name,
        hint: "take differences, or leave the column out")
    }
  }

  /// A normalized value of the target as it was measured.
  package func restored(_ value: Float) -> Double {
    Double(value) * normalization.deviation[target] + normalization.mean[target]
  }
}

/// Rows of numbers of which one column is forecast; the rows at the end are held out.
package struct ForecastData: Sendable {
  /// How the rows were read.
  package let encoding: ForecastEncoding
  /// The target as it was measured, row by row.
  package let measured: [Double]
  /// [rows, D] row-major, normalized.
  package let values: [Float]
  /// Rows to train on; the others are held out.
  package let trainingRows: Int

  /// Reads a table to train on. Errors as `NumberTable` has them, and with exit code 65 for a target that is no column.
  /// - Parameters:
  ///   - columns: The columns to read; none means all.
  ///   - target: The column to forecast; "" means the first.
  ///   - share: The share held out at the end, 0 ≤ share < 1.
  package init(
    path: String, form: TableForm = TableForm(), columns: [String], target: String, missing: MissingValues,
    share: Double,
    account: DataAccount = DataAccount()
  ) throws(Problem) {
    let raw = try NumberTable(path: path, form: form, columns: columns, share: share, account: account)
    let table = try raw.filled(missing, trainingRows: 0..<NumberTable.cut(raw.rows, share), account: account)
    trainingRows = NumberTable.cut(table.rows, share)
    let place = target.isEmpty ? 0 : table.columns.firstIndex { ExactString($0) == ExactString(target) }
    guard let place else {
      throw .data(
        "missing column — expected \(quoted(target)) among those that are read, got \(listed(table.columns)) (\(path))")
    }
    guard trainingRows >= 1 else { throw .data("no rows to train on — expected at least one, got none (\(path))") }
    let D = table.columns.count
    encoding = ForecastEncoding(
      columns: table.columns, target: place,
      normalization: Normalization(fitting: Array(table.values[..<(trainingRows * D)]), width: D))
    values = try encoding.normalization.normalized(table.values, name: path)
    measured = (0..<table.rows).map { table.values[$0 * D + place] }
    encoding.tellOfEqualNeighbours(table, values, account)
    account.count("row", training: trainingRows, heldOut: table.rows - trainingRows)
  }

  /// Reads rows as a trained model needs them; all of them are held out.
  package init(
    bytes: [UInt8], form: TableForm = TableForm(), name: String, encoding: ForecastEncoding, missing: MissingValues,
    account: DataAccount = DataAccount()
  ) throws(Problem) {
    let table = try NumberTable(
      bytes: bytes, form: form, columns: encoding.columns, name: name, account: account)
    let filled = try table.filled(
      missing, trainingRows: 0..<table.rows, means: encoding.normalization.mean, account: account)
    self.encoding = encoding
    trainingRows = 0
    values = try encoding.normalization.normalized(filled.values, name: name)
    measured = (0..<filled.rows).map { filled.values[$0 * encoding.columns.count + encoding.target] }
  }

  /// All rows.
  package var rows: Int { measured.count }

  /// Windows whose targets are training rows, in a drawn order. An error with exit code 65 where there are too few
  /// rows.
  package func training(
    timesteps: Int, horizon: Int, globalBatch: Int, seed: UInt64, name: String
  ) throws(Problem) -> ForecastWindows {
    try windows(0..<trainingRows - timesteps - horizon + 1, timesteps, horizon, globalBatch, seed, "to train on", name)
  }

  /// Windows whose targets are held-out rows, in their order; what they read may be training rows.
  package func heldOut(
    timesteps: Int, horizon: Int, globalBatch: Int, name: String
  ) throws(Problem) -> ForecastWindows {
    let first = max(0, trainingRows - timesteps)
    return try windows(first..<rows - timesteps - horizon + 1, timesteps, horizon, globalBatch, nil, "held out", name)
  }

  /// The window of the last rows: its targets are not there yet.
  package func last(timesteps: Int, horizon: Int, name: String) throws(Problem) -> ForecastWindows {
    try windows(rows - timesteps..<rows - timesteps + 1, timesteps, horizon, 1, nil, "to go on from", name)
  }

  private func windows(
    _ starts: @autoclosure () -> Range<Int>, _ timesteps: Int, _ horizon: Int, _ globalBatch: Int, _ seed: UInt64?,
    _ part: String, _ name: String
  ) throws(Problem) -> ForecastWindows {
    let enough = timesteps + (part == "to go on from" ? 0 : horizon)
    let there = part == "to train on" ? trainingRows : rows
    guard there >= enough, part != "held out" || rows - max(trainingRows, timesteps) >= horizon else {
      throw .data(
        "too few rows \(part) — expected at least \(enough) (batch.steps \(timesteps), data.horizon \(horizon)), got "
          + "\(part == "held out" ? rows - trainingRows : there) (\(name))",
        hint: "give more rows, or lower batch.steps, or change data.validation")
    }
    return ForecastWindows(
      values: values, width: encoding.columns.count, target: encoding.target, starts: starts(), timesteps: timesteps,
      horizon: horizon, globalBatch: globalBatch, shuffleSeed: seed)
  }
}

/// Errors of forecasts: root of the mean square, and mean of the absolute.
package struct ForecastErrors: Sendable, Equatable {
  private var squares = 0.0
  private var absolutes = 0.0
  /// Values that were forecast.
  package private(set) var count = 0

  /// None yet.
  package init() {}

  /// One more forecast and what came.
  package mutating func add(_ forecast: Double, measured: Double) {
    squares += (forecast - measured) * (forecast - measured)
    absolutes += (forecast - measured).magnitude
    count += 1
  }

  /// √(Σ error² / n).
  package var rootMeanSquare: Double { (squares / Double(max(1, count))).squareRoot() }
  /// Σ |error| / n.
  package var meanAbsolute: Double { absolutes / Double(max(1, count)) }
}

extension ForecastData {
  /// The errors of saying, for each target of `windows`, the value a whole number of seasons of `season` rows before it
  /// that is the latest one known; a season of one row is the naive forecast, the last value. Nil where the first of
  /// them lies before the table.
  package func seasonalNaive(_ windows: ForecastWindows, season: Int) -> ForecastErrors? {
    guard season >= 1, windows.starts.lowerBound + windows.timesteps >= season else { return nil }
    var errors = ForecastErrors()
    for start in windows.starts {
      let first = start + windows.timesteps
      for k in 0..<windows.horizon {
        let before = first + k - season * (k / season + 1)
        errors.add(measured[before], measured: measured[first + k])
      }
    }
    return errors
  }
}
