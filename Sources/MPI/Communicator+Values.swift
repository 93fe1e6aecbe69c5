// Single values and short arrays. Collective, as the calls on buffers are.

extension Communicator {
  /// The reduction of one value of each rank, on every rank.
  /// The corresponding MPI function is `MPI_Allreduce` (MPI 4.0 §6.9.6).
  public func allReduce<E: Scalar>(_ value: E, _ reduction: Operation<E>) throws(MPIError) -> E {
    var result = [value]
    try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in try allReduce(buffer, reduction) }
    return result[0]
  }

  /// The root's value; what the other ranks pass is ignored.
  /// The corresponding MPI function is `MPI_Bcast` (MPI 4.0 §6.4).
  public func broadcast<E: Scalar>(_ value: E, root: Int) throws(MPIError) -> E {
    var result = [value]
    try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in try broadcast(buffer, root: root) }
    return result[0]
  }

  /// The root's array, of any length up to `Int32.max`; what the other ranks pass is ignored. Two broadcasts: the
  /// length, the elements.
  /// The corresponding MPI function is `MPI_Bcast` (MPI 4.0 §6.4).
  public func broadcast<E: Scalar>(_ array: [E], root: Int) throws(MPIError) -> [E] {
    let length = try broadcast(array.count, root: root)
    // Every rank refuses the same length, so that none is left waiting for the elements.
    _ = try int32Count(length, "MPI_Bcast")
    var result = rank == root ? array : [E](repeating: E(), count: length)
    try result.withUnsafeMutableBufferPointer { (buffer) throws(MPIError) in try broadcast(buffer, root: root) }
    return result
  }

  /// One value of each rank, in rank order, on every rank.
  /// The corresponding MPI function is `MPI_Allgather` (MPI 4.0 §6.7).
  public func allGather<E: Scalar>(_ value: E) throws(MPIError) -> [E] {
    var result = [E](repeating: value, count: size)
    try [value].withUnsafeBufferPointer { (send) throws(MPIError) in
      try result.withUnsafeMutableBufferPointer { (receive) throws(MPIError) in try allGather(send, into: receive) }
    }
    return result
  }

  /// The arrays of all ranks in rank order, together at most `Int32.max` elements, on the root; nil on the other ranks.
  /// Two calls: the lengths, the elements.
  /// The corresponding MPI functions are `MPI_Allgather` (MPI 4.0 §6.7) and `MPI_Gatherv` (§6.5).
  public func gather<E: Scalar>(_ array: [E], root: Int) throws(MPIError) -> [[E]]? {
    let segments = Segments(packed: try allGather(array.count))
    // As above: a total that does not fit is refused by every rank.
    let total = segments.counts.reduce(0, +)
    _ = try int32Count(total, "MPI_Gatherv")
    var result = [E](repeating: E(), count: rank == root ? total : 0)
    try array.withUnsafeBufferPointer { (send) throws(MPIError) in
      try result.withUnsafeMutableBufferPointer { (receive) throws(MPIError) in
        try gatherV(send, into: receive, segments, root: root)
      }
    }
    guard rank == root else { return nil }
    return zip(segments.displacements, segments.counts).map { Array(result[$0..<($0 + $1)]) }
  }
}
