import Tasks

/// A result with lines of its own on the terminal. One without shows a line for each measurement.
protocol TextRendered: TaskResult {
  var lines: [String] { get }
  /// What `train` shows at its end.
  /// - Parameter trains: the first words of a command that trains as this job did, such as `mpirun -np 4 lstm-dist train`.
  func summary(trains: [String]) -> [String]
  /// What `evaluate` shows below the checkpoint.
  var report: [String] { get }
}

extension TextRendered {
  func summary(trains: [String]) -> [String] { [""] + lines }
  var report: [String] { lines }
}

/// What `train` shows of a result at its end. `trains`: see `TextRendered`.
func summary(of result: any TaskResult, trains: [String]) -> [String] {
  (result as? any TextRendered)?.summary(trains: trains) ?? [""] + measurementLines(result)
}

/// What `evaluate` shows of a result.
func report(of result: any TaskResult) -> [String] {
  (result as? any TextRendered)?.report ?? measurementLines(result)
}

private func measurementLines(_ result: any TaskResult) -> [String] {
  result.measurements.map { measurement in
    let baseline = measurement.baseline.map { " of \($0)" } ?? ""
    return "\(measurement.set): \(measurement.name)\(baseline) \(text(measurement.value))"
      + (measurement.unit.map { " \($0)" } ?? "")
  } + result.tables.flatMap { ["", table($0.columns, $0.rows.map { $0.map(text) })] }
}

private func text(_ value: Measurement.Value) -> String {
  switch value {
  case .number(let number): "\(number)"
  case .count(let count): "\(count)"
  case .answer(let answer): answer ? "yes" : "no"
  case .text(let text): text
  }
}
