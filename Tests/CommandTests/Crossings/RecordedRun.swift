import Foundation
import TestSupport

/// What a checkpoint holds of a training, tensor by tensor.
struct RecordedState {
  /// What training goes on with.
  let parameters: [String: [Double]]
  /// The same, or their average.
  let model: [String: [Double]]
  /// By name, then by tensor.
  let moments: [String: [String: [Double]]]
  /// [B, L, 2, H].
  let hidden: [Double]
  let state: [String: TensorReader.Tensor]

  /// How many parameters the average is over.
  var averaged: Int { state["averaged"].map { Int($0.values[0]) } ?? 0 }

  init(_ checkpoint: String) throws {
    let files = try ["model", "optimizer", "state"].map {
      try TensorReader(get("\(checkpoint)/\($0).safetensors")).tensors
    }
    (model, state) = (files[0].mapValues(\.values), files[2])
    var moments: [String: [String: [Double]]] = [:]
    for (name, tensor) in files[1] {
      let dot = name.firstIndex(of: ".")!
      moments[String(name[..<dot]), default: [:]][String(name[name.index(after: dot)...])] = tensor.values
    }
    self.moments = moments
    hidden = state["hidden"]!.values
    parameters = state["averaged"] == nil ? model : moments["iterate"]!
  }
}

/// A run of `crossing-program` with a checkpoint after every step, and what it says of it beside.
struct RecordedRun {
  struct Measurement: Decodable {
    let validationLosses: [String: Double]
    let gradientStep: Int
    let gradientNorm: Double
    let slopes: [String: [Double]]
    let windows: [Window]
  }

  struct Window: Decodable {
    let length: Int
    let learningRateFactor: Double
    let lengths: [Int]
    let fresh: [Bool]
    let tokens: [Int]
    let targets: [Int]
  }

  let records: [RunRecord]
  /// By step.
  let states: [Int: RecordedState]
  let measurement: Measurement

  init(_ directory: String, measured: String) throws {
    records = try RunRecord.read(directory)
    states = try Dictionary(
      uniqueKeysWithValues: list(directory + "/checkpoints").filter { $0.hasPrefix("step-") }.map {
        (Int($0.dropFirst(5))!, try RecordedState("\(directory)/checkpoints/\($0)"))
      })
    measurement = try JSONDecoder().decode(Measurement.self, from: Data(measured.utf8))
  }

  /// The last step.
  var steps: Int { records.last { $0.event == "step" }?.step ?? 0 }

  func record(_ event: String, step: Int) -> RunRecord? { records.first { $0.event == event && $0.step == step } }

  func isSkipped(_ step: Int) -> Bool { record("skipped", step: step) != nil }

  /// Updates before a step, counted from 1.
  func updates(before step: Int) -> Int { (1..<step).count { !isSkipped($0) } }

  /// Validation losses after the steps before one, in their order.
  func evaluations(before step: Int) -> [(step: Int, loss: Double)] {
    records.filter { $0.event == "evaluated" && $0.step < step }.map { ($0.step, $0.number("validationLoss") ?? .nan) }
  }
}
