import Foundation
import MPI

/// An error as a program has it: words, a hint, an exit code.
func badData(_ what: String) -> Failure {
  Failure("\(what) — expected numbers, got text (corpus.txt)", hint: "look at it", exitCode: 65)
}

/// Whatever is wrong with the arguments is an error with the name of the call, never a trap.
func refusals(_ world: World) throws {
  let all = world.communicator
  let small: [Float] = [1, 2, 3]
  // Nothing reads this memory: the count is refused first. UInt8 so that the whole address range is plausible.
  let huge = UnsafeMutableBufferPointer(
    start: UnsafeMutablePointer<UInt8>.allocate(capacity: 1), count: Int(Int32.max) + 1)
  try expectError("MPI_Bcast was not called: count of elements — expected 0...2147483647, got 2147483648") {
    try all.broadcast(huge, root: 0)
  }
  try expectError("MPI_Iallreduce") {
    let buffer = OwnedBuffer(unsafe: huge, owner: NSObject())
    _ = try all.startAllReduce(buffer, .sum).wait()
  }
  try expectError("MPI_Bcast was not called: rank — expected 0..<\(all.size), got -1") {
    _ = try all.broadcast(1, root: -1)
  }
  try small.withUnsafeBufferPointer { send in
    try expectError("MPI_Send was not called: tag") { try all.send(send, to: 0, tag: -7) }
    try expectError("got an overlap") {
      try all.allReduce(send, into: UnsafeMutableBufferPointer(mutating: send), .sum)
    }
    try expectError("elements to receive — expected 3, got 0") {
      try all.allReduce(send, into: UnsafeMutableBufferPointer(start: nil, count: 0), .sum)
    }
  }
  for counts in [[-1], [2], [Int.max]] {
    let segments = Segments(
      counts: [Int](repeating: counts[0], count: all.size), displacements: [Int](repeating: 1, count: all.size))
    try expectError("MPI_Allgatherv was not called: segment") {
      _ = try filled(2, sending: small) { _, receive in try all.allGatherV(inPlace: receive, segments) }
    }
  }
  try expectError("number of counts — expected \(all.size), got \(all.size + 1)") {
    _ = try all.startReduceScatter(
      Exchange(sending: OwnedBuffer(small), receiving: OwnedBuffer(small)),
      counts: [Int](repeating: 0, count: all.size + 1), .sum
    ).wait()
  }
}

/// The library's own errors come back with their text. Rank 0 receives into too short a buffer.
func libraryError(_ world: World) throws {
  let all = world.communicator
  let send = try all.startSend(OwnedBuffer<Int32>([1, 2, 3]), to: all.rank)
  try expectError("MPI_Recv failed: MPI_ERR_TRUNCATE") {
    _ = try filled(1) { (_, receive: UnsafeMutableBufferPointer<Int32>) in
      try all.receive(receive, from: all.rank)
    }
  }
  _ = try send.wait()
}

/// The last rank throws while the others wait in a collective.
func throwOnLast(_ world: World) throws {
  if world.communicator.rank == world.communicator.size - 1 { throw badData("line 7") }
  try world.communicator.barrier()
}

/// Every rank throws on its own at the same point, without `agree`.
func throwOnAll(_ world: World) throws { throw badData("line 7") }

/// Every rank finds the same mistake in `agree`.
func agreeAll(_ world: World) throws { world.agree { throw badData("line 7") } }

/// Only the last rank finds one. A SIGTERM handler, as the trainer has one, must not keep the others alive.
func agreeOne(_ world: World) throws {
  signal(SIGTERM) { _ in }
  let isLast = world.communicator.rank == world.communicator.size - 1
  try expect(world.agree { 7 }, equals: 7, "the result of an agreed success")
  world.agree { if isLast { throw badData("line 7") } }
  print("not reached")
}

/// An error while a request is live: the holder ends the job on the spot.
func failWithLiveRequest(_ world: World) throws {
  let all = world.communicator
  let receive = try all.startReceive(OwnedBuffer<Float>(count: 3, repeating: 0), from: 0, tag: 9)
  if all.rank == 0 { world.fail(badData("line 7")) }
  _ = try receive.wait()
}

/// A request that leaves its scope before `wait()`.
func dropRequest(_ world: World) throws {
  _ = try world.communicator.startReceive(OwnedBuffer<Float>(count: 3, repeating: 0), from: 0, tag: 9)
  print("not reached")
}

func dropQueue(_ world: World) throws {
  do {
    var queue = RequestQueue<Void>()
    queue.append(try world.communicator.startBarrier())
  }
  print("not reached")
}

/// A non-blocking receive that gets less than its buffer holds.
func shortMessage(_ world: World) throws {
  let all = world.communicator
  let send = try all.startSend(OwnedBuffer<Int32>([1, 2]), to: all.rank)
  let receive = try all.startReceive(OwnedBuffer<Int32>([9, 9, 9]), from: all.rank)
  var caught: MPIError?
  do { _ = try receive.wait() } catch { caught = error }
  try expect(caught?.text, equals: "bytes of the message — expected 12, got 8", "the error from wait()")
  _ = try send.wait()

  // The same error from `test`, and again from `wait`.
  let sendAgain = try all.startSend(OwnedBuffer<Int32>([1, 2]), to: all.rank)
  var receiveAgain = try all.startReceive(OwnedBuffer<Int32>([9, 9, 9]), from: all.rank)
  caught = nil
  do { while try !receiveAgain.test() {} } catch { caught = error }
  try expect(caught?.call, equals: "MPI_Irecv", "the call in the error from test()")
  let first = caught
  do { _ = try receiveAgain.wait() } catch { caught = error }
  try expect(caught, equals: first, "the error again from wait()")
  _ = try sendAgain.wait()
}
