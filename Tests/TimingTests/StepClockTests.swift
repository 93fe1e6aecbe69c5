import Testing
import Timing

@Suite struct StepClockTests {
  /// A step of two parts on a clock that the test turns.
  private func run(_ clock: StepClock, step: Int, from start: Double) -> StepTimes {
    clock.beginStep(step, at: start)
    clock.enter(.forward, at: start + 1)
    clock.enter(.backward, part: 1, at: start + 3)
    clock.enter(.submit, part: 1, at: start + 4)
    clock.submitted(part: 1, at: start + 4)
    clock.enter(.backward, part: 0, at: start + 4.5)
    clock.enter(.submit, part: 0, at: start + 6)
    clock.submitted(part: 0, at: start + 6)
    clock.arrived(part: 1, at: start + 6)
    clock.enter(.wait, at: start + 6)
    for part in 0..<2 { clock.arrived(part: part, at: start + 7) }
    return clock.endStep(at: start + 8)
  }

  @Test func everySecondBelongsToOnePhase() {
    let clock = StepClock(parts: 2, tracedEvents: 0, at: 10)
    let first = run(clock, step: 1, from: 12)
    #expect(first.seconds[.coordination] == 2 && first.seconds[.data] == 1 && first.seconds[.forward] == 2)
    #expect(first.seconds[.backward] == 2.5 && first.seconds[.submit] == 0.5 && first.seconds[.wait] == 2)
    #expect(first.seconds.total == 10)
    // The lower part is computed while the upper one is on its way.
    #expect(first.hiddenSeconds == 1.5)
    #expect(run(clock, step: 2, from: 20).seconds.total == 8)
    clock.restart(at: 100)
    #expect(run(clock, step: 3, from: 101).seconds.total == 9)
    #expect(clock.events.isEmpty)
  }

  /// Neither the time that messages are given nor that after the arrival is hidden communication.
  @Test func messagesThatAreGivenTimeInterruptThePhase() {
    let clock = StepClock(parts: 1, tracedEvents: 100, at: 0)
    clock.beginStep(1, at: 0)
    clock.submitted(part: 0, at: 0)
    clock.enter(.backward, part: 0, at: 1)
    clock.beginProgress(at: 3)
    clock.endProgress(at: 3.5)
    clock.beginProgress(at: 5)
    clock.arrived(part: 0, at: 5.5)
    clock.endProgress(at: 5.75)
    let times = clock.endStep(at: 8)
    #expect(times.hiddenSeconds == 2 + 1.5)
    #expect(times.seconds[.submit] == 1.25 && times.seconds[.backward] == 5.75 && times.seconds.total == 8)
    #expect(clock.events.filter { $0.kind == .phase }.map(\.phase) == [.data, .backward])
  }

  @Test func eventsShowPhasesStepsAndExchanges() {
    let clock = StepClock(parts: 2, tracedEvents: 100, at: 12)
    _ = run(clock, step: 1, from: 12)
    let events = clock.events
    #expect(
      events.filter { $0.kind == .phase }.map(\.phase) == [.data, .forward, .backward, .submit, .backward, .wait])
    let exchanges = events.filter { $0.kind == .exchange }
    #expect(exchanges.map(\.part) == [1, 0])
    #expect(exchanges.map(\.begin) == [16, 18] && exchanges.map(\.end) == [18, 19])
    let step = events.last!
    #expect(step.kind == .step && step.step == 1 && step.begin == 12 && step.end == 20)
  }

  @Test(arguments: 1...20) func theLatestEventsAreKept(capacity: Int) {
    let (clock, all) = (
      StepClock(parts: 2, tracedEvents: capacity, at: 0), StepClock(parts: 2, tracedEvents: 1000, at: 0)
    )
    for step in 0..<3 { for each in [clock, all] { _ = run(each, step: step + 1, from: Double(8 * step)) } }
    let expected = all.events.suffix(capacity)
    #expect(clock.events.map(\.end) == expected.map(\.end))
    #expect(clock.events.map(\.begin) == expected.map(\.begin))
  }
}
