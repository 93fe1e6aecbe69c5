import Glibc
import MPI

/// Two nodes, made of even and odd ranks.
private func halves(_ world: World) throws -> Communicator {
  try world.communicator.split(color: world.communicator.rank % 2, key: world.communicator.rank)!
}

/// Nanoseconds on the clock that all ranks of a host share.
private func now() -> Int {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// The first rank of each node runs it, once, rank 0 before the others, and all return after it.
func eachNode(_ world: World) throws {
  let (all, node) = (world.communicator, try halves(world))
  var (begins, ends) = ([Int](), [Int]())
  try world.onEachNode(node) {
    begins.append(now())
    usleep(50_000)
    ends.append(now())
  }
  let returned = now()
  try expect(begins.count, equals: node.rank == 0 ? 1 : 0, "calls on rank \(all.rank)")
  let begin = try all.allGather(begins.first ?? Int.max)
  let end = try all.allGather(ends.first ?? 0)
  try expect(begin.dropFirst().allSatisfy { $0 >= end[0] }, equals: true, "rank 0 comes first")
  try expect(end.allSatisfy { $0 <= returned }, equals: true, "all have done it")
}

/// It fails where it is not rank 0's turn any more.
func eachNodeFails(_ world: World) throws {
  try world.onEachNode(try halves(world)) {
    if world.communicator.rank > 0 { throw badData("line 7") }
  }
  print("not reached")
}
