import Foundation
import MPI

func environment(_ world: World) throws {
  try expect(world.threadLevel >= .serialized, equals: true, "thread level at least serialized")
  try expect(ProcessInfo.processInfo.environment["OMPI_MCA_mpi_yield_when_idle"], equals: "1", "yield_when_idle")
  let before = World.wallTimeSeconds()
  usleep(20_000)
  try expect(World.wallTimeSeconds() - before >= 0.02, equals: true, "20 ms of sleep on MPI's clock")
}

func communicators(_ world: World) throws {
  let all = world.communicator
  // A message on a duplicate does not meet one on the original.
  let copy = try all.duplicate()
  try expect([copy.rank, copy.size], equals: [all.rank, all.size], "rank and size of the duplicate")
  let send = try copy.startSend(OwnedBuffer<Int32>([1]), to: all.rank)
  while try copy.probeNow(from: all.rank) == nil {}
  try expect(try all.probeNow(from: nil, tag: nil), equals: nil, "no message on the original")
  let received = try copy.startReceive(OwnedBuffer<Int32>([0]), from: all.rank).wait()
  try expect(received.array(), equals: [1], "the message on the duplicate")
  _ = try send.wait()
  try copy.free()

  // Colours are rank mod 2, keys reverse the order.
  guard let half = try all.split(color: all.rank % 2, key: -all.rank) else {
    throw Difference(description: "no communicator for a colour")
  }
  let peers = (0..<all.size).filter { $0 % 2 == all.rank % 2 }.reversed()
  try expect(half.size, equals: peers.count, "size of a half")
  try expect(try half.allGather(all.rank), equals: Array(peers), "members of a half")
  try half.free()

  // The last rank joins none.
  let most = try all.split(color: all.rank == all.size - 1 ? nil : 3, key: 0)
  try expect(most?.size, equals: all.rank == all.size - 1 ? nil : all.size - 1, "size without the last rank")

  // All ranks of these tests run on one node.
  let node = try all.splitBySharedMemory(key: all.rank)
  try expect(try node.allGather(all.rank), equals: Array(0..<all.size), "members of the node")
}

func values(_ world: World) throws {
  let all = world.communicator
  let last = all.size - 1
  try expect(try all.broadcast(Double(all.rank) + 0.5, root: last), equals: Double(last) + 0.5, "value of the last")
  let text = Array("ranks: \(all.rank)".utf8)
  try expect(try all.broadcast(text, root: 0), equals: Array("ranks: 0".utf8), "text of rank 0")
  try expect(try all.broadcast(all.rank == 0 ? [Int]() : [7], root: 0), equals: [], "empty array of rank 0")
  try expect(try all.allGather(UInt8(all.rank)), equals: (0..<all.size).map { UInt8($0) }, "gathered values")
  let gathered = try all.gather([Float](repeating: Float(all.rank), count: 2 * all.rank), root: last)
  let truth = (0..<all.size).map { [Float](repeating: Float($0), count: 2 * $0) }
  try expect(gathered, equals: all.rank == last ? truth : nil, "gathered arrays")
}

func messages(_ world: World) throws {
  let all = world.communicator
  let (next, previous) = ((all.rank + 1) % all.size, (all.rank + all.size - 1) % all.size)
  // Round the ring, each with a length of its own.
  let ring: [Int32] = try filled(5 + previous, sending: contribution(all.rank, 5 + all.rank)) { send, receive in
    let message = try all.sendReceive(send, to: next, receiving: receive, from: previous, tag: 3)
    try expect([message.source, message.tag], equals: [previous, 3], "source and tag")
    try expect(message.byteCount, equals: 4 * (5 + previous), "bytes from the previous rank")
  }
  try expect(ring, equals: contribution(previous, 5 + previous), "message of the previous rank")

  // Rank 0 asks for lengths before it receives.
  if all.rank == 0 {
    for source in 1..<max(all.size, 1) {
      let length = try all.probe(from: source, tag: nil).byteCount / 8
      let got: [Double] = try filled(length) { _, receive in try all.receive(receive, from: source, tag: source) }
      try expect(got, equals: contribution(source, source), "message of rank \(source)")
    }
  } else {
    let own: [Double] = contribution(all.rank, all.rank)
    try own.withUnsafeBufferPointer { try all.send($0, to: 0, tag: all.rank) }
  }
  try all.barrier()
  try expect(try all.probeNow(from: nil, tag: nil), equals: nil, "no message left")
  let request = try all.startSend(OwnedBuffer([UInt64(all.rank)]), to: all.rank, tag: 5)
  while try all.probeNow(from: all.rank, tag: 5) == nil {}
  let own: [UInt64] = try filled(3) { _, receive in try all.receive(receive, from: nil, tag: nil) }
  _ = try request.wait()
  try expect(own, equals: [UInt64(all.rank), 99, 99], "a message shorter than the buffer")
}

func ownedBuffers(_ world: World) throws {
  let all = world.communicator
  var flat = OwnedBuffer<Float>([0, 1, 2, 3, 4, 5, 6])
  var first = flat.splitFirst(3)
  let middle = flat.splitFirst(0)
  try expect([first.count, middle.count, flat.count], equals: [3, 0, 4], "lengths of the parts")
  // One part is under way while the other one is written.
  let request = try all.startAllReduce(first, .sum)
  flat[0] = 30
  first = try request.wait()
  first.rejoin(middle)
  first.rejoin(flat)
  let size = Float(all.size)
  try expect(first.array(), equals: [0, size, 2 * size, 30, 4, 5, 6], "rejoined parts")
  try expect(
    first.withElements { UInt(bitPattern: $0.baseAddress) % 64 }, equals: 0, "alignment of an allocation")
  try expect(OwnedBuffer<Double>(count: 0, repeating: 1).array(), equals: [], "an empty buffer")
}
