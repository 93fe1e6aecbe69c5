import Configuration
import Testing
import TrainingLoop

/// What the coordinator's policy takes from the configuration.
@Suite struct PolicyTests {
  private func policy(_ settings: String...) throws -> Coordinator.Policy {
    Coordinator.Policy(try .load(overrides: settings.map { try .init(set: $0) }))
  }

  @Test func stepsAndIntervalsAreTheConfigurations() throws {
    let read = try policy("training.steps=7", "training.evaluateEvery=2", "training.checkpointEvery=3")
    #expect(read == Coordinator.Policy(totalSteps: 7, evaluateEvery: 2, checkpointEvery: 3))
  }

  @Test func whatFollowsAStepThatIsNotFiniteIsTheConfigurations() throws {
    #expect(try policy().nonFinite == .stop)
    #expect(try policy("nonFinite.policy=skip", "nonFinite.skips=4").nonFinite == .skip(inARow: 4))
    let back = try policy(
      "nonFinite.policy=rollback", "nonFinite.rollbacks=5", "nonFinite.learningRateFactor=0.25")
    #expect(back.nonFinite == .rollBack(times: 5, learningRateFactor: 0.25))
  }
}
