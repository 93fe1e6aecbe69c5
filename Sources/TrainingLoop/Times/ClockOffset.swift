import MPI
import Timing

/// What this rank's clock says, and by how much it must be corrected to be rank 0's, at one moment.
struct ClockOffset {
  let atSeconds: Double
  let offsetSeconds: Double

  /// Compares every rank's clock with that of rank 0, one rank after the other. Collective.
  ///
  /// Rank 0 sends a message and gets back the other clock's time t. It lies between sending at t₀ and receiving at t₁,
  /// in the middle of it as far as one can know; the round trip that took least time says it best. Where t lies within
  /// t₀ … t₁ by its own clock, the two cannot be told apart: they are then taken for one, which on one machine they
  /// are.
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
    var (shortest, offset) = (Double.infinity, 0.0)
    for _ in 0..<rounds {
      var time = [0.0]
      let sent = StepClock.now()
      try time.withUnsafeBufferPointer { try communicator.send($0, to: rank, tag: tag) }
      try time.withUnsafeMutableBufferPointer { _ = try communicator.receive($0, from: rank, tag: tag) }
      let received = StepClock.now()
      guard received - sent < shortest else { continue }
      shortest = received - sent
      offset = (sent...received).contains(time[0]) ? 0 : (sent + received) / 2 - time[0]
    }
    return offset
  }
}

/// Brings the times of a rank onto rank 0's clock: clocks of two machines run at slightly different speeds, so the
/// offset between two measurements is interpolated.
struct ClockCorrection {
  let first: ClockOffset
  let last: ClockOffset

  func rootSeconds(_ seconds: Double) -> Double {
    let span = last.atSeconds - first.atSeconds
    guard span > 0 else { return seconds + first.offsetSeconds }
    let share = (seconds - first.atSeconds) / span
    return seconds + first.offsetSeconds + share * (last.offsetSeconds - first.offsetSeconds)
  }
}
