/// What a rank is about at a moment. It is always in exactly one phase.
package enum Phase: UInt8, CaseIterable, Sendable {
  /// Taking a batch from the source.
  case data
  /// Forward over the window.
  case forward
  /// Loss, and the gradient of the logits.
  case loss
  /// Back through time, a part of the model at a time.
  case backward
  /// Handing a part's gradient over, and letting MPI make progress.
  case submit
  /// Waiting for other ranks or the network.
  case wait
  /// Adding up what other ranks sent.
  case reduction
  /// The gradient's norm, clipping, and the optimizer.
  case update
  /// Bringing the new parameters into the order in which the products read them.
  case packing
  /// Between two steps: records and decisions, on rank 0.
  case coordination
  /// The loss of the held-out data.
  case evaluation
  /// Writing a checkpoint.
  case checkpoint

  /// The phases in which every rank works for itself, all at the same task.
  package static let computing: [Phase] = [.data, .forward, .loss, .backward, .update, .packing]
}

/// Seconds of each phase.
package struct PhaseSeconds: Sendable {
  private var values = InlineArray<12, Double>(repeating: 0)

  /// Zero seconds of each.
  package init() { precondition(Phase.allCases.count == values.count) }

  /// The seconds of a phase.
  package subscript(phase: Phase) -> Double {
    get { values[Int(phase.rawValue)] }
    set { values[Int(phase.rawValue)] = newValue }
  }

  /// The seconds of several phases together.
  package func sum(_ phases: some Sequence<Phase>) -> Double { phases.reduce(0) { $0 + self[$1] } }

  /// The seconds of all phases.
  package var total: Double { values.indices.reduce(0) { $0 + values[$1] } }

  /// Adds the seconds of each phase.
  package static func += (left: inout PhaseSeconds, right: PhaseSeconds) {
    for index in left.values.indices { left.values[index] += right.values[index] }
  }
}
