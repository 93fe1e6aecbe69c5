import MPI
import Timing

/// What this rank's clock says, and by how much it must be corrected to be rank 0's, at one moment.
package struct ClockOffset: Sendable {
  let atSeconds: Double
  let offsetSeconds: Double

  package init(atSeconds: Double, offsetSeconds: Double) {
    (self.atSeconds, self.offsetSeconds) = (atSeconds, offsetSeconds)
  }

  /// Compares every rank's clock with that of rank 0, one rank after the other. Collective.
  static func measure(on communicator: Communicator) throws -> ClockOffset {
    var offset = [0.0]
    if communicator.rank == 0 {
      for rank in 1..<max(1, communicator.size) {
        let value = [try offsetOfRank(rank, on: communicator)]
        try value.withUnsafeBufferPointer { try communicator.send($0, to: rank, tag: tag) }
      }
    } else {
      for _ in 0..<rounds {
        var time = [0.0]
        try time.withUnsafeMutableBufferPointer { _ = try communicator.receive($0, from: 0, tag: tag) }
        time[0] = StepClock.now()
        try time.withUnsafeBufferPointer { try communicator.send($0, to: 0, tag: tag) }
      }
      try offset.withUnsafeMutableBufferPointer { _ = try communicator.receive($0, from: 0, tag: tag) }
    }
    return ClockOffset(atSeconds: StepClock.now(), offsetSeconds: offset[0])
  }

  private static let rounds = 32
  private static let tag = 7301

  private static func offsetOfRank(_ rank: Int, on communicator: Communicator) throws -> Double {
    var trips = RoundTrips()
    for _ in 0..<rounds {
      var time = [0.0]
      let sent = StepClock.now()
      try time.withUnsafeBufferPointer { try communicator.send($0, to: rank, tag: tag) }
      try time.withUnsafeMutableBufferPointer { _ = try communicator.receive($0, from: rank, tag: tag) }
      trips.add(sent: sent, there: time[0], received: StepClock.now())
    }
    return trips.offsetSeconds
  }
}

/// What the times of round trips say of another clock.
///
/// Rank 0 sends a message and gets back the other clock's time t. It lies between sending at t₀ and receiving at t₁, in
/// the middle of it as far as one can know; the round trip that took least time says it best. Where t lies within
/// t₀ … t₁ by its own clock, the two cannot be told apart: they are then taken for one, which on one machine they are.
package struct RoundTrips: Sendable {
  private var shortestSeconds = Double.infinity
  /// What the other clock must be corrected by.
  package private(set) var offsetSeconds = 0.0

  package init() {}

  /// - Parameters:
  ///   - sent, received: by the own clock.
  ///   - there: by the other one.
  package mutating func add(sent: Double, there: Double, received: Double) {
    guard received - sent < shortestSeconds else { return }
    shortestSeconds = received - sent
    offsetSeconds = (sent...received).contains(there) ? 0 : (sent + received) / 2 - there
  }
}

/// Brings the times of a rank onto rank 0's clock: clocks of two machines run at slightly different speeds, so the
/// offset between two measurements is interpolated.
package struct ClockCorrection: Sendable {
  private let first: ClockOffset
  private let last: ClockOffset

  package init(first: ClockOffset, last: ClockOffset) { (self.first, self.last) = (first, last) }

  package func rootSeconds(_ seconds: Double) -> Double {
    let span = last.atSeconds - first.atSeconds
    guard span > 0 else { return seconds + first.offsetSeconds }
    let share = (seconds - first.atSeconds) / span
    return seconds + first.offsetSeconds + share * (last.offsetSeconds - first.offsetSeconds)
  }
}
