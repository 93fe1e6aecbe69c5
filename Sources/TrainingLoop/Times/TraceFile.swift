import DataParallel
import Files
import LSTM
import MPI
import Problems
import Timing

/// A trace of all ranks for Perfetto or chrome://tracing: the latest events of each rank's clock, in the Trace Event
/// Format. A process stands for a rank; its first lane shows what it computes, the lanes below it show each part of the
/// gradient on its way, or, where ranks share memory, ready to be read and being read.
package final class TraceFile {
  private let world: World
  private let path: String
  private let first: ClockOffset
  private let originSeconds: Double

  /// Compares the clocks of the ranks, and makes the file, so that a path that cannot be written is found before the
  /// training. Collective.
  package init(path: String, world: World) throws {
    self.world = world
    self.path = path
    let isRoot = world.communicator.rank == 0
    world.agree { if isRoot { try writeAtomically(to: Place(path)) { try $0(TraceText.head + TraceText.tail) } } }
    originSeconds = StepClock.now()
    first = try ClockOffset.measure(on: world.communicator)
  }

  /// Gathers the events of all ranks on rank 0, which writes the file. Collective. Returns why the file could not be
  /// written, on rank 0; the ranks go on together all the same.
  func write(_ training: Training, hosts: [String]) throws -> Problem? {
    let communicator = world.communicator
    let correction = ClockCorrection(first: first, last: try ClockOffset.measure(on: communicator))
    let events = training.clock.events.map { $0.onClock(correction.rootSeconds) }
    guard communicator.rank == 0 else {
      try send(events)
      return nil
    }
    let text = TraceText(partNames: training.setup.shape.partNames, originSeconds: originSeconds)
    var received = 1
    do {
      try writeAtomically(to: Place(path)) { append in
        try append(TraceText.head)
        try text.append(events, rank: 0, host: hosts[0], to: append)
        while received < communicator.size {
          let (rank, others) = (received, try receive(from: received))
          received += 1
          try text.append(others, rank: rank, host: hosts[rank], to: append)
        }
        try append(TraceText.tail)
      }
      return nil
    } catch let error as Problem {
      // The other ranks are still sending.
      for rank in received..<communicator.size { _ = try receive(from: rank) }
      return error
    }
  }

  /// For a rank that has failed, when the others cannot be reached any more: its own events, on its own clock, beside
  /// the file. What it failed of is what has to be told, so an error here is dropped.
  func writeAlone(_ training: Training) {
    let rank = world.communicator.rank
    let text = TraceText(partNames: training.setup.shape.partNames, originSeconds: originSeconds)
    try? writeAtomically(to: Place("\(path).rank-\(rank)")) { append in
      try append(TraceText.head)
      try text.append(training.clock.events, rank: rank, host: RunTimes.hostName, to: append)
      try append(TraceText.tail)
    }
  }

  private static let tag = 7302

  private func send(_ events: [TraceEvent]) throws {
    try events.withUnsafeBytes { bytes in
      try world.communicator.send(bytes.bindMemory(to: UInt8.self), to: 0, tag: TraceFile.tag)
    }
  }

  private func receive(from rank: Int) throws -> [TraceEvent] {
    let bytes = try world.communicator.probe(from: rank, tag: TraceFile.tag).byteCount
    let count = bytes / MemoryLayout<TraceEvent>.stride
    return try [TraceEvent](unsafeUninitializedCapacity: count) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(buffer)
      try world.communicator.receive(
        UnsafeMutableBufferPointer(start: raw.baseAddress?.assumingMemoryBound(to: UInt8.self), count: bytes),
        from: rank, tag: TraceFile.tag)
      initialized = count
    }
  }
}

extension ModelShape {
  /// The names of `parts`.
  fileprivate var partNames: [String] {
    let cells = lstm.indices.map { "layer \($0 / directions)" + ($0 % directions == 1 ? ", reverse" : "") }
    return (embeddingRange == nil ? [] : ["embedding"]) + cells + (isTied ? ["shared matrix"] : []) + ["output"]
  }
}
