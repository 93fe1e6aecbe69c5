import MPI

func reductions(_ world: World) throws {
  let all = world.communicator
  try reductions(all, of: Float.self)
  try reductions(all, of: Double.self)
  try reductions(all, of: Int32.self)
  try reductions(all, of: Int64.self)
  try reductions(all, of: Int.self)
  try reductions(all, of: UInt8.self)
  try reductions(all, of: UInt16.self)
  try reductions(all, of: UInt32.self)
  try reductions(all, of: UInt64.self)
  // Rank r has 12 with bit r cleared or, for the OR, bit r alone; logical values are 0 on the last rank only.
  let bits = UInt32(1) << UInt32(all.rank)
  let used = (UInt32(1) << UInt32(all.size)) - 1
  try expect(try all.allReduce(~bits, .bitwiseAnd), equals: ~used, "bitwise and")
  try expect(try all.allReduce(bits, .bitwiseOr), equals: used, "bitwise or")
  let isNotLast: Int32 = all.rank < all.size - 1 ? 5 : 0
  try expect(try all.allReduce(isNotLast, .logicalAnd), equals: 0, "logical and")
  try expect(try all.allReduce(isNotLast, .logicalOr), equals: all.size > 1 ? 1 : 0, "logical or")
  try all.barrier()
}

private func reductions<E: Scalar & Numeric & Comparable>(_ all: Communicator, of type: E.Type) throws {
  let own: [E] = contribution(all.rank, 7)
  let ranks = 0..<all.size
  let sums = (0..<7).map { i in ranks.reduce(E.zero) { $0 + element($1, i) } }
  let got = try filled(7, sending: own) { send, receive in try all.allReduce(send, into: receive, .sum) }
  try expect(got, equals: sums, "sum of \(type)")
  var inPlace = own
  try inPlace.withUnsafeMutableBufferPointer { try all.allReduce($0, .maximum) }
  try expect(inPlace, equals: contribution(all.size - 1, 7), "maximum of \(type)")
  try expect(try all.allReduce(own[3], .minimum), equals: element(0, 3), "minimum of \(type)")
  let small = E(exactly: all.rank + 1)!
  try expect(try all.allReduce(small, .product), equals: E(exactly: (1...all.size).reduce(1, *))!, "product of \(type)")

  // Uneven slices; rank 0 gets nothing.
  let counts = ranks.map { $0 }
  let whole: [E] = contribution(all.rank, counts.reduce(0, +))
  let slice = try filled(counts[all.rank], sending: whole) { send, receive in
    try all.reduceScatter(send, counts: counts, into: receive, .sum)
  }
  let start = counts[..<all.rank].reduce(0, +)
  let truth = (start..<(start + counts[all.rank])).map { i in ranks.reduce(E.zero) { $0 + element($1, i) } }
  try expect(slice, equals: truth, "slice of the sum of \(type)")

  for root in ranks {
    var buffer: [E] = contribution(all.rank, 4)
    try buffer.withUnsafeMutableBufferPointer { try all.broadcast($0, root: root) }
    try expect(buffer, equals: contribution(root, 4), "broadcast of \(type) from \(root)")
  }
}

/// Rank r contributes 2r elements, which come to lie with a gap of one element between ranks.
func gappedSegments(_ size: Int) -> Segments {
  let counts = (0..<size).map { 2 * $0 }
  return Segments(counts: counts, displacements: (0..<size).map { r in counts[..<r].reduce(0, +) + r })
}

/// What lies in a buffer of the gapped segments after a gather into a buffer of 99s.
func gappedTruth(_ size: Int) -> [Double] {
  (0..<size).flatMap { r in contribution(r, 2 * r) + [99.0] }
}

func gathers(_ world: World) throws {
  let all = world.communicator
  let (ranks, last) = (0..<all.size, all.size - 1)
  let equal: [Double] = ranks.flatMap { contribution($0, 3) }
  let own: [Double] = contribution(all.rank, 3)
  let gathered = try filled(3 * all.size, sending: own) { try all.allGather($0, into: $1) }
  try expect(gathered, equals: equal, "all-gather")
  let onRoot = try filled(3 * all.size, sending: own) { try all.gather($0, into: $1, root: last) }
  let untouched = [Double](repeating: 99, count: 3 * all.size)
  try expect(onRoot, equals: all.rank == last ? equal : untouched, "gather")

  let (segments, truth) = (gappedSegments(all.size), gappedTruth(all.size))
  let uneven: [Double] = contribution(all.rank, 2 * all.rank)
  let gatheredV = try filled(truth.count, sending: uneven) { try all.allGatherV($0, into: $1, segments) }
  try expect(gatheredV, equals: truth, "all-gather-v")
  let start = segments.displacements[all.rank]
  var inPlace = [Double](repeating: 99, count: truth.count)
  inPlace.replaceSubrange(start..<(start + uneven.count), with: uneven)
  try inPlace.withUnsafeMutableBufferPointer { try all.allGatherV(inPlace: $0, segments) }
  try expect(inPlace, equals: truth, "all-gather-v in place")
  let onRootV = try filled(all.rank == 0 ? truth.count : 0, sending: uneven) {
    try all.gatherV($0, into: $1, segments, root: 0)
  }
  try expect(onRootV, equals: all.rank == 0 ? truth : [], "gather-v")
}

/// Rank i sends (i + 2j) mod 3 elements to rank j: uneven, with zeros. They are elements 5j... of its contribution.
func exchangeCount(_ from: Int, _ to: Int) -> Int { (from + 2 * to) % 3 }

/// What the exchange sends, what it receives, and how both are cut.
struct ExchangePlan {
  let sent: Segments, received: Segments
  let sending: [Int32], truth: [Int32]

  init(_ all: Communicator) {
    let (ranks, rank) = (0..<all.size, all.rank)
    sent = Segments(packed: ranks.map { exchangeCount(rank, $0) })
    received = Segments(packed: ranks.map { exchangeCount($0, rank) })
    sending = ranks.flatMap { contribution(rank, exchangeCount(rank, $0), from: 5 * $0) }
    truth = ranks.flatMap { contribution($0, exchangeCount($0, rank), from: 5 * rank) }
  }
}

func exchanges(_ world: World) throws {
  let all = world.communicator
  let ranks = 0..<all.size
  let own: [Int64] = contribution(all.rank, 2 * all.size)
  let got = try filled(2 * all.size, sending: own) { try all.allToAll($0, into: $1) }
  try expect(got, equals: ranks.flatMap { contribution($0, 2, from: 2 * all.rank) }, "all-to-all")

  let plan = ExchangePlan(all)
  let uneven = try filled(plan.truth.count, sending: plan.sending) {
    try all.allToAllV($0, plan.sent, into: $1, plan.received)
  }
  try expect(uneven, equals: plan.truth, "all-to-all-v")
}
