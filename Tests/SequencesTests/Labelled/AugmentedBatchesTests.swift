import Sequences
import Testing

@Suite struct AugmentedBatchesTests {
  private let base = GeneratedBatches<Float>(0..<6, globalBatch: 3, timesteps: 9, width: 2) { index in
    GeneratedExample((0..<2 * (index + 3)).map { Float(100 * index + $0) }, label: Int32(index))
  }

  /// The sequences of some lanes, and the batch behind their ends.
  private func sequences(
    _ source: some SequenceSource, step: Int, lanes: Range<Int>
  ) -> (sequences: [[Float]], padding: [Float]) {
    let batch = SequenceBatch.allocate(timesteps: 9, lanes: lanes.count, inputs: .numbers(2), targets: .pooled)
    defer { batch.deallocate() }
    source.fill(step: step, lanes: lanes, batch: batch)
    var (found, padding): ([[Float]], [Float]) = ([], [])
    for lane in 0..<lanes.count {
      let all = (0..<9).flatMap { t in (0..<2).map { batch.numbers[(t * lanes.count + lane) * 2 + $0] } }
      let end = 2 * Int(batch.lengths[lane])
      found.append(Array(all[..<end]))
      padding += all[end...]
    }
    return (found, padding)
  }

  /// Timestep t is t − `steps`, or the nearest that there is.
  private func moved(_ sequence: [Float], by steps: Int) -> [Float] {
    let T = sequence.count / 2
    return (0..<T).flatMap { t in
      let from = max(0, min(T - 1, t - steps))
      return sequence[2 * from..<2 * from + 2]
    }
  }

  @Test func aShiftedSequenceKeepsItsLengthAndItsEndsFillTheGap() {
    let source = AugmentedBatches(base, seed: 1, noise: 0, shift: 2)
    var shifts: Set<Int> = []
    for step in 0..<80 {
      let plain = sequences(base, step: step, lanes: 0..<3).sequences
      for (sequence, original) in zip(sequences(source, step: step, lanes: 0..<3).sequences, plain) {
        let found = (-2...2).filter { sequence == moved(original, by: $0) }
        #expect(!found.isEmpty)
        shifts.formUnion(found)
      }
    }
    #expect(shifts == Set(-2...2))
  }

  @Test func noiseHasTheMean0AndTheDeviationAskedForAndPaddingHasNone() {
    let source = AugmentedBatches(base, seed: 1, noise: 0.5, shift: 0)
    var (sum, squares, count) = (0.0, 0.0, 0.0)
    for step in 0..<400 {
      let (found, padding) = sequences(source, step: step, lanes: 0..<3)
      #expect(padding.allSatisfy { $0 == 0 })
      for (sequence, plain) in zip(found, sequences(base, step: step, lanes: 0..<3).sequences) {
        for (changed, number) in zip(sequence, plain) {
          sum += Double(changed - number)
          squares += Double((changed - number) * (changed - number))
          count += 1
        }
      }
    }
    #expect(abs(sum / count) < 0.02 && abs((squares / count).squareRoot() - 0.5) < 0.01)
  }

  @Test func augmentationDependsOnSeedEpochAndSequenceAlone() {
    func changed(_ seed: UInt64, step: Int, _ lanes: Range<Int>) -> [[Float]] {
      sequences(AugmentedBatches(base, seed: seed, noise: 0.5, shift: 2), step: step, lanes: lanes).sequences
    }
    let whole = changed(1, step: 1, 0..<3)
    #expect(changed(1, step: 1, 1..<3) == Array(whole[1...]))
    #expect(changed(2, step: 1, 0..<3) != whole && changed(1, step: 3, 0..<3) != whole)
  }
}
