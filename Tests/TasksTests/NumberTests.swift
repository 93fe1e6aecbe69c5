import Foundation
import Sequences
import Tasks
import TestSupport
import Testing

/// Forecasts of columns, and piano rolls.
struct NumberTests {
  // MARK: Forecasting

  /// Forty rows: a counts 0, 1, 2, …, b is 3 throughout but in one row.
  private func withSeries(_ body: (_ learning: any LearningTask, _ directory: String) throws -> Void) throws {
    try withDirectory { directory in
      let rows = (0..<40).map { "\($0),\($0 == 2 ? 4 : 3)" }
      try put("a,b\n\(rows.joined(separator: "\n"))\n".utf8, "\(directory)/series.csv")
      let yaml =
        "task: forecasting\ndata: {path: \(directory)/series.csv, target: a, horizon: 2, season: 3, validation: 0.2}\n"
        + "batch: {sequences: 3, steps: 4}"
      try body(try task(yaml), directory)
    }
  }

  /// The deviation of 0 ... 31, the training rows.
  private static let deviation = ((32 * 32 - 1) / 12.0).squareRoot()

  /// The next two of a series that rises by one a row, `error` deviations too high.
  private static func next(_ read: [Float], error: Float) -> [Float] {
    let last = read[read.count - 2]
    return (1...2).map { last + Float(Double($0) / deviation) + error }
  }

  @Test func aForecasterReadsAllColumnsAndPredictsOne() throws {
    try withSeries { learning, directory in
      let data = try learning.data()
      #expect(data.shape.input == .numbers(2) && data.shape.head == .pooledNumbers(2))
      #expect(data.timesteps == 4 && data.unit == "window" && data.measure.isEmpty)
      // 32 training rows: windows begin at 0 ... 26.
      #expect(data.training.stepsPerEpoch == 9)
      #expect(learning.uses == [.predict(path: "\(directory)/series.csv")])
    }
  }

  @Test func errorsAreInTheUnitOfTheColumn() throws {
    try withSeries { learning, directory in
      let data = try learning.data()
      let result: ForecastResult = try learning.evaluated(data) { Self.next($0, error: 0.1) }
      #expect(result.column == "a" && result.set == "held out of \(directory)/series.csv")
      // Targets are rows 32 and 33, ..., 38 and 39.
      #expect(result.windows == 7 && result.errors.count == 14)
      #expect(isClose(result.errors.rootMeanSquare, 0.1 * Self.deviation, 1e-5))
      #expect(isClose(result.errors.meanAbsolute, 0.1 * Self.deviation, 1e-5))
      #expect(isClose(result.loss, 0.01, 1e-5))
      // The last value is one and two rows behind, the season three.
      let last = try #require(result.lastValue)
      #expect(isClose(last.rootMeanSquare, 2.5.squareRoot()) && isClose(last.meanAbsolute, 1.5))
      let season = try #require(result.season)
      #expect(season.rows == 3 && isClose(season.errors.meanAbsolute, 3))
      #expect(
        result.measurements.filter { $0.name == "MAE" }.map(\.baseline) == [nil, "last value", "3 rows before"])
      let all: ForecastResult = try learning.evaluated(data, on: "\(directory)/series.csv") {
        Self.next($0, error: 0)
      }
      #expect(all.windows == 35 && all.errors.rootMeanSquare < 1e-4)
    }
  }

  @Test func aForecastGoesOnFromTheLastRows() throws {
    try withSeries { learning, _ in
      let data = try learning.data()
      let plan = try learning.prediction(
        by: learning.saved(data), of: [(name: "new.csv", bytes: Array("a,b\n7,3\n8,3\n9,3\n10,3\n11,3\n".utf8))])
      let predictions = try #require(
        try plan.predict(HandSetModel(data.shape) { Self.next($0, error: 0) }) as? [ForecastPrediction])
      #expect(predictions.map(\.column) == ["a"])
      struct Read: Decodable {
        let name: String
        let column: String
        let forecast: [Double]
      }
      #expect(predictions.count == 1)
      let read = try JSONDecoder().decode(Read.self, from: Data(SortedJSON.text(predictions[0]).utf8))
      #expect(read.name == "new.csv" && read.column == "a")
      #expect(read.forecast.count == 2 && isClose(read.forecast[0], 12, 1e-5) && isClose(read.forecast[1], 13, 1e-5))
    }
  }

  // MARK: Piano rolls

  @Test func framesButTheFirstOfAPieceCountOnce() throws {
    try withDirectory { directory in
      let path = "\(directory)/rolls.json"
      try put(
        #"{"train":[[[60],[61]]],"valid":[[[60,64],[60],[62]],[[21],[108]]],"test":[[[60],[60],[60],[],[60]]]}"#.utf8,
        path)
      let learning = try task("task: piano-roll\ndata: {path: \(path)}\nbatch: {sequences: 2}")
      let data = try learning.data()
      #expect(data.shape.input == .numbers(88) && data.shape.head == .everyStepUnits(88))
      #expect(data.timesteps == 4 && data.unit == "frame")
      // A key that sounds goes on, by a margin of 2; the others are undecided.
      let result: PianoRollResult = try learning.evaluated(data) { read in
        read.suffix(88).map { $0 == 1 ? 2 : 0 }
      }
      #expect(result.parts.map(\.name) == ["validation", "test"])
      #expect(result.parts.map(\.pieces) == [2, 1] && result.parts.map(\.frames) == [3, 4])
      func loss(goesOn: Int, stops: Int, frames: Int) -> Double {
        let undecided = 88 * frames - goesOn - stops
        return (Double(undecided) * log(2) + Double(goesOn) * log(1 + exp(-2)) + Double(stops) * log(1 + exp(2)))
          / Double(frames)
      }
      // 60 and 64 → 60 → 62; 21 → 108.
      #expect(isClose(result.parts[0].loss, loss(goesOn: 1, stops: 3, frames: 3)))
      // 60 → 60 → 60 → nothing → 60.
      #expect(isClose(result.parts[1].loss, loss(goesOn: 2, stops: 1, frames: 4)))
      #expect(try data.result(HandSetModel(data.shape) { _ in [Float](repeating: 0, count: 88) }, 1) != nil)
    }
  }
}
