/// One peer's side of an exchange: what it sends, receives and adds, and when. A pure state machine: events go in,
/// actions come out; it calls no MPI and reads no gradient. `GradientExchange` acts.
///
/// A bucket goes through the states
///
///     idle → queued → reduce-scatter → all-gather → arrived → idle
///
/// The buckets in a state keep the order of their submission, never that of their completion, and every peer submits
/// in the same order. Messages have tags of their bucket, so one peer may be in the all-gather of a bucket while another
/// begins the reduce-scatter of the next.
///
/// - `written`, `submitted`: idle → queued; a queued bucket enters the reduce-scatter at once. Rows of a table wait for
///   `rowsGathered`, and so does what is queued behind them.
/// - `completed(.reduceScatter)`: the peer adds its slice of the oldest bucket there, which enters the all-gather.
/// - `completed(.allGather)`: the oldest bucket there has arrived.
/// - `endStep`: all are idle again. Legal where every queued bucket has arrived.
///
/// Any other event is a mistake of the program, and traps. Nothing is allocated after `init`.
package struct ExchangeStateMachine {
  package let buckets: BucketPlan
  /// Nil where the first part is sent as a whole.
  package let seen: SeenRows?
  /// Elements of the memory that messages are received into.
  package let receivedCount: Int
  /// Elements of the memory that rows are packed into.
  package let packedCount: Int

  private let slices: SliceMessages
  private var rows: RowMessages?
  private let ranges: [Range<Int>]
  private var rowsAre = RowState.unknown
  /// Buckets of each part that have been queued.
  private var queuedOfPart: [Int]
  /// Buckets in the order of their submission, with the messages of the phase that they are in. `scattered` of them
  /// have entered the reduce-scatter, `summed` the all-gather, `arrived` have left it.
  private var queue: [(bucket: Int, messages: Int)] = []
  private var (scattered, summed, arrived) = (0, 0, 0)

  private enum RowState {
    case unknown, gathering, known
  }

  /// - Parameters:
  ///   - rank: among two peers or more.
  ///   - mostElements: of a bucket.
  package init(_ plan: ExchangePlan, rank: Int, mostElements: Int = BucketPlan.mostElements) {
    let buckets = BucketPlan(plan, mostElements: mostElements)
    self.buckets = buckets
    ranges = plan.ranges
    let slices = SliceMessages(plan, buckets: buckets, rank: rank)
    self.slices = slices
    rows =
      plan.table == nil
      ? nil : RowMessages(plan, buckets: buckets, rank: rank, firstReceived: slices.receivedCount)
    seen = rows?.seen
    packedCount = rows?.bufferCount ?? 0
    receivedCount = slices.receivedCount + packedCount
    queuedOfPart = Array(repeating: 0, count: ranges.count)
    queue.reserveCapacity(buckets.ranges.count)
  }

  // MARK: What it waits for

  /// Messages of the oldest bucket in a phase; nil where no bucket is in it.
  package func pending(_ phase: Phase) -> Int? {
    switch phase {
    case .reduceScatter: summed < scattered ? queue[summed].messages : nil
    case .allGather: arrived < summed ? queue[arrived].messages : nil
    }
  }

  /// Whether `rowsGathered` must come before anything else can be sent.
  package var awaitsRows: Bool { rowsAre == .gathering }

  /// Whether `written` with the first `elements` of a part would queue a bucket.
  package func queues(part: Int, first elements: Int) -> Bool {
    buckets.buckets(ofPart: part, within: elements) > queuedOfPart[part]
  }

  /// Whether everything that was submitted has arrived.
  package var isComplete: Bool { arrived == queue.count }

  // MARK: Events

  /// Takes an event, and calls `act` with each action that follows from it.
  package mutating func receive(_ event: Event, _ act: (Action) throws -> Void) rethrows {
    switch event {
    case .written(let part, let elements):
      try enqueue(part, buckets.buckets(ofPart: part, within: elements), act)
      try startReduceScatters(act)
    case .submitted(let part, let rowsSeen):
      precondition(queuedOfPart[part] < buckets.ofPart[part].count, "a part is submitted once a step")
      try enqueue(part, buckets.ofPart[part].count, act)
      if part == 0, let seen {
        seen.mark(rowsSeen)
        rowsAre = .gathering
        try act(.gatherRows)
      }
      try startReduceScatters(act)
    case .rowsGathered:
      precondition(rowsAre == .gathering, "rows are gathered once a step")
      seen?.unite()
      rowsAre = .known
      try startReduceScatters(act)
    case .completed(.reduceScatter):
      precondition(summed < scattered, "no bucket is in its reduce-scatter")
      try startAllGather(act)
    case .completed(.allGather):
      precondition(arrived < summed, "no bucket is in its all-gather")
      try finishBucket(act)
    }
  }

  /// The next step begins: no part of it has been submitted.
  package mutating func endStep() {
    precondition(isComplete, "a bucket has not arrived")
    queue.removeAll(keepingCapacity: true)
    (scattered, summed, arrived) = (0, 0, 0)
    for part in queuedOfPart.indices { queuedOfPart[part] = 0 }
    rowsAre = .unknown
  }

  /// Where the sum may be other than +0.0, ascending: the rows that any peer has had since the last gathering of rows,
  /// and all other ranges.
  package func appendChangedRanges(to changed: inout [Range<Int>]) {
    if let seen { for row in seen.united { changed.append(seen.elements(of: row)) } }
    for range in ranges[(seen == nil ? 0 : 1)...] where !range.isEmpty { changed.append(range) }
  }

  // MARK: Transitions

  private mutating func enqueue(_ part: Int, _ count: Int, _ act: (Action) throws -> Void) rethrows {
    guard count > queuedOfPart[part] else { return }
    if queuedOfPart[part] == 0 { try act(.departed(part: part)) }
    let first = buckets.ofPart[part].lowerBound
    for bucket in first + queuedOfPart[part]..<first + count { queue.append((bucket, 0)) }
    queuedOfPart[part] = count
  }

  private func isRows(_ bucket: Int) -> Bool { rows != nil && bucket == 0 }

  private mutating func startReduceScatters(_ act: (Action) throws -> Void) rethrows {
    while scattered < queue.count {
      let bucket = queue[scattered].bucket
      if isRows(bucket) {
        guard rowsAre == .known else { return }
        queue[scattered].messages = try rows!.reduceScatter(act)
      } else {
        queue[scattered].messages = try slices.reduceScatter(bucket, act)
      }
      scattered += 1
    }
  }

  private mutating func startAllGather(_ act: (Action) throws -> Void) rethrows {
    let bucket = queue[summed].bucket
    queue[summed].messages = try isRows(bucket) ? rows!.sumAndAllGather(act) : slices.sumAndAllGather(bucket, act)
    summed += 1
  }

  private mutating func finishBucket(_ act: (Action) throws -> Void) rethrows {
    let bucket = queue[arrived].bucket
    arrived += 1
    if isRows(bucket) { try rows!.unpack(act) }
    let part = buckets.parts[bucket]
    if bucket == buckets.ofPart[part].upperBound - 1 { try act(.arrived(part: part)) }
  }
}
