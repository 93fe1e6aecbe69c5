import DataParallel
import Testing
import TrainingLoop

private typealias Table = CoordinatorTable

@Suite struct CoordinatorTests {
  private func coordinator(
    _ script: [Coordinator.Event], nonFinite: NonFinitePolicy = .stop, _ setbacks: inout Setbacks
  ) -> Coordinator {
    var coordinator = Coordinator(
      policy: Coordinator.Policy(totalSteps: 6, evaluateEvery: 2, checkpointEvery: 3, nonFinite: nonFinite))
    for event in script {
      Table.count(event, &setbacks)
      _ = coordinator.receive(event, setbacks)
    }
    return coordinator
  }

  @Test func everyStateAnswersEveryEventAsTheTableSays() {
    for row in Table.rows {
      var setbacks = row.setbacks
      let before = coordinator(row.script, nonFinite: row.nonFinite, &setbacks)
      #expect(before.state == row.state, "\(row.name)")
      let completed =
        switch row.state {
        case .training(let step), .evaluating(let step), .copying(let step), .awaiting(let step),
          .finishing(let step), .rollingBack(let step):
          step
        case .idle, .stopped: 0
        }
      for event in Table.events(step: completed + 1) {
        var (after, counted) = (before, setbacks)
        Table.count(event, &counted)
        let actions = after.receive(event, counted)
        let expected: (Coordinator.State, [Coordinator.Action]) =
          if Table.isRequest(event) {
            (row.state, [])
          } else if let entry = row.legal.first(where: { $0.0 == event }) {
            (entry.1, entry.2)
          } else {
            (.stopped(exitCode: 70), [.log(.unexpected(event, row.state)), .stop(exitCode: 70)])
          }
        #expect(after.state == expected.0, "\(row.name), \(event)")
        #expect(actions == expected.1, "\(row.name), \(event)")
      }
    }
  }

  @Test func aStoppedRunKeepsItsCode() {
    for code: Int32 in [0, 76] {
      let script = code == 0 ? [Table.start] + Table.steps(1...6) + [.finished] : [Table.start, Table.bad(1)]
      var setbacks = Setbacks()
      let before = coordinator(script, &setbacks)
      #expect(before.state == .stopped(exitCode: code))
      for event in Table.events(step: 1) {
        var after = before
        let actions = after.receive(event, setbacks)
        #expect(after.state == .stopped(exitCode: code))
        #expect(actions == (Table.isRequest(event) ? [] : [.log(.unexpected(event, before.state))]))
      }
    }
  }

  /// The last fsync of a checkpoint failed.
  @Test func theLastEvaluationIsThatOfTheCheckpointUntilAnotherIsMade() {
    var coordinator = Coordinator(policy: .init(totalSteps: 6, evaluateEvery: 2, checkpointEvery: 0))
    #expect(coordinator.validationLoss == nil)
    _ = coordinator.receive(CoordinatorTable.resumed(4, .loss(2)), Setbacks())
    #expect(coordinator.validationLoss == 2 && coordinator.validationLoss(step: 4) == 2)
    _ = coordinator.receive(CoordinatorTable.done(5), Setbacks())
    #expect(coordinator.validationLoss == 2 && coordinator.validationLoss(step: 5) == nil)
    for event in [CoordinatorTable.done(6), CoordinatorTable.evaluated] { _ = coordinator.receive(event, Setbacks()) }
    #expect(coordinator.validationLoss(step: 6) == 1)
    // A checkpoint without one has none.
    var other = Coordinator(policy: coordinator.policy)
    _ = other.receive(CoordinatorTable.resumed(3, .notYet), Setbacks())
    #expect(other.validationLoss == nil)
  }

  @Test func aCheckpointThatIsInPlaceIsNotSaidToBeMissing() {
    var setbacks = Setbacks()
    var decider = coordinator(Table.writing, &setbacks)
    let actions = decider.receive(.checkpointFailed(Table.disk, isInPlace: true), setbacks)
    #expect(actions == [.log(.checkpointFailed(step: 3, Table.disk, goesOn: true, isInPlace: true))])
    guard case .log(let report) = actions.first else { return }
    #expect(
      "\(report)".hasPrefix("the checkpoint of step 3 may not outlast a power failure, training goes on: write failed"))
    // It does not count as saved: before the run stops it is tried again.
    #expect(decider.receive(Table.stop, setbacks).isEmpty)
    #expect(decider.receive(.stepAbandoned, setbacks) == [.copyState(step: 3)])
  }
}
