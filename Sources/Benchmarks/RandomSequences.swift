import ExactMath
import LSTM
import Sequences

/// Sequences without any structure, for measuring time: all T timesteps long, numbers in (−1, 1).
struct RandomSequences: SequenceSource {
  let globalBatch: Int
  let timesteps: Int
  /// The model that reads them.
  let shape: ModelShape

  let stepsPerEpoch = 1 << 30

  /// A language model's text goes on for ever; what gets one class for all of it stands for itself.
  func startsFresh(atStep step: Int, lane: Int) -> Bool { shape.head.isPooled || step == 0 }

  func targetCount(atStep step: Int) -> Int { shape.head.isPooled ? globalBatch : globalBatch * timesteps }

  func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    let stream = Philox(seed: 1, purpose: .dataGeneration, step: step)
    batch.lengths.update(repeating: Int32(timesteps))
    for t in 0..<timesteps {
      for (index, lane) in lanes.enumerated() {
        let (row, words) = (t * lanes.count + index, stream.words(block: 0, t: t, lane: lane))
        let target = Int32(words[1] % UInt32(shape.classes))
        switch shape.head {
        case .everyStep: batch.targets[row] = target
        case .everyStepUnits(let count):
          for k in 0..<count { batch.values[row * count + k] = Philox.uniform(words[k % 4]) < 0.5 ? 0 : 1 }
        case .pooled: if t == 0 { batch.targets[index] = target }
        case .pooledNumbers(let count):
          for k in 0..<count { batch.values[index * count + k] = 2 * Philox.uniform(words[k % 4]) - 1 }
        }
        switch shape.input {
        case .tokens(let vocabulary, _): batch.tokens[row] = Int32(words[0] % UInt32(vocabulary))
        case .numbers(let count):
          for i in 0..<count { batch.numbers[row * count + i] = 2 * Philox.uniform(words[i % 4]) - 1 }
        }
      }
    }
  }
}
