import Checkpoints
import DataParallel
import Glibc
import MPI

// watchdog-program RUN      the last rank stops for ever when the work of all is over, before it comes out of MPI

World.run { world in
  let all = world.communicator
  let run = RunDirectory(path: CommandLine.arguments[1])
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
