import Configuration
import Foundation
import LSTM
import Sequences
import Tasks

/// A model on one rank that has no layers: at each timestep its outputs are a function of what the window has shown of
/// the sequence so far. It reads sources as a real model does, lane by lane; losses are computed in Double.
final class HandSetModel: EvaluatedModel {
  /// What it says: [K], from the elements of timesteps 0 ... t, [t + 1, D] row-major; a token is one number.
  typealias Answer = (_ read: [Float]) -> [Float]

  /// Zeros, for samplers.
  let parameters: UnsafeMutablePointer<Float>
  private let shape: ModelShape
  private let segment: Int
  private let answer: Answer

  /// - Parameter segment: timesteps that it shows together, from the end of a window to its beginning; nil for all.
  init(_ shape: ModelShape, segment: Int? = nil, _ answer: @escaping Answer) {
    (self.shape, self.segment, self.answer) = (shape, segment ?? .max, answer)
    parameters = .allocate(capacity: shape.parameterCount)
    parameters.initialize(repeating: 0, count: shape.parameterCount)
  }

  deinit { parameters.deallocate() }

  func sum(_ count: Int) -> Int { count }

  func evaluate(_ source: any SequenceSource, visit: (any EvaluatedLogits) -> Void) -> Double {
    var (loss, count) = (0.0, 0)
    for step in 0..<source.stepsPerEpoch {
      let window = Window(source, step: step, shape, answer)
      loss += window.loss
      count += source.targetCount(atStep: step)
      var end = isPooled ? 1 : source.timesteps
      while end > 0 {
        let start = max(0, end - min(segment, end))
        visit(window.piece(start..<end))
        end = start
      }
    }
    return loss / Double(max(1, count))
  }

  func outputs(
    _ source: any SequenceSource & IndexedBatches, sequences: Int
  ) -> (loss: Double, outputs: [[Float]]) {
    var outputs = [[Float]](repeating: [], count: sequences)
    let loss = evaluate(source) { window in
      for (lane, index) in source.indices(atStep: window.step).enumerated() {
        outputs[index] = Array(window.logits(t: nil, lane: lane))
      }
    }
    return (loss, outputs)
  }

  func classifyTimesteps(
    _ source: any SequenceSource & IndexedBatches, lengths: [Int]
  ) -> (loss: Double, said: [[(class: Int, probability: Float)]]) {
    var said = lengths.map { [(class: Int, probability: Float)](repeating: (0, 0), count: $0) }
    let loss = evaluate(source) { window in
      for (lane, index) in source.indices(atStep: window.step).enumerated() {
        for t in window.timesteps.clamped(to: 0..<lengths[index]) {
          let row = probabilities(window.logits(t: t, lane: lane).map(Double.init))
          let best = row.indices.max { row[$0] < row[$1] }!
          said[index][t] = (best, Float(row[best]))
        }
      }
    }
    return (loss, said)
  }

  private var isPooled: Bool {
    switch shape.head {
    case .pooled, .pooledNumbers: true
    case .everyStep, .everyStepUnits: false
    }
  }
}

/// exp(x) / Σ exp(x).
func probabilities(_ logits: [Double]) -> [Double] {
  let sum = logits.reduce(0) { $0 + exp($1) }
  return logits.map { exp($0) / sum }
}

/// One window of a source, as a hand-set model answers it.
private final class Window {
  let step: Int
  let lanes: Int
  private(set) var loss = 0.0
  /// [T, B, K], or [B, K] of a model with one output a sequence.
  private let rows: [[[Float]]]
  /// What logits pointed to must outlive their use.
  private var lent: [UnsafeMutableBufferPointer<Float>] = []

  init(_ source: any SequenceSource, step: Int, _ shape: ModelShape, _ answer: HandSetModel.Answer) {
    (self.step, lanes) = (step, source.globalBatch)
    let (inputs, width): (SequenceBatch.Inputs, Int) =
      shape.vocabulary == nil ? (.numbers(shape.inputs), shape.inputs) : (.tokens, 1)
    let targets: SequenceBatch.Targets
    let isPooled: Bool
    switch shape.head {
    case .everyStep: (targets, isPooled) = (.everyStep, false)
    case .everyStepUnits(let count): (targets, isPooled) = (.everyStepNumbers(count), false)
    case .pooled: (targets, isPooled) = (.pooled, true)
    case .pooledNumbers(let count): (targets, isPooled) = (.pooledNumbers(count), true)
    }
    let batch = SequenceBatch.allocate(
      timesteps: source.timesteps, lanes: lanes, inputs: inputs, targets: targets)
    defer { batch.deallocate() }
    source.fill(step: step, lanes: 0..<lanes, batch: batch)
    let lanes = lanes
    func read(_ lane: Int, _ t: Int) -> [Float] {
      (0..<width).map {
        shape.vocabulary == nil
          ? batch.numbers[(t * lanes + lane) * width + $0] : Float(batch.tokens[t * lanes + lane])
      }
    }
    var rows = [[[Float]]](repeating: [[Float]](repeating: [], count: lanes), count: isPooled ? 1 : source.timesteps)
    for lane in 0..<lanes {
      let length = Int(batch.lengths[lane])
      var seen: [Float] = []
      for t in 0..<length {
        seen += read(lane, t)
        if isPooled && t < length - 1 { continue }
        let place = isPooled ? 0 : t
        rows[place][lane] = answer(seen)
        loss += Window.loss(rows[place][lane].map(Double.init), shape.head, batch, place * lanes + lane)
      }
    }
    self.rows = rows
  }

  deinit { for memory in lent { memory.deallocate() } }

  /// −log of the target's probability; of units the sum over them; of numbers the mean squared error. 0 without target.
  private static func loss(_ row: [Double], _ head: ModelShape.Head, _ batch: SequenceBatch, _ place: Int) -> Double {
    switch head {
    case .everyStep, .pooled:
      let target = batch.targets[place]
      return target == noTarget ? 0 : -log(probabilities(row)[Int(target)])
    case .everyStepUnits(let count):
      return (0..<count).reduce(0) { sum, k in
        let target = Double(batch.values[place * count + k])
        return target.isNaN ? sum : sum + log(1 + exp(row[k])) - target * row[k]
      }
    case .pooledNumbers(let count):
      return (0..<count).reduce(0) { sum, k in
        let error = row[k] - Double(batch.values[place * count + k])
        return error.isNaN ? sum : sum + error * error / Double(count)
      }
    }
  }

  /// Some timesteps of the window.
  func piece(_ timesteps: Range<Int>) -> Piece { Piece(window: self, timesteps: timesteps) }

  fileprivate func lend(_ place: Int, _ lane: Int) -> UnsafeBufferPointer<Float> {
    let row = rows[place][lane]
    let memory = UnsafeMutableBufferPointer<Float>.allocate(capacity: row.count)
    _ = memory.initialize(from: row)
    lent.append(memory)
    return UnsafeBufferPointer(memory)
  }

  struct Piece: EvaluatedLogits {
    let window: Window
    let timesteps: Range<Int>
    var step: Int { window.step }
    var lanes: Range<Int> { 0..<window.lanes }
    func logits(t: Int?, lane: Int) -> UnsafeBufferPointer<Float> { window.lend(t ?? 0, lane) }
  }
}

// MARK: From a configuration to a result

/// The task that a configuration asks for.
func task(_ yaml: String) throws -> any LearningTask { try Configuration(yaml: yaml, name: "test").learningTask }

extension LearningTask {
  /// A model of its data, as a checkpoint after `step` updates would have it.
  func saved(_ data: RunData, step: Int = 10) -> SavedRun {
    SavedRun(
      shape: data.shape, vocabulary: data.identity.vocabulary, configuration: configuration, step: step,
      path: "a checkpoint")
  }

  /// What `evaluate` finds of a hand-set model.
  func evaluated<Result: TaskResult>(
    _ data: RunData, on path: String? = nil, step: Int = 10, segment: Int? = nil, as type: Result.Type = Result.self,
    _ answer: @escaping HandSetModel.Answer
  ) throws -> Result {
    let plan = try evaluation(of: saved(data, step: step), on: path)
    return try plan.measure(HandSetModel(data.shape, segment: segment, answer)) as! Result
  }
}

/// Whether two numbers differ by rounding alone.
func isClose(_ a: Double, _ b: Double, _ tolerance: Double = 1e-6) -> Bool {
  abs(a - b) <= tolerance * max(1, abs(b))
}
