/// What the state machine is told and says: events, actions, messages, places.
extension ExchangeStateMachine {
  /// What a bucket goes through.
  package enum Phase: CaseIterable, Sendable {
    /// Each peer receives its slice of every subtree's gradient of the others.
    case reduceScatter
    /// Each peer receives the others' slices of the sum.
    case allGather
  }

  /// What has happened.
  package enum Event: Sendable {
    /// The first `elements` of a part's range are final in every subtree's gradient; the whole part follows.
    case written(part: Int, elements: Int)
    /// A part is final in every subtree's gradient, and nobody touches it before it has arrived. `rows`: of a table,
    /// ascending, the rows that this peer has.
    case submitted(part: Int, rows: [Int32])
    /// `gatherRows` is done: `SeenRows.all` has the bits of all peers.
    case rowsGathered
    /// The messages of the oldest bucket in a phase, `pending` of them, are complete.
    case completed(Phase)
  }

  /// What to do, at once and in this order.
  package enum Action: Equatable, Sendable {
    /// The first bucket of a part has been queued.
    case departed(part: Int)
    /// Gather `SeenRows.own` of all peers into `SeenRows.all`, and answer with `rowsGathered`.
    case gatherRows
    /// Copy `count` elements.
    case copy(from: Place, to: Place, count: Int)
    /// Start to receive.
    case receive(Message)
    /// Start to send.
    case send(Message)
    /// Term `index` of the next sum begins here.
    case term(index: Int, Place)
    /// Add the terms in tree order into these elements of the gradient of subtree 0.
    case sum(Range<Int>)
    /// The sum of a whole part is in the gradient of subtree 0.
    case arrived(part: Int)
  }

  /// A message to or from a peer. Between two peers messages of one tag keep their order.
  package struct Message: Equatable, Sendable {
    package let phase: Phase
    package let peer: Int
    package let tag: Int
    package let place: Place
    /// Elements.
    package let count: Int
  }

  /// Where elements begin.
  package enum Place: Equatable, Sendable {
    /// At an element of the flat gradient of one of the peer's subtrees.
    case gradient(subtree: Int, Int)
    /// In memory of `receivedCount` elements that messages are received into.
    case received(Int)
    /// In memory of `packedCount` elements that rows are packed into before they are sent.
    case packed(Int)
    /// A row of +0.0.
    case zeros
  }
}
