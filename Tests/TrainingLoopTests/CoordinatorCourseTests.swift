import DataParallel
import Testing
import TrainingLoop

/// Whole runs, from their start to their end.
@Suite struct CoordinatorCourseTests {
  private struct Course: Equatable {
    var trained: [Int] = []
    var evaluated: [Int] = []
    var saved: [Int] = []
    var finished: [Int] = []
    var code: Int32 = -1
  }

  /// Does what a coordinator says; nothing fails. A checkpoint that nobody waits for stands after so many steps, and at
  /// most one is written at a time. The step before which the run is to stop is done, or abandoned.
  private func run(
    _ policy: Coordinator.Policy, from resumed: Int?, stopBefore: Int?, abandons: Bool = false,
    requestBefore: Int? = nil,
    writingSteps: Int
  ) -> Course {
    var coordinator = Coordinator(policy: policy)
    var course = Course()
    var event = resumed.map { CoordinatorTable.resumed($0) } ?? CoordinatorTable.start
    var writing: (step: Int, left: Int)?
    for _ in 0..<200 {
      switch coordinator.receive(event, Setbacks()).last {
      case .train(let step):
        if step == stopBefore {
          #expect(coordinator.receive(.stopRequested(.stopFile), Setbacks()).isEmpty)
          if abandons {
            event = .stepAbandoned
            continue
          }
        }
        if step == requestBefore { #expect(coordinator.receive(.checkpointRequested, Setbacks()).isEmpty) }
        if let current = writing {
          writing = (current.step, current.left - 1)
          if current.left <= 1 {
            course.saved.append(current.step)
            writing = nil
            #expect(coordinator.receive(.checkpointWritten, Setbacks()).isEmpty)
          }
        }
        course.trained.append(step)
        event = .stepCompleted(step: step, isFinite: true)
      case .evaluate(let step):
        course.evaluated.append(step)
        event = CoordinatorTable.evaluated
      case .copyState(let step):
        #expect(writing == nil && coordinator.isWriting)
        writing = (step, writingSteps)
        event = .stateCopied
      case .awaitCheckpoint:
        guard let step = writing?.step else { return course }
        course.saved.append(step)
        writing = nil
        event = .checkpointWritten
      case .finish(let step):
        course.finished.append(step)
        event = .finished
      case .stop(let code):
        #expect(writing == nil)
        course.code = code
        return course
      case .rollBack, .log, nil: return course
      }
    }
    return course
  }

  /// However long the writing of a checkpoint takes.
  @Test(arguments: [1, 2, 5, 100])
  func everyPolicyDoesWhatIsDueAndEndsWithACheckpointOfTheLastStep(writingSteps: Int) {
    for total in 0...7 {
      for evaluateEvery in 0...3 {
        for checkpointEvery in 0...3 {
          let policy = Coordinator.Policy(
            totalSteps: total, evaluateEvery: evaluateEvery, checkpointEvery: checkpointEvery)
          func due(_ every: Int) -> [Int] {
            (total == 0 ? [0] : Array(1...total)).filter { $0 == total || every > 0 && $0 % every == 0 }
          }
          let whole = run(policy, from: nil, stopBefore: nil, writingSteps: writingSteps)
          #expect(whole.trained == Array(1..<total + 1))
          #expect(whole.evaluated == due(evaluateEvery))
          #expect(whole.saved == due(checkpointEvery))
          #expect(whole.finished == [total] && whole.code == 0)
          for step in 1..<total + 1 {
            let first = run(policy, from: nil, stopBefore: step, writingSteps: writingSteps)
            #expect(first.trained.last == step && first.saved.last == step && first.code == 75)
            let abandoned = run(policy, from: nil, stopBefore: step, abandons: true, writingSteps: writingSteps)
            #expect(abandoned.trained == Array(whole.trained.prefix(step - 1)))
            #expect(abandoned.saved.last == step - 1 && abandoned.code == 75)
            let second = run(policy, from: step, stopBefore: nil, writingSteps: writingSteps)
            #expect(first.trained + second.trained == whole.trained)
            #expect(second.evaluated.last == total && second.finished == [total] && second.code == 0)
            let requested = run(policy, from: nil, stopBefore: nil, requestBefore: step, writingSteps: writingSteps)
            #expect(requested.trained == whole.trained && requested.evaluated == whole.evaluated)
            // One that was requested while another was being written comes when that one stands.
            #expect(Set(requested.saved).isSuperset(of: whole.saved))
            if writingSteps == 1 { #expect(requested.saved.contains(step)) }
            #expect(requested.code == 0)
          }
        }
      }
    }
  }
}
