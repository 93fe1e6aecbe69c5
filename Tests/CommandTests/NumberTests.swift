import Foundation
import TestSupport
import Testing

extension Commands {
  /// Models that say numbers: forecasts of a table, sums and products of generated sequences.
  struct NumberTests {
    private static let table = [
      "task=forecasting", "data.path=t.csv", "data.columns=b,a", "batch.steps=5", "data.season=6",
    ]

    private func withTable(_ body: (Workspace) throws -> Void) throws {
      try Workspace.run { workspace in
        let rows = (0..<90).map { "\($0),\([0, 4, 7, 8, 5, 1][$0 % 6] + $0 / 30),\($0 % 4)\n" }
        try workspace.put("day,b,a\n" + rows.joined(), "t.csv")
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (90, 2), }\n"
        let season: [Int] = [0, 4, 7, 8, 5, 1]
        let values = (0..<90).flatMap { (row: Int) -> [UInt8] in [UInt8(season[row % 6] + row / 30), UInt8(row % 4)] }
        try workspace.put(
          [0x93] + Array("NUMPY\u{1}\0".utf8) + [UInt8(header.utf8.count), 0] + Array(header.utf8) + values, "t.npy")
        try body(workspace)
      }
    }

    private func arguments(_ settings: [String], steps: Int, run: String) -> [String] {
      let model = ["model.hidden=10", "model.layers=2", "model.dropout=0.1", "batch.sequences=7"]
      return ["train", "--run", run, "--steps", "\(steps)"] + (model + settings).flatMap { ["--set", $0] }
    }

    @Test(arguments: [
      table + ["data.horizon=2"],
      ["task=forecasting", "data.path=t.npy", "data.target=1", "batch.steps=5"],
      ["task=forecasting", "data.path=t.csv", "data.columns=b,a:categories,day:cycle=6", "batch.steps=5"],
      ["task=adding", "data.shortest=22", "data.heldOutStrings=17"],
      ["task=multiplication", "data.shortest=25", "data.heldOutStrings=9"],
    ])
    func everyNumberOfRanksTrainsAndMeasuresTheSameBits(settings: [String]) throws {
      try withTable { workspace in
        for (run, ranks) in [("alone", nil), ("two", 2), ("four", 4)] as [(String, Int?)] {
          try workspace.output(arguments(settings, steps: 14, run: run), ranks: ranks)
        }
        try workspace.output(arguments(settings, steps: 5, run: "stopped"), ranks: 3)
        try workspace.output(arguments(settings, steps: 14, run: "stopped"), ranks: 2)
        let records = try ["alone", "two", "four", "stopped"].map { try #require(try workspace.metrics($0).last) }
        #expect(records.allSatisfy { $0 == records[0] } && records[0].event == "finished")
        let results = try [nil, 3].map { try workspace.output(["evaluate", "alone"], ranks: $0) }
        #expect(results[0] == results[1])
        #expect(results[0].contains("loss: \(try #require(records[0].validationLoss)), the mean squared error"))
      }
    }

    @Test func aSeasonIsLearnedAndForecast() throws {
      try withTable { workspace in
        try workspace.output(
          arguments(
            Self.table + ["model.layers=1", "model.dropout=0", "optimizer.learningRate=0.02"], steps: 400, run: "run"),
          ranks: 2)
        let lines = try workspace.output(["evaluate", "run"], ranks: nil).split(separator: "\n").map {
          $0.split(separator: " ", omittingEmptySubsequences: true)
        }
        func error(_ first: String) throws -> Double {
          try #require(lines.first { $0.first.map(String.init) == first }.flatMap { Double($0[$0.count - 2]) })
        }
        let (own, naive) = (try error("this"), try error("naive:"))
        #expect(own < 0.5 * naive && naive > 2)
        #expect(try error("seasonal") < naive)
        let said = try [nil, 3].map { try workspace.output(["predict", "run", "t.csv"], ranks: $0) }
        #expect(said[0] == said[1])
        // The same numbers in another form give the same run, to the last bit.
        let array = ["task=forecasting", "data.path=t.npy", "batch.steps=5"]
        let text = ["task=forecasting", "data.path=t.csv", "data.columns=b,a", "batch.steps=5"]
        for (run, settings) in [("array", array), ("text", text)] {
          try workspace.output(arguments(settings, steps: 5, run: run), ranks: nil)
        }
        #expect(try workspace.metrics("array").last == workspace.metrics("text").last)
        struct Forecast: Decodable {
          let column: String
          let forecast: [Double]
        }
        let forecast = try JSONDecoder().decode(Forecast.self, from: Data(said[0].utf8))
        // Row 90 begins a season: 0, and 3 for the fourth block of thirty rows, which it has never seen.
        #expect(forecast.column == "b" && forecast.forecast.count == 1 && abs(forecast.forecast[0] - 3) < 2)
      }
    }

    @Test func dataThatCannotBeAreRefused() throws {
      try withTable { workspace in
        try workspace.put("day,b,a\n1,,2\n2,3,4\n", "holes.csv")
        for (settings, code, words) in [
          (["data.columns=b,c"], 65, "missing column"),
          (["data.columns=day,b", "data.target=a"], 65, "missing column"),
          (["batch.steps=80"], 65, "too few rows"), (["data.path=holes.csv", "batch.steps=1"], 65, "missing value"),
          (["data.path=t.npy"], 65, "missing column"), (["data.validation=t.csv"], 78, "data.validation"),
          (["data.horizon=0"], 78, "data.horizon"),
          (["data.files=x"], 78, "data.files"),
        ] as [([String], Int32, String)] {
          try workspace.expectRefusal(
            arguments(Self.table + settings, steps: 3, run: "none"), exitCode: code, [words], ranks: [nil, 2])
        }
        try workspace.expectRefusal(
          arguments(["task=adding", "data.shortest=21"], steps: 3, run: "none"), exitCode: 78, ["expected 22"],
          ranks: [2])
      }
    }
  }
}
