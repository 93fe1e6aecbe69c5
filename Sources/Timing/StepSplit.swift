/// Where the time of one or more steps went: the mean over ranks, in seconds. The shares add up to `total`.
///
/// Only durations are compared, never the clocks of two machines. Between two points at which all ranks wait for each
/// other, rank i is busy for bᵢ seconds: the time lasts as long as the slowest one is busy, max b, so that the ranks
/// wait for it max b − mean b seconds in the mean. What remains of the elapsed time is communication.
package struct StepSplit: Sendable, Equatable {
  /// Forward, loss, backward, update, packing, and rank 0's records.
  package var compute = 0.0
  /// Communication that computing did not hide, with the additions that belong to it.
  package var communication = 0.0
  /// Waiting for the slowest rank.
  package var waiting = 0.0
  /// Taking batches from the source.
  package var data = 0.0
  /// Checkpoints that were written before the step, since the end of the previous step.
  package var checkpoint = 0.0
  /// Communication that went on while the ranks computed; not a share.
  package var hidden = 0.0

  /// Seconds from the end of a step to the end of the next, without evaluation.
  package var total: Double { compute + communication + waiting + data + checkpoint }

  /// Nothing yet.
  package init() {}

  /// The phases in which a rank is busy, cut where all ranks wait for each other: for the parameters' gradient, the
  /// updated parameters, the times of the step, the coordinator's decision.
  static let busy: [[Phase]] = [[.data, .forward, .loss, .backward], [.update], [.packing], [.coordination]]

  /// The split of one step: what each rank measured, rank 0 first.
  package init(_ ranks: [StepTimes]) {
    guard let root = ranks.first?.seconds else { return }
    let mean = { (value: (StepTimes) -> Double) in ranks.reduce(0) { $0 + value($1) } / Double(ranks.count) }
    let elapsed = root.total - root[.evaluation]
    data = mean { $0.seconds[.data] }
    checkpoint = root[.checkpoint]
    hidden = mean { $0.hiddenSeconds }
    compute = mean { $0.seconds.sum(StepSplit.busy.joined()) } - data
    let slowest = StepSplit.busy.reduce(0.0) { sum, phases in
      sum + (ranks.lazy.map { $0.seconds.sum(phases) }.max() ?? 0)
    }
    // Ranks do not leave a meeting point at exactly the same moment, so the difference may come out below zero.
    // A rank alone has nobody to communicate with: what it does beside its phases is computing too.
    let rest = ranks.count == 1 ? 0 : max(0, elapsed - compute - data - checkpoint)
    waiting = min(max(0, slowest - compute - data), rest)
    communication = rest - waiting
    // What busy ranks did beyond the ends of rank 0's step is not in it.
    compute = elapsed - communication - waiting - data - checkpoint
  }

  /// Adds the times of other steps.
  package static func += (left: inout StepSplit, right: StepSplit) {
    left.compute += right.compute
    left.communication += right.communication
    left.waiting += right.waiting
    left.data += right.data
    left.checkpoint += right.checkpoint
    left.hidden += right.hidden
  }
}
