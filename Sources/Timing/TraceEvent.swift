/// Something that a rank was about from one moment to another. 32 bytes without references, so that events can be kept
/// in memory made before, and sent as bytes.
package struct TraceEvent: Sendable {
  /// What the event shows.
  package enum Kind: UInt8, Sendable {
    /// A whole training step; its phases lie within.
    case step
    /// A phase.
    case phase
    /// A part of the gradient on its way, from its submission until it is known to have arrived.
    case exchange
    /// A part of the gradient that the ranks of a node can read, from then on until all of them have come to read.
    case ready
    /// Reading a part from the memory of the ranks that share it, and adding it up.
    case reading
  }

  /// Seconds on the rank's clock.
  package let begin: Double
  /// Seconds on the rank's clock, not before `begin`.
  package let end: Double
  /// The step, counted from 1.
  package let step: Int32
  /// The part of the model, or −1 for none.
  package let part: Int32
  /// What the event shows.
  package let kind: Kind
  /// The phase, where the event shows one.
  package let phase: Phase

  /// An event of these values.
  package init(begin: Double, end: Double, step: Int32, part: Int32, kind: Kind, phase: Phase) {
    self.begin = begin
    self.end = end
    self.step = step
    self.part = part
    self.kind = kind
    self.phase = phase
  }

  /// The same event on another clock.
  package func onClock(_ convert: (Double) -> Double) -> TraceEvent {
    TraceEvent(begin: convert(begin), end: convert(end), step: step, part: part, kind: kind, phase: phase)
  }
}

/// The latest events of a rank, in memory of fixed size.
struct TraceRing: ~Copyable {
  private let slots: UnsafeMutableBufferPointer<TraceEvent>
  private var recorded = 0

  /// Room for `capacity` events, 0 for a ring that records nothing.
  init(capacity: Int) {
    slots = .allocate(capacity: capacity)
    let none = TraceEvent(begin: 0, end: 0, step: 0, part: -1, kind: .phase, phase: .wait)
    // Written to now, so that no step meets memory for the first time.
    slots.initialize(repeating: none)
  }

  deinit { slots.deallocate() }

  /// Records an event in the place of the oldest one.
  mutating func append(_ event: TraceEvent) {
    guard slots.count > 0 else { return }
    slots[recorded % slots.count] = event
    recorded += 1
  }

  /// The events in the order in which they ended.
  var events: [TraceEvent] {
    guard recorded > slots.count else { return Array(slots[..<recorded]) }
    let oldest = recorded % slots.count
    return Array(slots[oldest...]) + Array(slots[..<oldest])
  }
}
