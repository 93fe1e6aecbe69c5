import Foundation
import JobHealth
import MPI
import Runs

/// The last rank stops when all have left, in a run.
private func end(_ world: World, run: RunDirectory) throws {
  let all = world.communicator
  let lock = world.agree { all.rank == 0 ? try RunLock(run, ranks: all.size) : nil }
  defer { lock?.release() }
  let heartbeat = try Heartbeat(run, rank: all.rank, ranks: all.size)
  let watchdog = try Watchdog(
    world: world, heartbeat: heartbeat, ranks: Array(0..<all.size), limitSeconds: 4, isPublisher: false)
  try all.barrier()
  watchdog.end()
  heartbeat.enter(.ended, step: 0)
  if all.rank == all.size - 1 { raise(SIGSTOP) }
}

/// The same without a run, in the memory that the ranks of a node share.
private func start(_ world: World, limitSeconds: Int, _ body: (Heartbeat, _ isLast: Bool) throws -> Void) throws {
  let all = world.communicator
  guard let heartbeat = try Heartbeat.ofNode(world) else {
    throw Failure("no memory that ranks share", exitCode: 1)
  }
  _ = try Watchdog(
    world: world, heartbeat: heartbeat, ranks: Array(0..<all.size), limitSeconds: limitSeconds, isPublisher: false)
  heartbeat.enter(.starting, step: 0)
  try body(heartbeat, all.rank == all.size - 1)
}

/// The last rank goes wrong:
///
///     watchdog end RUN  it stops for ever when the work of all is over, before it comes out of MPI
///     watchdog stop     it stops for ever before there is a run
///     watchdog apart    it works for longer than a rank may stand still, then enters another collective
func watchdog(_ world: World, _ arguments: [String]) throws {
  let all = world.communicator
  switch arguments[0] {
  case "end": try end(world, run: RunDirectory(path: arguments[1]))
  case "stop":
    try start(world, limitSeconds: 2) { _, isLast in
      if isLast { raise(SIGSTOP) }
      try all.barrier()
    }
  default:
    try start(world, limitSeconds: 1) { heartbeat, isLast in
      heartbeat.enter(.working, step: 0)
      if isLast { sleep(12) }
      heartbeat.enter(.starting, step: 0)
      try all.barrier()
      if all.rank == 0 { print("worked") }
      fflush(nil)
      try (isLast ? world.node : all).barrier()
    }
  }
}
