import MPI
import Problems
import Timing

/// Knows on each rank, at any timestep, whether the job is to stop: because of a signal to this process, because of
/// what rank 0 alone sees, or because another rank says so.
///
/// A rank r that learns of it sends a message to ranks r + 1, r + 2, r + 4, … (mod P), and so does each that receives
/// one: all ranks know after at most ⌈log₂P⌉ hops, wherever they are in their step. Each rank still comes to the
/// reduction of the step, in which they agree; then every rank receives the messages that are still under way.
package final class StopListener {
  /// Thrown where a step or an evaluation is abandoned.
  package struct Abandoned: Error {}

  /// What the ranks have agreed on.
  package private(set) var agreement: StopAgreement?

  private let communicator: Communicator
  private let ownReason: () -> StopReason?
  private let learned: (StopReason) -> Void
  private var reason: StopReason?
  /// Ranks whose message has not been received.
  private var senders: [Int]
  private let receivers: [Int]
  private var messages = RequestQueue<OwnedBuffer<Int64>>()
  private var askedSeconds = 0.0

  /// Between two looks at other ranks, and at files and clocks, lies at least this time.
  private static let askingSeconds = 2e-3

  /// Collective.
  /// - Parameters:
  ///   - ownReason: why this rank wants the job to stop, nil where it does not; called at each timestep of rank 0 and
  ///     of the others, so it must be cheap.
  ///   - learned: called once, when this rank learns that the job is to stop.
  package init(world: World, ownReason: @escaping () -> StopReason?, learned: @escaping (StopReason) -> Void) throws {
    communicator = try world.communicator.duplicate()
    self.ownReason = ownReason
    self.learned = learned
    let (rank, size) = (communicator.rank, communicator.size)
    let distances = sequence(first: 1) { 2 * $0 }.prefix { $0 < size }
    receivers = distances.map { (rank + $0) % size }
    senders = distances.map { (rank + size - $0) % size }
  }

  // MARK: In the middle of a step

  /// Throws where the job is to stop. Cheap: meant to be called between timesteps.
  func check() throws {
    if reason == nil { try look() }
    if reason != nil { throw Abandoned() }
  }

  private func look() throws {
    let now = StepClock.now()
    guard now - askedSeconds >= StopListener.askingSeconds else { return }
    askedSeconds = now
    if let own = ownReason() { return try learn(own) }
    if let message = try communicator.probeNow(from: nil) { try learn(receive(from: message.source)) }
  }

  private func learn(_ new: StopReason) throws {
    reason = new
    for rank in receivers {
      messages.append(try communicator.startSend(OwnedBuffer([Int64(new.code)]), to: rank))
    }
    learned(new)
  }

  private func receive(from sender: Int) throws -> StopReason {
    var code: Int64 = 0
    _ = try withUnsafeMutablePointer(to: &code) {
      try communicator.receive(UnsafeMutableBufferPointer(start: $0, count: 1), from: sender)
    }
    senders.removeAll { $0 == sender }
    guard let reason = StopReason(code: Int(code)) else {
      throw Problem(.internalError, "unknown reason of a stop — expected one of 1 to 203, got \(code)")
    }
    return reason
  }

  /// Runs a part of a step or of an evaluation, and returns whether it has been abandoned.
  static func isAbandoned(_ body: () throws -> Void) rethrows -> Bool {
    do {
      try body()
      return false
    } catch is Abandoned {
      return true
    }
  }

  // MARK: Agreement

  /// What this rank brings to the reduction of a step; 0 where it knows of no reason to stop.
  func flag(isAbandoned: Bool) -> Double { StopAgreement.flag(reason ?? ownReason(), isAbandoned: isAbandoned) }

  /// Takes the flags of all ranks, in their order, as every rank has them after a reduction.
  func agreed(_ flags: [Double]) throws {
    agreement = StopAgreement(flags: flags)
    if let agreement { try settle(agreement) }
  }

  /// The same without a reduction. Every rank calls it.
  func agree(isAbandoned: Bool) throws {
    try agreed(communicator.allGather(flag(isAbandoned: isAbandoned)))
  }

  /// All ranks know: each of them has sent, or sends now, and receives what was sent to it.
  private func settle(_ agreement: StopAgreement) throws {
    if reason == nil { try learn(agreement.reason) }
    while let sender = senders.first { _ = try receive(from: sender) }
    while !messages.isEmpty { _ = try messages.waitForFirst() }
  }
}

/// What the ranks know of a stop after a reduction, the same on all of them.
package struct StopAgreement: Equatable, Sendable {
  /// That of the lowest rank which had one.
  package let reason: StopReason
  /// Whether some rank has not computed its part: then the step or the evaluation leaves no trace.
  package let isAbandoned: Bool

  /// Nil where no rank knows of a reason.
  package init?(flags: [Double]) {
    guard let first = flags.first(where: { $0 != 0 }), let reason = StopReason(code: Int(abs(first))) else {
      return nil
    }
    self.reason = reason
    isAbandoned = flags.contains { $0 < 0 }
  }

  /// A reason as a number that ranks exchange with others: below 0 where the rank has abandoned its part.
  static func flag(_ reason: StopReason?, isAbandoned: Bool) -> Double {
    guard let reason else { return 0 }
    return isAbandoned ? -Double(reason.code) : Double(reason.code)
  }
}
