import Testing
import TrainingLoop

@Suite struct ActionCodeTests {
  @Test func everyActionOfAllRanksArrivesAsItWasSent() {
    var codes: Set<[Int]> = []
    for number in [1, 7, 1 << 40] {
      let actions: [Coordinator.Action] = [
        .train(step: number), .evaluate(step: number), .copyState(step: number), .awaitCheckpoint(step: number),
        .rollBack(from: number), .finish(step: number), .stop(exitCode: Int32(clamping: number)),
      ]
      for action in actions {
        #expect(Coordinator.Action(code: action.code) == action)
        #expect(codes.insert(action.code).inserted, "\(action) is another action's code")
      }
    }
  }
}

@Suite struct CoordinatorReportTests {
  @Test func whatTheCoordinatorSaysNamesTheStepAndTheLimit() {
    let reports: [(Coordinator.Report, [String])] = [
      (.alreadyFinished(step: 4), ["complete at step 4"]),
      (.diverged(step: 4, .stop), ["NaN at step 4"]),
      (.diverged(step: 4, .skip(inARow: 3)), ["step 4 and the 3 before it"]),
      (.diverged(step: 4, .rollBack(times: 1, learningRateFactor: 0.5)), ["step 4, also after 1 rollback"]),
      (.diverged(step: 4, .rollBack(times: 2, learningRateFactor: 0.5)), ["after 2 rollbacks"]),
      (.skipped(step: 4, inARow: 2, of: 3), ["step 4 is skipped", "2 in a row of at most 3"]),
      (.rollingBack(step: 4, number: 1, of: 2), ["step 4 is undone", "1 of at most 2"]),
      (.exhausted(step: 4), ["ends with step 4", "training.patience"]),
      (.stoppedOnRequest(step: 4, .timeLimit), ["after step 4 (the time limit is near)"]),
    ]
    for (report, words) in reports {
      for word in words { #expect("\(report)".contains(word), "\(report)") }
    }
  }
}
