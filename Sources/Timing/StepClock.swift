import Glibc

/// Tells the phases of one rank apart: how long each took, and, where a trace is wanted, when each began and ended.
/// Nothing is allocated after `init`.
package final class StepClock {
  /// How many of a rank's latest events a trace keeps: 2 MB, some thousand steps.
  package static let tracedEvents = 1 << 16

  private var phase = Phase.coordination
  private var part: Int32 = -1
  private var enteredAt: Double
  private var seconds = PhaseSeconds()
  private var hidden = 0.0
  private var step: Int32 = 0
  private var stepBegin = 0.0
  private var ring: TraceRing
  /// For each part of the model when its gradient was submitted, or NaN where it is not on its way.
  private var submittedAt: [Double]
  private var underWay = 0
  /// For each part when the other ranks of the node could read its gradient, or NaN.
  private var readyAt: [Double]
  /// Up to when `hidden` has been added up.
  private var countedUntil: Double
  /// Since when messages are given time, NaN where they are not.
  private var progressBegan = Double.nan

  /// A clock in the phase `coordination`.
  /// - Parameters:
  ///   - parts: parts of the model.
  ///   - tracedEvents: events to be kept, 0 for none.
  package init(parts: Int, tracedEvents: Int, at now: Double = StepClock.now()) {
    enteredAt = now
    countedUntil = now
    ring = TraceRing(capacity: tracedEvents)
    submittedAt = Array(repeating: .nan, count: parts)
    readyAt = submittedAt
  }

  /// Seconds since some moment; the same for all processes of a machine.
  package static func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  // MARK: Phases

  /// The phase so far ends, and another one begins.
  package func enter(_ next: Phase, part nextPart: Int = -1, at now: Double = StepClock.now()) {
    let elapsed = now - enteredAt
    seconds[phase] += elapsed
    countHidden(until: now)
    if elapsed > 0 { record(.phase, from: enteredAt, to: now, part: part) }
    (phase, part, enteredAt) = (next, Int32(nextPart), now)
  }

  /// What was measured so far belongs to no step.
  package func restart(at now: Double = StepClock.now()) {
    enter(.coordination, at: now)
    (seconds, hidden) = (PhaseSeconds(), 0)
  }

  /// A step begins, counted from 1, and its first phase, `data`.
  package func beginStep(_ step: Int, at now: Double = StepClock.now()) {
    enter(.data, at: now)
    self.step = Int32(clamping: step)
    stepBegin = now
  }

  /// The step ends, and the phase `coordination` begins. Returns what was measured since the end of the step before.
  package func endStep(at now: Double = StepClock.now()) -> StepTimes {
    enter(.coordination, at: now)
    record(.step, from: stepBegin, to: now, part: -1)
    defer { (seconds, hidden) = (PhaseSeconds(), 0) }
    return StepTimes(seconds: seconds, hiddenSeconds: hidden)
  }

  /// What was measured since the end of the last step.
  package func secondsSinceStep(at now: Double = StepClock.now()) -> PhaseSeconds {
    enter(phase, part: Int(part), at: now)
    return seconds
  }

  // MARK: Communication

  /// Computing goes on while gradients are on their way, but for the time that their messages are given.
  private func countHidden(until now: Double) {
    if underWay > 0 && phase == .backward && progressBegan.isNaN { hidden += now - countedUntil }
    countedUntil = now
  }

  /// The phase is interrupted so that messages make progress. No event of a trace: this happens hundreds of times a
  /// step.
  package func beginProgress(at now: Double = StepClock.now()) {
    countHidden(until: now)
    progressBegan = now
  }

  /// The phase goes on. The time between counts as `submit`.
  package func endProgress(at now: Double = StepClock.now()) {
    countHidden(until: now)
    seconds[.submit] += now - progressBegan
    seconds[phase] -= now - progressBegan
    progressBegan = .nan
  }

  /// The gradient of a part is on its way.
  package func submitted(part: Int, at now: Double = StepClock.now()) {
    countHidden(until: now)
    submittedAt[part] = now
    underWay += 1
  }

  /// The gradient of a part is known to have arrived; where that was known before, nothing happens.
  package func arrived(part: Int, at now: Double = StepClock.now()) {
    guard !submittedAt[part].isNaN else { return }
    countHidden(until: now)
    record(.exchange, from: submittedAt[part], to: now, part: Int32(part))
    submittedAt[part] = .nan
    underWay -= 1
  }

  // MARK: Shared memory

  /// The gradient of a part stands where the other ranks of the node read it. Nothing travels, so nothing is hidden.
  package func ready(part: Int, at now: Double = StepClock.now()) { readyAt[part] = now }

  /// All ranks of the node have come to read.
  package func allReady(at now: Double = StepClock.now()) {
    for part in readyAt.indices where !readyAt[part].isNaN {
      record(.ready, from: readyAt[part], to: now, part: Int32(part))
      readyAt[part] = .nan
    }
  }

  /// A part has been read from the memory of the node's ranks since the phase began.
  package func read(part: Int, at now: Double = StepClock.now()) {
    record(.reading, from: enteredAt, to: now, part: Int32(part))
  }

  // MARK: Trace

  /// The latest events, in the order in which they ended.
  package var events: [TraceEvent] { ring.events }

  private func record(_ kind: TraceEvent.Kind, from begin: Double, to end: Double, part: Int32) {
    ring.append(TraceEvent(begin: begin, end: end, step: step, part: part, kind: kind, phase: phase))
  }
}

/// What a rank measured from the end of one step to the end of the next.
package struct StepTimes: Sendable {
  /// Seconds of each phase.
  package var seconds: PhaseSeconds
  /// Seconds of computing during which a gradient was on its way.
  package var hiddenSeconds: Double

  /// Of these seconds.
  package init(seconds: PhaseSeconds, hiddenSeconds: Double) {
    self.seconds = seconds
    self.hiddenSeconds = hiddenSeconds
  }
}
