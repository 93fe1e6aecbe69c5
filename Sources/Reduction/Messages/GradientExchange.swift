import Glibc
import MPI
import Timing

/// Adds up gradients that travel between ranks as messages: afterwards each of these peers has the whole sum.
///
/// For P peers and n numbers: every rank owns a slice of about n/P. It receives that slice of every subtree sum of the
/// other ranks, adds them in tree order, and sends the result to all. Where P and S are powers of two each rank sends
/// 2·(P − 1)/P·n numbers: the bytes of the best all-reduce. Both ways can be hidden behind the backward pass, which
/// handing round the updated parameters instead could not.
///
/// A part is cut into pieces, so that the second way of one is on the line with the first way of the next. Messages
/// make progress in `poll` and `finish` alone: MPI has no progress of its own. They carry the number of their piece, so
/// that ranks may come to the second way of a piece and to the first one of the next in any order.
final class GradientExchange {
  /// Where the gradient may be other than +0.0, after `finish`, ascending.
  private(set) var changedRanges: [Range<Int>] = []

  /// What travels together: a piece of a part, or the rows of an embedding.
  private enum Load {
    case piece(Int)
    case rows(RowExchange)
  }

  private let ranges: [Range<Int>]
  private let world: World
  private let clock: StepClock
  private let slices: SliceExchange
  /// Nil where the embedding is sent as a whole.
  private let rows: RowExchange?
  /// The loads of each part, and how many of them have been submitted.
  private let loads: [[Load]]
  private var begun: [Int]
  private let pieces: [Range<Int>]
  private var scatters = RequestQueue<OwnedBuffer<Float>>(capacity: 64)
  private var gathers = RequestQueue<OwnedBuffer<Float>>(capacity: 64)
  /// The loads in the order of their submission, and how many requests the way has on which they are; the last one of a
  /// part knows which one that is. Of them `scattered` have been sent to the owners of their slices, `added` have been
  /// added up and sent to all, `gathered` have arrived.
  private var submitted: [(load: Load, requests: Int, completes: Int?)] = []
  private var (scattered, added, gathered) = (0, 0, 0)
  private var polledAt = 0.0

  /// Between two polls that ask MPI lies at least this time: a message of 1 Gbit/s gets 12 KB further.
  private static let pollSeconds = 100e-6
  /// The most numbers of a piece: 2 MB.
  private static let pieceCount = 1 << 19

  /// Collective over `communicator`, of two ranks or more.
  init(
    _ plan: ExchangePlan, memory: GradientMemory, communicator: Communicator, world: World, clock: StepClock
  ) throws {
    self.world = world
    self.clock = clock
    ranges = plan.ranges
    // Other messages between the same ranks must not be taken for a gradient's.
    let own = try communicator.duplicate()
    let rows = plan.table != nil ? RowExchange(plan, memory: memory, communicator: own) : nil
    self.rows = rows
    var pieces: [Range<Int>] = []
    loads = plan.ranges.enumerated().map { part, range in
      if let rows, part == 0 { return [.rows(rows)] }
      let first = pieces.count
      pieces += GradientExchange.pieces(of: range)
      return (first..<pieces.count).map { .piece($0) }
    }
    begun = Array(repeating: 0, count: plan.ranges.count)
    self.pieces = pieces
    slices = try SliceExchange(plan, pieces: pieces, memory: memory, communicator: own)
    submitted.reserveCapacity(1 + pieces.count)
    changedRanges.reserveCapacity(ranges.count + (plan.table?.mostRows ?? 0))
  }

  private static func pieces(of part: Range<Int>) -> [Range<Int>] {
    let count = max(1, (part.count + pieceCount - 1) / pieceCount)
    return (0..<count).map {
      part.lowerBound + $0 * part.count / count..<part.lowerBound + ($0 + 1) * part.count / count
    }
  }

  /// The gradient of a part stands in memory, and is not touched until `finish`. `rowsSeen`: of an embedding,
  /// ascending, the rows that it has.
  func submit(part: Int, rowsSeen: [Int32]) {
    submit(part: part, loads: loads[part].count)
    submitted[submitted.count - 1].completes = part
    orFail {
      if let rows, part == 0 { try rows.announce(rowsSeen) }
    }
    progress()
  }

  /// The same of the first so many numbers of a part: pieces that lie in them set out. The whole part follows.
  func submit(part: Int, first numbers: Int) {
    let end = ranges[part].lowerBound + numbers
    let count = loads[part].dropLast().prefix { lies($0, before: end) }.count
    guard count > begun[part] else { return }
    clock.beginProgress()
    submit(part: part, loads: count)
    progress()
    clock.endProgress()
  }

  /// Pieces in which a part that is no table travels.
  func pieceCount(ofPart part: Int) -> Int { loads[part].count }

  private func lies(_ load: Load, before end: Int) -> Bool {
    if case .piece(let piece) = load { pieces[piece].upperBound <= end } else { false }
  }

  private func submit(part: Int, loads count: Int) {
    if begun[part] == 0 { clock.submitted(part: part) }
    for load in loads[part][begun[part]..<count] { submitted.append((load, 0, nil)) }
    begun[part] = count
  }

  /// Lets messages make progress, at most once in `pollSeconds`.
  func poll() {
    guard gathered < submitted.count else { return }
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
    orFail { while gathered < submitted.count { if try !advance() { sched_yield() } } }
    submitted.removeAll(keepingCapacity: true)
    (scattered, added, gathered) = (0, 0, 0)
    for part in begun.indices { begun[part] = 0 }
    changedRanges.removeAll(keepingCapacity: true)
    rows?.appendChangedRanges(to: &changedRanges)
    for range in ranges[(rows == nil ? 0 : 1)...] where !range.isEmpty { changedRanges.append(range) }
  }

  /// Requests may be under way: an error must not unwind past them.
  private func orFail(_ body: () throws -> Void) {
    do { try body() } catch { world.fail(error) }
  }

  /// The next thing that can be done; false where there is nothing at the moment. Each way takes the loads in the order
  /// of their submission, never in that of their arrival.
  private func advance() throws -> Bool {
    if scattered < submitted.count, try isReady(submitted[scattered].load) {
      submitted[scattered].requests =
        switch submitted[scattered].load {
        case .piece(let piece): try slices.scatter(piece, &scatters)
        case .rows(let rows): try rows.scatter(&scatters)
        }
      scattered += 1
    } else if added < scattered, try scatters.testFirst(submitted[added].requests) {
      for _ in 0..<submitted[added].requests { _ = try scatters.waitForFirst() }
      submitted[added].requests =
        switch submitted[added].load {
        case .piece(let piece): try slices.addAndGather(piece, &gathers)
        case .rows(let rows): try rows.addAndGather(&gathers)
        }
      added += 1
    } else if gathered < added, try gathers.testFirst(submitted[gathered].requests) {
      for _ in 0..<submitted[gathered].requests { _ = try gathers.waitForFirst() }
      if case .rows(let rows) = submitted[gathered].load { rows.take() }
      if let part = submitted[gathered].completes { clock.arrived(part: part) }
      gathered += 1
    } else {
      return false
    }
    return true
  }

  /// Rows can be sent as soon as it is known which ones all ranks have.
  private func isReady(_ load: Load) throws -> Bool {
    if case .rows(let rows) = load { try rows.isAnnounced() } else { true }
  }
}
