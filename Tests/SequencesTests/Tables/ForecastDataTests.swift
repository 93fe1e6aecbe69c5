import Foundation
import Sequences
import Testing

@Suite struct ForecastDataTests {
  /// Rows 0, 1, 2, … of columns a = row, b = 100 + row².
  private func data(_ rows: Int, share: Double, target: String = "b") throws -> ForecastData {
    let folder = try TestFolder()
    let text = "day,a,b\n" + (0..<rows).map { "x,\($0),\(100 + $0 * $0)\n" }.joined()
    return try ForecastData(
      path: folder.write(text.utf8, "t.csv"), columns: ["a", "b"], target: target, missing: .error, share: share)
  }

  private func filled(_ windows: ForecastWindows, step: Int, lanes: Range<Int>) -> [(rows: [Float], values: [Float])] {
    let batch = SequenceBatch.allocate(
      timesteps: windows.timesteps, lanes: lanes.count, inputs: .numbers(2), targets: .pooledNumbers(windows.horizon))
    defer { batch.deallocate() }
    windows.fill(step: step, lanes: lanes, batch: batch)
    let T = windows.timesteps
    var found: [(rows: [Float], values: [Float])] = []
    for lane in 0..<lanes.count where batch.lengths[lane] > 0 {
      var rows: [Float] = []
      for t in 0..<T {
        for column in 0..<2 { rows.append(batch.numbers[(t * lanes.count + lane) * 2 + column]) }
      }
      let first = lane * windows.horizon
      found.append((rows, Array(batch.values[first..<first + windows.horizon])))
    }
    return found
  }

  @Test func noTrainingWindowReachesAHeldOutRow() throws {
    let data = try data(20, share: 0.25)
    #expect(data.rows == 20 && data.trainingRows == 15 && data.encoding.target == 1)
    #expect(data.encoding.normalization.mean[0] == 7 && data.measured[19] == 461)
    #expect(abs(data.encoding.restored(data.values[2 * 19 + 1]) - 461) < 1e-3)
    let training = try data.training(timesteps: 4, horizon: 2, globalBatch: 4, seed: 1, name: "t")
    #expect(training.starts == 0..<10 && training.stepsPerEpoch == 3)
    let heldOut = try data.heldOut(timesteps: 4, horizon: 2, globalBatch: 3, name: "t")
    #expect(heldOut.starts == 11..<15)
    for epoch in 0..<2 {
      let seen = (0..<3).flatMap { training.indices(atStep: 3 * epoch + $0) }
      #expect(seen.sorted() == Array(0..<10) && seen != Array(0..<10))
    }
    for step in 0..<2 {
      let whole = filled(heldOut, step: step, lanes: 0..<3)
      #expect(whole.count == heldOut.targetCount(atStep: step))
      for (lane, window) in whole.enumerated() {
        let first = heldOut.starts.lowerBound + heldOut.indices(atStep: step)[lane]
        #expect(window.rows == Array(data.values[2 * first..<2 * (first + 4)]))
        #expect(window.values == [4, 5].map { data.values[2 * (first + $0) + 1] })
        let alone = filled(heldOut, step: step, lanes: lane..<lane + 1)
        #expect(alone[0].rows == window.rows && alone[0].values == window.values)
      }
    }
  }

  @Test func otherRowsAreReadAsThoseOfTheTraining() throws {
    let encoding = try data(20, share: 0.25).encoding
    #expect(try ForecastEncoding(json: encoding.json(), name: "e") == encoding)
    let bytes = Array("b,c,a\n109,x,3\n116,y,4\n125,z,5\n".utf8)
    let other = try ForecastData(bytes: bytes, name: "o.csv", encoding: encoding, missing: .error)
    #expect(other.trainingRows == 0 && other.measured == [109, 116, 125])
    #expect(try other.heldOut(timesteps: 2, horizon: 1, globalBatch: 2, name: "o").starts == 0..<1)
    let last = try other.last(timesteps: 2, horizon: 3, name: "o")
    let window = filled(last, step: 0, lanes: 0..<1)[0]
    #expect(last.starts == 1..<2 && window.values.allSatisfy(\.isNaN))
    #expect(window.rows == Array(other.values[2...]))
    for bad in [
      "", "{}", #"{"columns":[],"target":0,"normalization":{"mean":[],"deviation":[]}}"#,
      #"{"columns":["a"],"target":1,"normalization":{"mean":[0],"deviation":[1]}}"#,
      #"{"columns":["a"],"target":0,"normalization":{"mean":[0,1],"deviation":[1,1]}}"#,
    ] {
      expectBadData("(e)") { _ = try ForecastEncoding(json: Data(bad.utf8), name: "e") }
    }
  }

  @Test func tooFewRowsAndATargetThatIsNoColumnAreErrors() throws {
    let small = try data(10, share: 0.2)
    #expect(try small.training(timesteps: 7, horizon: 1, globalBatch: 2, seed: 1, name: "t").starts == 0..<1)
    expectBadData("too few rows to train on", "at least 9", "got 8") {
      _ = try small.training(timesteps: 8, horizon: 1, globalBatch: 2, seed: 1, name: "t")
    }
    #expect(try small.heldOut(timesteps: 8, horizon: 2, globalBatch: 2, name: "t").starts == 0..<1)
    expectBadData("too few rows held out") {
      _ = try small.heldOut(timesteps: 3, horizon: 3, globalBatch: 2, name: "t")
    }
    expectBadData("too few rows to go on from", "got 10") { _ = try small.last(timesteps: 11, horizon: 1, name: "t") }
    expectBadData("missing column", "\"z\"") { _ = try data(10, share: 0.2, target: "z") }
  }

  @Test func naiveForecastsSayTheLastValueOrTheLatestOfTheSameSeason() throws {
    let data = try data(20, share: 0.25, target: "a")
    let windows = try data.heldOut(timesteps: 4, horizon: 3, globalBatch: 4, name: "t")
    // One, two and three rows ahead the last value is 1, 2 and 3 too small.
    let naive = try #require(data.seasonalNaive(windows, season: 1))
    #expect(naive.count == 9 && naive.meanAbsolute == 2 && abs(naive.rootMeanSquare - (14.0 / 3).squareRoot()) < 1e-12)
    // Two rows a season: 2, 2 and 4 too small.
    let seasonal = try #require(data.seasonalNaive(windows, season: 2))
    #expect(abs(seasonal.meanAbsolute - 8.0 / 3) < 1e-12)
    #expect(try #require(data.seasonalNaive(windows, season: 15)).meanAbsolute == 15)
    #expect(data.seasonalNaive(windows, season: 16) == nil && data.seasonalNaive(windows, season: 0) == nil)
  }
}
