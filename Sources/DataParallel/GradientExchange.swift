import Glibc
import Kernels
import MPI
import Timing

/// Adds up gradients that travel between ranks as messages: afterwards every rank has the whole sum.
///
/// For P ranks and one part of n numbers: every rank owns a slice of about n/P. It receives that slice of every subtree
/// sum of the other ranks, adds them in tree order, and sends the result to all. Where P and S are powers of two each
/// rank sends 2·(P − 1)/P·n numbers: the bytes of the best all-reduce. Both ways can be hidden behind the backward pass,
/// which handing round the updated parameters instead could not.
///
/// Messages make progress in `poll` and `finish` alone: MPI has no progress of its own. They carry the number of their
/// part, so that ranks may come to the second way of a part and to the first one of the next in any order.
final class GradientExchange {
  /// Where the gradient may be other than +0.0, after `finish`, ascending.
  private(set) var changedRanges: [Range<Int>] = []

  private let parts: [Range<Int>]
  private let world: World
  private let clock: StepClock
  private let slices: SliceExchange
  /// Nil where the embedding is sent as a whole.
  private let rows: RowExchange?
  private var scatters = RequestQueue<OwnedBuffer<Float>>(capacity: 64)
  private var gathers = RequestQueue<OwnedBuffer<Float>>(capacity: 64)
  /// For each part how many requests its first and its second way have.
  private var requests: [(scatter: Int, gather: Int)]
  /// The parts in the order of their submission. Of them `scattered` have been sent to the owners of their slices,
  /// `added` have been added up and sent to all, `gathered` have arrived.
  private var submitted: [Int] = []
  private var (scattered, added, gathered) = (0, 0, 0)
  private var polledAt = 0.0

  /// Between two polls that ask MPI lies at least this time: a message of 1 Gbit/s gets 12 KB further.
  private static let pollSeconds = 100e-6

  /// Collective over `communicator`, of two ranks or more.
  init(
    _ plan: ReductionPlan, memory: GradientMemory, communicator: Communicator, world: World, clock: StepClock
  ) throws {
    self.world = world
    self.clock = clock
    parts = plan.parts
    // Other messages between the same ranks must not be taken for a gradient's.
    let own = try communicator.duplicate()
    slices = SliceExchange(plan, memory: memory, communicator: own)
    rows = plan.sendsRows ? RowExchange(plan, memory: memory, communicator: own) : nil
    requests = parts.map { _ in (0, 0) }
    submitted.reserveCapacity(parts.count)
    changedRanges.reserveCapacity(parts.count + (plan.embedding?.mostRows ?? 0))
  }

  /// The gradient of a part stands in memory, and is not touched until `finish`. `rowsSeen`: of an embedding, ascending, the
  /// rows that it has.
  func submit(part: Int, rowsSeen: [Int32]) {
    clock.submitted(part: part)
    submitted.append(part)
    orFail {
      if let rows, part == 0 { try rows.announce(rowsSeen) }
      while try advance() {}
    }
  }

  /// Lets messages make progress, at most once in `pollSeconds`.
  func poll() {
    guard gathered < submitted.count else { return }
    let now = StepClock.now()
    guard now - polledAt >= GradientExchange.pollSeconds else { return }
    clock.beginProgress(at: now)
    orFail { while try advance() {} }
    polledAt = StepClock.now()
    clock.endProgress(at: polledAt)
  }

  /// Waits until all parts have arrived.
  func finish() {
    clock.enter(.wait)
    orFail { while gathered < submitted.count { if try !advance() { sched_yield() } } }
    submitted.removeAll(keepingCapacity: true)
    (scattered, added, gathered) = (0, 0, 0)
    changedRanges.removeAll(keepingCapacity: true)
    rows?.appendChangedRanges(to: &changedRanges)
    for part in parts[(rows == nil ? 0 : 1)...] where !part.isEmpty { changedRanges.append(part) }
  }

  /// Requests may be under way: an error must not unwind past them.
  private func orFail(_ body: () throws -> Void) {
    do { try body() } catch { world.fail(error) }
  }

  /// The next thing that can be done; false where there is nothing at the moment. Each way takes the parts in the order of
  /// their submission, never in that of their arrival.
  private func advance() throws -> Bool {
    if scattered < submitted.count, try isReadyToScatter(submitted[scattered]) {
      let part = submitted[scattered]
      requests[part].scatter = try rows(part)?.scatter(&scatters) ?? slices.scatter(part: part, &scatters)
      scattered += 1
    } else if added < scattered, try scatters.testFirst(requests[submitted[added]].scatter) {
      let part = submitted[added]
      for _ in 0..<requests[part].scatter { _ = try scatters.waitForFirst() }
      requests[part].gather = try rows(part)?.addAndGather(&gathers) ?? slices.addAndGather(part: part, &gathers)
      added += 1
    } else if gathered < added, try gathers.testFirst(requests[submitted[gathered]].gather) {
      let part = submitted[gathered]
      for _ in 0..<requests[part].gather { _ = try gathers.waitForFirst() }
      rows(part)?.take()
      clock.arrived(part: part)
      gathered += 1
    } else {
      return false
    }
    return true
  }

  private func rows(_ part: Int) -> RowExchange? { part == 0 ? rows : nil }

  private func isReadyToScatter(_ part: Int) throws -> Bool { try rows(part)?.isAnnounced() ?? true }
}
