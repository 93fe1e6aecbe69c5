/// One rank's side of the sums on a node: when a part of the gradient can be summed from the memory of the node's
/// ranks, and what of it. A pure state machine: events go in, actions come out; it reads no shared memory. `NodeReducer`
/// acts.
///
/// A part goes through the states
///
///     idle → finished by this rank → finished by all ranks of the node → idle
///
/// in the order of its submission, which is the same on all ranks.
///
/// - `submitted`: idle → finished by this rank, which the others are told.
/// - `finishedByAll`: of the oldest part that this rank has finished. A driver sums its range of it and hands it to the
///   exchange with the other nodes.
/// - `endStep`: all are idle again. Legal where every submitted part is finished by all.
///
/// Nothing is allocated after `init`.
package struct NodeStateMachine {
  /// What has happened.
  package enum Event: Sendable {
    /// A part is final in the gradients of this rank. `rows`: of an embedding, ascending, the rows that it has.
    case submitted(part: Int, rows: [Int32])
    /// All ranks of the node have finished `awaitedParts` parts. `rows`: where `awaitsRows`, the rows that any has.
    case finishedByAll(rows: [Int32])
  }

  /// What to do, at once and in this order.
  package enum Action: Equatable, Sendable {
    /// Tell the other ranks of the node which rows this one has.
    case publishRows([Int32])
    /// Tell them that this rank has finished this number of parts since the start of the program.
    case publishFinished(parts: Int)
    /// Sum these elements of the gradients of the node's ranks.
    case sum(Range<Int>)
    /// Submit the part, which has been summed, to the exchange with the other nodes. `rows`: those of `finishedByAll`.
    case exchange(part: Int, rows: [Int32])
  }

  /// For each part the elements that this rank sums; nil on a rank that is no driver.
  private let ownedRanges: [Range<Int>]?
  private let hasEmbedding: Bool
  /// Elements of a row where only rows are summed that some rank has.
  private let rowSize: Int?
  /// Parts in the order of their submission, of which `summed` are finished by all; and parts of all steps before.
  private var submitted: [Int] = []
  private var summed = 0
  private var partsBefore = 0

  package init(_ plan: ReductionPlan, nodes: NodePlan, rank: Int) {
    ownedRanges =
      nodes.isDriver(rank: rank)
      ? nodes.ownedRanges(parts: plan.parts, driver: nodes.place(ofRank: rank).index) : nil
    hasEmbedding = plan.embedding != nil
    rowSize = plan.sendsRows ? plan.embedding?.size : nil
    submitted.reserveCapacity(plan.parts.count)
  }

  /// How many parts since the start of the program every rank of the node must have finished before `finishedByAll`;
  /// nil where this rank has finished no other part.
  package var awaitedParts: Int? { summed < submitted.count ? partsBefore + summed + 1 : nil }

  /// Whether `finishedByAll` must bring the rows of all ranks.
  package var awaitsRows: Bool {
    ownedRanges != nil && rowSize != nil && summed < submitted.count && submitted[summed] == 0
  }

  /// Takes an event, and calls `act` with each action that follows from it.
  package mutating func receive(_ event: Event, _ act: (Action) throws -> Void) rethrows {
    switch event {
    case .submitted(let part, let rows):
      if part == 0 && hasEmbedding { try act(.publishRows(rows)) }
      submitted.append(part)
      try act(.publishFinished(parts: partsBefore + submitted.count))
    case .finishedByAll(let rows):
      precondition(summed < submitted.count, "this rank has not finished the part")
      let part = submitted[summed]
      summed += 1
      guard let ownedRanges else { return }
      if part == 0, let rowSize {
        for row in rows {
          let owned = (Int(row) * rowSize..<(Int(row) + 1) * rowSize).clamped(to: ownedRanges[0])
          if !owned.isEmpty { try act(.sum(owned)) }
        }
      } else {
        try act(.sum(ownedRanges[part]))
      }
      try act(.exchange(part: part, rows: rows))
    }
  }

  /// The next step begins: no part of it has been submitted.
  package mutating func endStep() {
    precondition(summed == submitted.count, "a part is not finished by all ranks of the node")
    partsBefore += submitted.count
    submitted.removeAll(keepingCapacity: true)
    summed = 0
  }
}
