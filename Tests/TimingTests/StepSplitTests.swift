import Testing
import Timing

private func times(_ values: [Phase: Double], hidden: Double = 0) -> StepTimes {
  var seconds = PhaseSeconds()
  for (phase, value) in values { seconds[phase] = value }
  return StepTimes(seconds: seconds, hiddenSeconds: hidden)
}

/// All numbers are sums of powers of two, so that nothing is rounded.
@Suite struct StepSplitTests {
  @Test func aRankAloneNeitherWaitsNorCommunicates() {
    let split = StepSplit([
      times([.data: 0.25, .forward: 1, .loss: 0.5, .backward: 2, .update: 0.5, .packing: 0.25, .coordination: 0.5])
    ])
    #expect(split.compute == 4.75 && split.data == 0.25)
    #expect(split.waiting == 0 && split.communication == 0 && split.checkpoint == 0)
    #expect(split.total == 5)
  }

  /// Rank 1 needs two seconds more for its backward pass; then both exchange for half a second.
  @Test func waitingForTheSlowestRankIsNotCommunication() {
    let fast = times([.forward: 1, .backward: 1, .wait: 2.5], hidden: 0.5)
    let slow = times([.forward: 1, .backward: 3, .wait: 0.5], hidden: 1.5)
    for ranks in [[fast, slow], [slow, fast]] {
      let split = StepSplit(ranks)
      #expect(split.compute == 3 && split.waiting == 1 && split.communication == 0.5)
      #expect(split.total == 4.5 && split.hidden == 1)
    }
  }

  /// One rank is slow before the first meeting point, the other before the second: each waits for the other.
  @Test func ranksCanWaitForEachOtherInTurn() {
    let split = StepSplit([
      times([.forward: 3, .reduction: 2, .update: 1]), times([.forward: 1, .wait: 2, .update: 3]),
    ])
    #expect(split.compute == 4 && split.waiting == 2 && split.communication == 0 && split.total == 6)
  }

  @Test func recordsOfRank0AreWaitedFor() {
    let split = StepSplit([times([.forward: 1, .coordination: 1]), times([.forward: 1, .wait: 1])])
    #expect(split.compute == 1.5 && split.waiting == 0.5 && split.total == 2)
  }

  @Test func aCheckpointIsAShareAndAnEvaluationIsNot() {
    let split = StepSplit([times([.forward: 1, .checkpoint: 2, .evaluation: 8])])
    #expect(split.checkpoint == 2 && split.compute == 1 && split.total == 3)
  }

  /// Each share by itself, so that none can stand for another.
  @Test func sharesOfARunAreThoseOfItsSteps() {
    var step = StepSplit()
    (step.compute, step.communication, step.waiting, step.data) = (1, 2, 4, 8)
    (step.checkpoint, step.hidden) = (16, 32)
    var run = StepSplit()
    for steps in 1...3 {
      run += step
      let shares = [run.compute, run.communication, run.waiting, run.data, run.checkpoint, run.hidden]
      #expect(shares == [1, 2, 4, 8, 16, 32].map { Double(steps) * $0 })
      #expect(run.total == 31 * Double(steps), "what is hidden is counted elsewhere")
    }
  }

  /// As where the processors are fewer than the ranks: rank 1 seems busy beyond the end of rank 0's step.
  @Test func noShareIsNegativeAndTheyStillAddUp() {
    for (other, wait) in [(8.0, 0.5), (2.25, 0), (0.0, 0.25)] {
      let split = StepSplit([times([.forward: 2, .wait: wait]), times([.forward: other])])
      for share in [split.compute, split.communication, split.waiting] { #expect(share >= 0) }
      #expect(split.total == 2 + wait)
    }
  }
}
