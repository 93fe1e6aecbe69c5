import MPI

/// Every rank writes its own segment, of a size of its own; after the barrier all read all of them, round after round.
func sharedWindow(_ world: World) throws {
  let node = try world.communicator.splitBySharedMemory(key: world.communicator.rank)
  let window = try SharedWindow(byteCount: (node.rank + 1) * 5000, on: node)
  func numbers(_ rank: Int) -> UnsafeMutableBufferPointer<Int> {
    let memory = window.segment(ofRank: rank)
    return UnsafeMutableBufferPointer(start: memory.assumingMemoryBound(to: Int.self), count: (rank + 1) * 625)
  }
  for rank in 0..<node.size {
    let address = UInt(bitPattern: window.segment(ofRank: rank))
    try expect(address % 4096, equals: 0, "alignment")
  }
  try expect(numbers(node.rank).reduce(0, |), equals: 0, "zeros at first")
  try window.barrier()
  for round in 1...20 {
    for place in numbers(node.rank).indices { numbers(node.rank)[place] = round * 1_000_000 + node.rank * 1000 + place }
    try window.barrier()
    for rank in 0..<node.size {
      let truth = numbers(rank).indices.map { round * 1_000_000 + rank * 1000 + $0 }
      try expect(Array(numbers(rank)), equals: truth, "round \(round), rank \(rank)")
    }
    try window.barrier()
  }
}
