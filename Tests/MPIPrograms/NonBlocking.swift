import MPI

func nonBlockingMessages(_ world: World) throws {
  let all = world.communicator
  let (next, previous) = ((all.rank + 1) % all.size, (all.rank + all.size - 1) % all.size)
  let receive = try all.startReceive(OwnedBuffer<Float>(count: 40_000, repeating: 0), from: previous, tag: 1)
  let send = try all.startSend(OwnedBuffer<Float>(contribution(all.rank, 40_000)), to: next, tag: 1)
  try expect(try receive.wait().array(), equals: contribution(previous, 40_000), "received round the ring")
  try expect(try send.wait().array(), equals: contribution(all.rank, 40_000), "the sent buffer comes back")

  // Nobody passes the barrier before rank 0 has entered it, and `test` finishes it.
  var barrier = try all.startBarrier()
  while try !barrier.test() {}
  try expect(try barrier.test(), equals: true, "a second test of a complete request")
  try barrier.wait()
}

func nonBlockingReductions(_ world: World) throws {
  let all = world.communicator
  let ranks = 0..<all.size
  let sums = (0..<300).map { i in ranks.reduce(0) { $0 + element($1, i) as Double } }
  let reduce = try all.startAllReduce(OwnedBuffer<Double>(contribution(all.rank, 300)), .sum)
  // Two operations are under way at the same time.
  let last = all.size - 1
  let broadcast = try all.startBroadcast(OwnedBuffer<Int>(contribution(all.rank, 3)), root: last)
  try expect(try reduce.wait().array(), equals: sums, "sum")
  try expect(try broadcast.wait().array(), equals: contribution(last, 3), "broadcast")

  let counts = ranks.map { $0 }
  let total = counts.reduce(0, +)
  let exchange = Exchange(
    sending: OwnedBuffer<Double>(contribution(all.rank, total)),
    receiving: OwnedBuffer<Double>(count: all.rank, repeating: 99))
  let start = counts[..<all.rank].reduce(0, +)
  let done = try all.startReduceScatter(exchange, counts: counts, .sum).wait()
  try expect(done.received.array(), equals: Array(sums[start..<(start + all.rank)]), "slice of the sum")
  try expect(done.sent.array(), equals: contribution(all.rank, total), "the sent buffer comes back")
}

func nonBlockingGathers(_ world: World) throws {
  let all = world.communicator
  let (ranks, last) = (0..<all.size, all.size - 1)
  let equal: [Double] = ranks.flatMap { contribution($0, 3) }
  func exchange(_ own: Int, _ received: Int) -> Exchange<Double> {
    Exchange(
      sending: OwnedBuffer(contribution(all.rank, own)), receiving: OwnedBuffer(count: received, repeating: 99))
  }
  let gathered = try all.startAllGather(exchange(3, 3 * all.size)).wait()
  try expect(gathered.received.array(), equals: equal, "all-gather")
  let rootCount = all.rank == last ? 3 * all.size : 0
  let onRoot = try all.startGather(exchange(3, rootCount), root: last).wait()
  try expect(onRoot.received.array(), equals: all.rank == last ? equal : [], "gather")

  let (segments, truth) = (gappedSegments(all.size), gappedTruth(all.size))
  let gatheredV = try all.startAllGatherV(exchange(2 * all.rank, truth.count), segments).wait()
  try expect(gatheredV.received.array(), equals: truth, "all-gather-v")
  let rootTruth = all.rank == 0 ? truth : []
  let onRootV = try all.startGatherV(exchange(2 * all.rank, rootTruth.count), segments, root: 0).wait()
  try expect(onRootV.received.array(), equals: rootTruth, "gather-v")

  var buffer = OwnedBuffer<Double>(count: truth.count, repeating: 99)
  for i in 0..<(2 * all.rank) { buffer[segments.displacements[all.rank] + i] = element(all.rank, i) }
  try expect(try all.startAllGatherV(buffer, segments).wait().array(), equals: truth, "all-gather-v in place")
}

func nonBlockingExchanges(_ world: World) throws {
  let all = world.communicator
  let own = Exchange(
    sending: OwnedBuffer<Int64>(contribution(all.rank, 2 * all.size)),
    receiving: OwnedBuffer<Int64>(count: 2 * all.size, repeating: 99))
  let got = try all.startAllToAll(own).wait()
  let truth: [Int64] = (0..<all.size).flatMap { contribution($0, 2, from: 2 * all.rank) }
  try expect(got.received.array(), equals: truth, "all-to-all")

  let plan = ExchangePlan(all)
  let uneven = Exchange(
    sending: OwnedBuffer(plan.sending), receiving: OwnedBuffer<Int32>(count: plan.truth.count, repeating: 99))
  let done = try all.startAllToAllV(uneven, sent: plan.sent, received: plan.received).wait()
  try expect(done.received.array(), equals: plan.truth, "all-to-all-v")
}

func requestQueue(_ world: World) throws {
  let all = world.communicator
  var queue = RequestQueue<OwnedBuffer<Float>>(capacity: 2)
  try expect(try queue.testFirst(), equals: false, "the oldest of an empty queue")
  var flat = OwnedBuffer<Float>(contribution(all.rank, 1000))
  // The ring wraps round and grows: nine buckets, of which two leave early.
  var done = OwnedBuffer<Float>(count: 0, repeating: 0)
  for bucket in 0..<9 {
    queue.append(try all.startAllReduce(flat.splitFirst(100), .sum))
    if bucket == 1 { done = try queue.waitForFirst() }
    if bucket == 2 { done.rejoin(try queue.waitForFirst()) }
  }
  while try !queue.testFirst(3) {}
  while try !queue.test() {}
  try expect(try queue.testFirst(), equals: true, "the oldest of a complete queue")
  while !queue.isEmpty { done.rejoin(try queue.waitForFirst()) }
  done.rejoin(flat)
  let sums = (0..<1000).map { i in
    i < 900 ? (0..<all.size).reduce(0) { $0 + element($1, i) as Float } : element(all.rank, i)
  }
  try expect(done.array(), equals: sums, "buckets of the sum")
}
