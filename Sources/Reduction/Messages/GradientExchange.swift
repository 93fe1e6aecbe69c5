import Glibc
import Kernels
import MPI
import Problems
import Timing

/// Adds up gradients that travel between ranks as messages: afterwards each of these peers has the whole sum. Does what
/// `ExchangeStateMachine` says.
///
/// Both phases, reduce-scatter and all-gather, can be hidden behind the backward pass, which an all-gather of updated
/// parameters in place of gradients could not. Messages make progress in `poll` and `finish` alone: MPI has no progress
/// of its own.
final class GradientExchange {
  private typealias Phase = ExchangeStateMachine.Phase

  /// Where the gradient may be other than +0.0, after `finish`, ascending.
  private(set) var changedRanges: [Range<Int>] = []

  private let world: World
  private let communicator: Communicator
  private let clock: StepClock
  private let memory: GradientMemory
  private var machine: ExchangeStateMachine
  /// That of the machine; nil where the embedding is sent as a whole.
  private let seen: SeenRows?
  private let buffers: Buffers
  private let treeSum: TreeSum
  /// Where the terms of the next sum begin, one for each subtree of all peers.
  private var terms: [UnsafePointer<Float>]
  private var scatters = RequestQueue<OwnedBuffer<Float>>(capacity: 64)
  private var gathers = RequestQueue<OwnedBuffer<Float>>(capacity: 64)
  private var rowsUnderWay = RequestQueue<Exchange<UInt64>>(capacity: 1)
  private var polledAt = 0.0

  /// Between two polls that ask MPI lies at least this time: a message of 1 Gbit/s gets 12 KB further.
  private static let pollSeconds = 100e-6

  private final class Buffers {
    let received: FloatBuffer
    let packed: FloatBuffer
    let zeros: FloatBuffer
    let scratch: FloatBuffer

    init(received: Int, packed: Int, row: Int, scratch: Int) {
      self.received = FloatBuffer(count: received)
      self.packed = FloatBuffer(count: packed)
      zeros = FloatBuffer(count: row)
      self.scratch = FloatBuffer(count: scratch)
    }
  }

  /// Collective over `communicator`, of two ranks or more.
  /// - Throws: where the gradient needs more tags than MPI has.
  init(
    _ plan: ExchangePlan, memory: GradientMemory, communicator: Communicator, world: World, clock: StepClock
  ) throws {
    self.world = world
    self.clock = clock
    self.memory = memory
    // Other messages between the same ranks must not be taken for a gradient's.
    self.communicator = try communicator.duplicate()
    let machine = ExchangeStateMachine(plan, rank: communicator.rank)
    guard machine.buckets.tagCount <= Communicator.largestPortableTag + 1 else {
      throw Problem(
        .badConfiguration,
        "model is too large for messages — expected at most \(Communicator.largestPortableTag + 1) tags, "
          + "got \(machine.buckets.tagCount)",
        hint: "set distributed.reduction to mpi, or batch.shards to a power of two")
    }
    self.machine = machine
    seen = machine.seen
    treeSum = TreeSum(root: 0..<plan.shardCount, subtrees: plan.sortedSubtrees)
    buffers = Buffers(
      received: machine.receivedCount, packed: machine.packedCount, row: plan.table?.size ?? 0,
      scratch: treeSum.scratchCount)
    terms = Array(repeating: UnsafePointer(buffers.zeros.pointer), count: plan.subtrees.reduce(0) { $0 + $1.count })
    changedRanges.reserveCapacity(plan.ranges.count + (plan.table?.mostRows ?? 0))
  }

  /// Buckets in which a part travels.
  func bucketCount(ofPart part: Int) -> Int { machine.buckets.ofPart[part].count }

  // MARK: Events

  /// The gradient of a part is final, and is not touched until `finish`. `rowsSeen`: of an embedding, ascending, the
  /// rows that it has.
  func submit(part: Int, rowsSeen: [Int32]) {
    orFail { try receive(.submitted(part: part, rows: rowsSeen)) }
    progress()
  }

  /// The first `elements` of a part are final: the buckets that lie in them depart. The whole part follows.
  func submit(part: Int, first elements: Int) {
    guard machine.queues(part: part, first: elements) else { return }
    clock.beginProgress()
    orFail { try receive(.written(part: part, elements: elements)) }
    progress()
    clock.endProgress()
  }

  /// Lets messages make progress, at most once in `pollSeconds`.
  func poll() {
    guard !machine.isComplete else { return }
    let now = StepClock.now()
    guard now - polledAt >= GradientExchange.pollSeconds else { return }
    clock.beginProgress(at: now)
    progress()
    polledAt = StepClock.now()
    clock.endProgress(at: polledAt)
  }

  /// Lets messages make progress now.
  func progress() { orFail { while try advance() {} } }

  /// Waits until all parts have arrived.
  func finish() {
    clock.enter(.wait)
    orFail { while !machine.isComplete { if try !advance() { sched_yield() } } }
    machine.endStep()
    changedRanges.removeAll(keepingCapacity: true)
    machine.appendChangedRanges(to: &changedRanges)
  }

  /// Requests may be under way: an error must not unwind past them.
  private func orFail(_ body: () throws -> Void) {
    do { try body() } catch { world.fail(error) }
  }

  private func receive(_ event: ExchangeStateMachine.Event) throws { try machine.receive(event) { try act($0) } }

  /// Tells the machine of one thing that has happened; false where nothing has.
  private func advance() throws -> Bool {
    if machine.awaitsRows, try rowsUnderWay.testFirst() {
      _ = try rowsUnderWay.waitForFirst()
      try receive(.rowsGathered)
    } else if let messages = machine.pending(.reduceScatter), try scatters.testFirst(messages) {
      for _ in 0..<messages { _ = try scatters.waitForFirst() }
      try receive(.completed(.reduceScatter))
    } else if let messages = machine.pending(.allGather), try gathers.testFirst(messages) {
      for _ in 0..<messages { _ = try gathers.waitForFirst() }
      try receive(.completed(.allGather))
    } else {
      return false
    }
    return true
  }

  // MARK: Actions

  private func act(_ action: ExchangeStateMachine.Action) throws {
    switch action {
    case .departed(let part): clock.submitted(part: part)
    case .gatherRows: try gatherRows()
    case .copy(let from, let to, let count): pointer(to).update(from: pointer(from), count: count)
    case .receive(let message):
      append(
        try communicator.startReceive(buffer(message), from: message.peer, tag: message.tag), to: message.phase)
    case .send(let message):
      append(try communicator.startSend(buffer(message), to: message.peer, tag: message.tag), to: message.phase)
    case .term(let index, let place): terms[index] = UnsafePointer(pointer(place))
    case .sum(let range):
      treeSum.add(
        terms, at: 0, into: memory.gradient(0) + range.lowerBound, count: range.count,
        scratch: buffers.scratch.pointer)
    case .arrived(let part): clock.arrived(part: part)
    }
  }

  private func gatherRows() throws {
    guard let seen else { preconditionFailure("no rows are sent") }
    rowsUnderWay.append(
      try communicator.startAllGather(
        Exchange(
          sending: OwnedBuffer(unsafe: seen.own, owner: seen), receiving: OwnedBuffer(unsafe: seen.all, owner: seen))))
  }

  private func append(_ request: consuming Request<OwnedBuffer<Float>>, to phase: Phase) {
    switch phase {
    case .reduceScatter: scatters.append(request)
    case .allGather: gathers.append(request)
    }
  }

  private func buffer(_ message: ExchangeStateMachine.Message) -> OwnedBuffer<Float> {
    let owner: AnyObject = if case .gradient = message.place { memory } else { buffers }
    return OwnedBuffer(
      unsafe: UnsafeMutableBufferPointer(start: pointer(message.place), count: message.count), owner: owner)
  }

  private func pointer(_ place: ExchangeStateMachine.Place) -> UnsafeMutablePointer<Float> {
    switch place {
    case .gradient(let subtree, let element): memory.gradient(subtree) + element
    case .received(let element): buffers.received.pointer + element
    case .packed(let element): buffers.packed.pointer + element
    case .zeros: buffers.zeros.pointer
    }
  }
}
