import Runs
import Testing
import TrainingLoop

/// When parameters are written down, and checkpoints for other reasons than their steps.
@Suite struct RunPolicyTests {
  @Test(arguments: [(0, []), (1, Array(1...12)), (5, [5, 10]), (12, [12]), (13, [])] as [(Int, [Int])])
  func recordsOfParametersAreDueAtMultiplesOfTheirInterval(every: Int, steps: [Int]) {
    for paranoid in every > 0 ? [false, true] : [false] {
      let policy = VerificationPolicy(every: every, paranoid: paranoid)
      #expect((1...12).filter(policy.isDue) == steps)
    }
  }

  @Test func byDefaultCheckpointsAreNeverDueByTheClockAndAllAreKept() {
    let policy = CheckpointPolicy()
    #expect(!policy.clock.isDue(atSeconds: 1e12) && policy.retention == .all)
  }

  @Test func aPolicyHasTheClockAndTheRetentionOfTheRun() {
    let retention = Retention(last: 3, keepsBest: false, every: 100)
    let policy = CheckpointPolicy(
      clock: CheckpointClock(intervalSeconds: 50, overhead: 0, startSeconds: 1000, checkpointBytes: 0),
      retention: retention)
    #expect(!policy.clock.isDue(atSeconds: 1049) && policy.clock.isDue(atSeconds: 1050))
    #expect(policy.retention == retention)
  }
}
