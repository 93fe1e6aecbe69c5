import Runs
import TestSupport
import Testing

@Suite struct RetentionTests {
  private typealias Saved = (step: Int, validationLoss: Double?)

  private func superseded(_ retention: Retention, by newest: Int, _ checkpoints: [Saved]) -> [Int] {
    retention.superseded(by: newest, among: checkpoints)
  }

  @Test func theNewestTheBestAndTheFirstFromEachMultipleOnAreKept() {
    let saved: [Saved] = [(5, nil), (10, 3), (15, nil), (20, 1), (25, nil), (30, 2), (35, nil), (40, 1.5)]
    #expect(superseded(.all, by: 40, saved).isEmpty)
    #expect(superseded(Retention(last: 2, keepsBest: false, every: 0), by: 40, saved) == [5, 10, 15, 20, 25, 30])
    #expect(superseded(Retention(last: 2, keepsBest: true, every: 0), by: 40, saved) == [5, 10, 15, 25, 30])
    #expect(superseded(Retention(last: 1, keepsBest: false, every: 12), by: 40, saved) == [5, 10, 20, 30, 35])
    #expect(superseded(Retention(last: 1, keepsBest: true, every: 12), by: 40, saved) == [5, 10, 30, 35])
    #expect(superseded(Retention(last: 100, keepsBest: false, every: 0), by: 40, saved).isEmpty)
    // Nothing was evaluated: there is no best.
    #expect(
      superseded(Retention(last: 1, keepsBest: true, every: 0), by: 9, [(3, nil), (6, nil), (9, nil)]) == [3, 6])
  }

  /// A run that goes on from an earlier checkpoint has later ones that it could not use: they do not count.
  @Test func checkpointsOfLaterStepsNeitherCountNorGo() {
    let saved: [Saved] = [(10, 3), (20, 2), (30, 0), (40, nil)]
    #expect(superseded(Retention(last: 1, keepsBest: true, every: 0), by: 20, saved) == [10])
    #expect(superseded(Retention(last: 2, keepsBest: false, every: 0), by: 20, saved).isEmpty)
  }

  @Test func whateverIsAskedForTheNewestStays() {
    var random = SplitMix(state: 3)
    for _ in 0..<2000 {
      let retention = Retention(
        last: Int.random(in: 0...4, using: &random), keepsBest: Bool.random(using: &random),
        every: Int.random(in: 0...20, using: &random))
      // One after the other, as a run does it.
      var saved: [Saved] = []
      var all: [Saved] = []
      for step in Set((0..<12).map { _ in Int.random(in: 1...60, using: &random) }).sorted() {
        let checkpoint = (step, Bool.random(using: &random) ? nil : Double.random(in: 0..<1, using: &random))
        saved.append(checkpoint)
        all.append(checkpoint)
        let gone = superseded(retention, by: step, saved)
        saved.removeAll { gone.contains($0.step) }
        #expect(saved.last?.step == step && saved.count >= min(max(1, retention.last), all.count))
        let best = all.compactMap(\.validationLoss).min()
        if retention.keepsBest || retention.last == 0 { #expect(saved.compactMap(\.validationLoss).min() == best) }
        // It makes no difference that some are gone already.
        if retention.last > 0 { #expect(superseded(retention, by: step, saved).isEmpty) }
        guard retention.every > 0 else { continue }
        for multiple in stride(from: retention.every, through: step, by: retention.every) {
          let first = all.first { $0.step >= multiple && $0.step < multiple + retention.every }
          #expect(first.map { first in saved.contains { $0.step == first.step } } ?? true)
        }
      }
    }
  }
}
