import ExactMath
import Optimization
import TestSupport
import Testing

@Suite struct ScheduleTests {
  private func expect(
    _ schedule: Schedule, _ known: [Double], _ evaluations: [Evaluation] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    for (update, truth) in known.enumerated() {
      let factor = schedule.factor(update: update, evaluations: evaluations)
      #expect(abs(factor - truth) < 1e-12, "update \(update)", sourceLocation: sourceLocation)
    }
  }

  @Test func theConstantIsExactlyOne() {
    for update in [0, 1, 1_000_000] { #expect(Schedule.constant.factor(update: update, evaluations: []) == 1) }
  }

  /// Known values are those of PyTorch 2.15: StepLR(3, 0.5), ExponentialLR(0.25^(1/3)), CosineAnnealingLR(8, 0.1).
  @Test func factorsAreThoseOfPyTorch() {
    expect(
      Schedule(.step(every: 3, factor: 0.5, floor: 0)), [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.125])
    expect(
      Schedule(.exponential(every: 3, factor: 0.25, floor: 0)),
      [1, 0.629960524947, 0.396850262992, 0.25, 0.157490131237, 0.099212565748, 0.0625, 0.039372532809, 0.024803141437])
    expect(
      Schedule(.cosine(end: 8, floor: 0.1)),
      [
        1, 0.96574578963, 0.868198051534, 0.722207544564, 0.55, 0.377792455436, 0.231801948466, 0.13425421037, 0.1, 0.1,
        0.1,
      ])
  }

  @Test func noFactorFallsBelowTheFloor() {
    expect(Schedule(.step(every: 1, factor: 0.5, floor: 0.3)), [1, 0.5, 0.3, 0.3])
    expect(Schedule(.exponential(every: 1, factor: 0.5, floor: 0.3)), [1, 0.5, 0.3, 0.3])
    let losses = (0..<9).map { Evaluation(step: $0 + 1, loss: 2) }
    expect(Schedule(.plateau(patience: 1, factor: 0.5, floor: 0.3)), [0.3], losses)
  }

  /// The rest begins when it is over.
  @Test func theWarmUpRisesLinearly() {
    expect(Schedule(.constant, warmUp: 4), [0.25, 0.5, 0.75, 1, 1])
    expect(Schedule(.step(every: 2, factor: 0.5, floor: 0), warmUp: 2), [0.5, 1, 1, 1, 0.5, 0.5, 0.25])
    expect(Schedule(.cosine(end: 6, floor: 0), warmUp: 2), [0.5, 1, 1, 0.853553390593, 0.5, 0.146446609407, 0])
  }

  /// As of a new run, from there on.
  @Test func aScheduleThatBeginsLaterIsTheSameThere() {
    let first = Schedule(.cosine(end: 9, floor: 0.1), warmUp: 3)
    let later = Schedule(.cosine(end: 29, floor: 0.1), warmUp: 3, begin: 20)
    for update in 0..<12 {
      #expect(later.factor(update: 20 + update, evaluations: []) == first.factor(update: update, evaluations: []))
    }
  }

  /// ReduceLROnPlateau(factor=0.5, patience=1, threshold=0) of PyTorch counts one evaluation more than patience says.
  @Test func plateausAreThoseOfPyTorch() {
    let losses = [3, 2, 2.5, 2.1, 1.9, 2, 2, 2, 2, 1.5, 2, 2]
    let known = [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.125, 0.125, 0.125]
    let schedule = Schedule(.plateau(patience: 2, factor: 0.5, floor: 0))
    let evaluations = losses.enumerated().map { Evaluation(step: $0 + 1, loss: $1) }
    for count in known.indices {
      #expect(schedule.factor(update: 0, evaluations: Array(evaluations.prefix(count))) == known[count])
    }
  }

  @Test func evaluationsSinceTheBestAreCounted() {
    func since(_ losses: Double...) -> Int { losses.map { Evaluation(step: 0, loss: $0) }.sinceBest }
    #expect(since() == 0 && since(2) == 0 && since(2, 1) == 0 && since(2, 2) == 1 && since(1, 2, 1.5) == 2)
    #expect(since(3, 4, 2) == 0 && since(2, .nan, .infinity) == 2 && since(.nan) == 1)
  }

  /// With n = 2 the loss of evaluation t is held against the least of those up to t − 3.
  @Test func theTriggerIsThatOfTheNonMonotonicAlgorithm() {
    func step(_ losses: [Double], _ patience: Int) -> Int? {
      losses.enumerated().map { Evaluation(step: 10 * $0, loss: $1) }.nonMonotonicStep(patience: patience)
    }
    #expect(step([5, 4, 3, 2, 1, 0.5], 2) == nil)
    #expect(step([5, 4, 4.5, 4.6], 2) == nil && step([5, 4, 4.5, 4.6, 4.1], 2) == 40)
    #expect(step([5, 4, 9, 9, 3.9, 4.1], 2) == 30)
    #expect(step([5, 5.1], 0) == 10 && step([5, 5], 0) == nil && step([], 0) == nil)
  }

  @Test func averagingBeginsWhereItsPolicySays() {
    let losses = [3, 4.0].enumerated().map { Evaluation(step: 2 * $0 + 2, loss: $1) }
    #expect(!Averaging.never.hasBegun(step: 9, losses))
    #expect(!Averaging.from(step: 5).hasBegun(step: 4, []) && Averaging.from(step: 5).hasBegun(step: 5, []))
    #expect(Averaging.nonMonotonic(patience: 0).hasBegun(step: 4, losses))
    #expect(!Averaging.nonMonotonic(patience: 1).hasBegun(step: 4, losses))
  }
}
