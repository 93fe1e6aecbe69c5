import ExactMath

/// Windows over a table: T rows of all columns are read, and the next values of one column, as many as the horizon, are
/// the target. Each window begins at rest; windows overlap.
package struct ForecastWindows: SequenceSource, IndexedBatches {
  /// [rows, D] row-major, normalized.
  private let values: [Float]
  private let width: Int
  private let target: Int
  /// The first row of each window.
  package let starts: Range<Int>
  /// K, values to be said.
  package let horizon: Int
  private let order: PerEpoch<[Int]>?
  /// B, windows in one step.
  package let globalBatch: Int
  /// T, rows of a window.
  package let timesteps: Int
  /// ⌈windows / B⌉.
  package let stepsPerEpoch: Int

  /// Windows that begin at the rows `starts`, each once an epoch: in an order drawn from (seed, epoch) for training, in
  /// their own order where `shuffleSeed` is nil. Rows behind the last are no targets.
  /// - Precondition: there are windows, and rows for all of what they read.
  init(
    values: [Float], width: Int, target: Int, starts: Range<Int>, timesteps: Int, horizon: Int, globalBatch: Int,
    shuffleSeed: UInt64?
  ) {
    precondition(!starts.isEmpty && (starts.upperBound - 1 + timesteps) * width <= values.count, "no such windows")
    (self.values, self.width, self.target) = (values, width, target)
    (self.starts, self.timesteps, self.horizon, self.globalBatch) = (starts, timesteps, horizon, globalBatch)
    stepsPerEpoch = (starts.count + globalBatch - 1) / globalBatch
    order = shuffleSeed.map { seed in
      PerEpoch { [count = starts.count] epoch in
        var draws = PhiloxSequence(seed: seed, purpose: .dataOrder, step: epoch)
        return draws.permutation(count)
      }
    }
  }

  /// Always true.
  package func startsFresh(atStep step: Int, lane: Int) -> Bool { true }

  /// The windows of the step.
  package func targetCount(atStep step: Int) -> Int { places(atStep: step).count }

  private func places(atStep step: Int) -> Range<Int> {
    let first = step % stepsPerEpoch * globalBatch
    return first..<min(first + globalBatch, starts.count)
  }

  /// The indices of the step's windows, lane by lane; fewer than B at the end of an epoch.
  package func indices(atStep step: Int) -> [Int] {
    let places = places(atStep: step)
    guard let order else { return Array(places) }
    return Array(order(step / stepsPerEpoch)[places])
  }

  /// Writes the windows of `lanes`.
  package func fill(step: Int, lanes: Range<Int>, batch: SequenceBatch) {
    precondition(
      batch.numbers.count == timesteps * lanes.count * width && batch.values.count == lanes.count * horizon,
      "the batch must hold T · lanes rows and a horizon for each lane")
    batch.lengths.update(repeating: 0)
    batch.values.update(repeating: .nan)
    let chosen = indices(atStep: step)
    for (column, lane) in lanes.enumerated() where lane < chosen.count {
      let first = starts.lowerBound + chosen[lane]
      batch.lengths[column] = Int32(timesteps)
      values.withUnsafeBufferPointer { values in
        for t in 0..<timesteps {
          let place = batch.numbers.baseAddress! + (t * lanes.count + column) * width
          place.update(from: values.baseAddress! + (first + t) * width, count: width)
        }
        for k in 0..<horizon {
          let place = (first + timesteps + k) * width + target
          if place < values.count { batch.values[column * horizon + k] = values[place] }
        }
      }
    }
  }
}
