import Files
import Runs

/// Where the training loss of a run began and where it ended, as `metrics.jsonl` has it.
package struct LossCourse: Equatable, Sendable {
  /// The loss of the first step.
  package let first: Double
  /// The least loss of the last steps.
  package let least: Double
  /// Last steps that were looked at.
  package let count: Int

  /// The most of the last steps that are looked at.
  private static let lastSteps = 20
  /// Fewer say nothing.
  private static let fewestSteps = 5
  /// Batches of one training differ; twice the first loss in step after step is no matter of the batch.
  private static let factor = 2.0

  /// Nil for a loss that is negative or not finite, and for too few steps. The losses between the first and the last
  /// ones may be left out.
  package init?(_ losses: [Double]) {
    let last = losses.dropFirst().suffix(LossCourse.lastSteps)
    guard last.count >= LossCourse.fewestSteps, losses.allSatisfy({ $0.isFinite && $0 >= 0 }) else { return nil }
    let (first, least) = (losses[0], last.min()!)
    (self.first, self.least, count) = (first, least, last.count)
  }

  /// Whether the training has made the model far worse than it was before the first update: every one of the last
  /// steps has a loss far above the first one.
  package var endsFarAboveStart: Bool { least > LossCourse.factor * first }
}

extension LossCourse {
  /// The first record of a step lies within these first bytes of the file, the last ones within these last bytes.
  private static let bytes = 1 << 16

  /// Reads both ends of `metrics.jsonl`. Nil where there is no such file, and as for a list of losses.
  package init?(metrics place: Place) throws {
    guard try entry(place) != .absent else { return nil }
    let file = try InputFile(place)
    let size = min(file.length, LossCourse.bytes)
    let beginning = try StepRecord.losses(in: file.bytes(at: 0, count: size))
    if size == file.length {
      self.init(beginning)
    } else {
      let end = try StepRecord.losses(in: file.bytes(at: file.length - size, count: size))
      self.init(beginning.prefix(1) + end)
    }
  }
}
