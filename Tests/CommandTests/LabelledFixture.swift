import Files
import Foundation

/// Tiny labelled data in each form that a classifier reads: two classes that are easy to tell apart, sequences of
/// different lengths.
enum LabelledFixture: String, CaseIterable {
  case texts, table, series, audio

  /// The settings with which `train` reads it.
  var settings: [String] {
    let given =
      switch self {
      case .texts: ["data.path=texts", "data.tokens=characters"]
      case .table:
        ["data.path=table.csv", "data.tokens=words", "data.folds=4", "data.fold=1", "model.vectors=vectors.txt"]
      case .series: ["data.path=series.ts", "data.validation=other.ts"]
      case .audio:
        [
          "data.path=clips", "data.files={class}_*.wav", "data.heldOut=*_0.wav|*_3.wav", "audio.bands=8",
          "audio.noise=0.1", "audio.shift=0.02",
        ]
      }
    return given.flatMap { ["--set", $0] }
  }

  /// Data of the same form to evaluate on.
  var path: String { ["texts", "table.csv", "other.ts", "clips"][LabelledFixture.allCases.firstIndex(of: self)!] }

  /// Files of the same form to predict, of three sequences or more.
  var unlabelled: [String] {
    switch self {
    case .texts: ["texts/up.txt"]
    case .table: ["table.csv"]
    case .series: ["other.ts"]
    case .audio: ["clips/low_0.wav", "clips/high_1.wav", "clips/low_2.wav"]
    }
  }

  func write(_ workspace: Workspace) throws {
    try workspace.put(LabelledFixture.model, "classifier.yaml")
    switch self {
    case .texts:
      try workspace.makeDirectory("texts")
      try workspace.put(
        (1...14).map { "ab été " + String(repeating: "ab", count: $0 % 5) }.joined(separator: "\n"), "texts/up.txt")
      try workspace.put(
        (1...9).map { "ba " + String(repeating: "ba", count: $0 % 4) + "c" }.joined(separator: "\r\n"), "texts/down.txt"
      )
    case .table:
      let rows = (0..<20).map {
        "\"\($0 % 2 == 0 ? "good" : "bad")\(String(repeating: ", really", count: $0 % 3))\",\($0 % 2)"
      }
      try workspace.put("text,label\n" + rows.joined(separator: "\n") + "\n", "table.csv")
      try workspace.put("good 1 0 -0.5 2e-1 0 1\nunused 0 0 0 0 0 0\nbad, -1 0 0.5 0 0 1\n", "vectors.txt")
    case .series:
      for (name, count) in [("series.ts", 18), ("other.ts", 11)] {
        let rows = (0..<count).map { index in
          let values = (0...index % 6).map { "\(index % 2 == 0 ? 1 : -1).\($0)" }.joined(separator: ",")
          return "\(values):\(values.replacing("-", with: "")):\(index % 2 == 0 ? "up" : "down")"
        }
        try workspace.put("@dimensions 2\n@classLabel true up down\n@data\n" + rows.joined(separator: "\n"), name)
      }
    case .audio:
      try workspace.makeDirectory("clips")
      for (name, period) in LabelledFixture.periods {
        for (index, samples) in LabelledFixture.samples.enumerated() {
          try workspace.put(LabelledFixture.clip(samples: samples, period: period), "clips/\(name)_\(index).wav")
        }
      }
    }
  }

  /// Two layers, dropout, and an odd number of sequences.
  private static let model = """
    task: classification
    model: {embedding: 6, hidden: 12, layers: 2, dropout: 0.25}
    batch: {sequences: 7}
    optimizer: {learningRate: 0.02}
    training: {steps: 12, evaluateEvery: 0, checkpointEvery: 0}
    checkpoint: {keepLast: 0}
    """

  /// What clips sound like, and how long they are.
  static let periods = [("low", 40), ("high", 5)]
  static let samples = (0..<7).map { 150 + 90 * $0 }

  /// Which half of a square wave a sample is in.
  static func isHigh(_ sample: Int, _ period: Int) -> Bool { sample % period < period / 2 }

  /// A WAV file of a square wave: 16 bits, one channel, 8,000 samples a second.
  static func clip(samples: Int, period: Int) -> [UInt8] {
    func bytes(_ value: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let data = (0..<samples).flatMap { bytes(isHigh($0, period) ? 8000 : -8000, 2) }
    return Array("RIFF".utf8) + bytes(36 + data.count, 4) + Array("WAVEfmt ".utf8) + bytes(16, 4) + bytes(1, 2)
      + bytes(1, 2) + bytes(8000, 4) + bytes(16_000, 4) + bytes(2, 2) + bytes(16, 2) + Array("data".utf8)
      + bytes(data.count, 4) + data
  }
}
