internal import CMPI

// Every rank of the communicator makes the same calls in the same order. Buffers are borrowed for the time of a call;
// a send and a receive buffer must not overlap. P is the number of ranks, [n] the number of elements of a buffer.

extension Communicator {
  /// Returns once every rank has called it.
  /// The corresponding MPI function is `MPI_Barrier` (MPI 4.0 §6.3).
  public func barrier() throws(MPIError) {
    try check("MPI_Barrier", MPI_Barrier(handle.handle))
  }

  /// Copies the root's `buffer` [n] into that of every other rank; n is the same on all ranks.
  /// The corresponding MPI function is `MPI_Bcast` (MPI 4.0 §6.4).
  public func broadcast<E: Scalar>(_ buffer: UnsafeMutableBufferPointer<E>, root: Int) throws(MPIError) {
    let call = "MPI_Bcast"
    let n = try int32Count(buffer.count, call)
    let root = try int32Rank(root, call)
    try check(call, MPI_Bcast(buffer.baseAddress, n, E.datatype.handle.handle, root, handle.handle))
  }

  // MARK: Reductions

  /// Replaces each element of `buffer` [n] by its reduction over the ranks; n is the same on all ranks.
  /// The corresponding MPI function is `MPI_Allreduce` (MPI 4.0 §6.9.6).
  public func allReduce<E: Scalar>(
    _ buffer: UnsafeMutableBufferPointer<E>, _ reduction: Operation<E>
  ) throws(MPIError) {
    let call = "MPI_Allreduce"
    let n = try int32Count(buffer.count, call)
    let (type, operation) = (E.datatype.handle.handle, reduction.handle.handle)
    try check(call, MPI_Allreduce(MPI_IN_PLACE, buffer.baseAddress, n, type, operation, handle.handle))
  }

  /// Reduces `send` [n] element by element over the ranks into `receive` [n]; n is the same on all ranks.
  /// The corresponding MPI function is `MPI_Allreduce` (MPI 4.0 §6.9.6).
  public func allReduce<E: Scalar>(
    _ send: UnsafeBufferPointer<E>, into receive: UnsafeMutableBufferPointer<E>, _ reduction: Operation<E>
  ) throws(MPIError) {
    let call = "MPI_Allreduce"
    let n = try int32Count(send.count, call)
    try expectCount("elements to receive", send.count, receive.count, call)
    try expectDisjoint(UnsafeRawBufferPointer(send), UnsafeMutableRawBufferPointer(receive), call)
    let (type, operation) = (E.datatype.handle.handle, reduction.handle.handle)
    try check(call, MPI_Allreduce(send.baseAddress, receive.baseAddress, n, type, operation, handle.handle))
  }

  /// Reduces `send` [Σ counts] element by element over the ranks and cuts the result in rank order: rank r receives
  /// `receive` [counts[r]]. `counts` [P] is the same on all ranks.
  /// The corresponding MPI function is `MPI_Reduce_scatter` (MPI 4.0 §6.10.2).
  public func reduceScatter<E: Scalar>(
    _ send: UnsafeBufferPointer<E>, counts: [Int], into receive: UnsafeMutableBufferPointer<E>,
    _ reduction: Operation<E>
  ) throws(MPIError) {
    let call = "MPI_Reduce_scatter"
    let parts = try scatterArguments(counts, send: send.count, receive: receive.count, call)
    try expectDisjoint(UnsafeRawBufferPointer(send), UnsafeMutableRawBufferPointer(receive), call)
    let (type, operation) = (E.datatype.handle.handle, reduction.handle.handle)
    let (from, to) = (send.baseAddress, receive.baseAddress)
    try check(call, MPI_Reduce_scatter(from, to, parts.counts, type, operation, handle.handle))
    withExtendedLifetime(parts) {}
  }

  // MARK: Gathers

  /// Every rank receives the contributions of all ranks, `send` [n] each, in rank order: `receive` [P·n].
  /// The corresponding MPI function is `MPI_Allgather` (MPI 4.0 §6.7).
  public func allGather<E: Scalar>(
    _ send: UnsafeBufferPointer<E>, into receive: UnsafeMutableBufferPointer<E>
  ) throws(MPIError) {
    let call = "MPI_Allgather"
    let n = try gatherCount(send: send.count, receive: receive.count, call)
    try expectDisjoint(UnsafeRawBufferPointer(send), UnsafeMutableRawBufferPointer(receive), call)
    let type = E.datatype.handle.handle
    try check(call, MPI_Allgather(send.baseAddress, n, type, receive.baseAddress, n, type, handle.handle))
  }

  /// Every rank receives the contributions of all ranks: `send` of rank r, [segments.counts[r]], goes to segment r of
  /// `receive`. The counts are the same on all ranks.
  /// The corresponding MPI function is `MPI_Allgatherv` (MPI 4.0 §6.7).
  public func allGatherV<E: Scalar>(
    _ send: UnsafeBufferPointer<E>, into receive: UnsafeMutableBufferPointer<E>, _ segments: Segments
  ) throws(MPIError) {
    let call = "MPI_Allgatherv"
    let parts = try segments.arguments(ranks: size, bufferCount: receive.count, call)
    try expectCount("elements to send", segments.counts[rank], send.count, call)
    try expectDisjoint(UnsafeRawBufferPointer(send), UnsafeMutableRawBufferPointer(receive), call)
    let type = E.datatype.handle.handle
    let (from, to, n) = (send.baseAddress, receive.baseAddress, parts.counts[rank])
    try check(call, MPI_Allgatherv(from, n, type, to, parts.counts, parts.displacements, type, handle.handle))
    withExtendedLifetime(parts) {}
  }

  /// All-gather in place: this rank's contribution lies in segment `rank` of `buffer` already.
  /// The corresponding MPI function is `MPI_Allgatherv` (MPI 4.0 §6.7).
  public func allGatherV<E: Scalar>(
    inPlace buffer: UnsafeMutableBufferPointer<E>, _ segments: Segments
  ) throws(MPIError) {
    let call = "MPI_Allgatherv"
    let parts = try segments.arguments(ranks: size, bufferCount: buffer.count, call)
    let (type, to) = (E.datatype.handle.handle, buffer.baseAddress)
    try check(
      call, MPI_Allgatherv(MPI_IN_PLACE, 0, type, to, parts.counts, parts.displacements, type, handle.handle))
    withExtendedLifetime(parts) {}
  }

  /// The root receives the contributions of all ranks, `send` [n] each, in rank order: `receive` [P·n]. The other ranks
  /// do not use `receive`.
  /// The corresponding MPI function is `MPI_Gather` (MPI 4.0 §6.5).
  public func gather<E: Scalar>(
    _ send: UnsafeBufferPointer<E>, into receive: UnsafeMutableBufferPointer<E>, root: Int
  ) throws(MPIError) {
    let call = "MPI_Gather"
    let n = try rootGatherCount(send: send.count, receive: receive.count, root: root, call)
    try expectDisjoint(UnsafeRawBufferPointer(send), UnsafeMutableRawBufferPointer(receive), call)
    let (type, root) = (E.datatype.handle.handle, try int32Rank(root, call))
    try check(call, MPI_Gather(send.baseAddress, n, type, receive.baseAddress, n, type, root, handle.handle))
  }

  /// The root receives the contributions of all ranks: `send` of rank r, [segments.counts[r]], goes to segment r of
  /// `receive`. The other ranks do not use `receive` and `segments`.
  /// The corresponding MPI function is `MPI_Gatherv` (MPI 4.0 §6.5).
  public func gatherV<E: Scalar>(
    _ send: UnsafeBufferPointer<E>, into receive: UnsafeMutableBufferPointer<E>, _ segments: Segments, root: Int
  ) throws(MPIError) {
    let call = "MPI_Gatherv"
    let n = try int32Count(send.count, call)
    let parts = try rootSegments(segments, send: send.count, receive: receive.count, root: root, call)
    try expectDisjoint(UnsafeRawBufferPointer(send), UnsafeMutableRawBufferPointer(receive), call)
    let (type, root) = (E.datatype.handle.handle, try int32Rank(root, call))
    let (from, to) = (send.baseAddress, receive.baseAddress)
    try check(
      call, MPI_Gatherv(from, n, type, to, parts?.counts, parts?.displacements, type, root, handle.handle))
    withExtendedLifetime(parts) {}
  }

  // MARK: Exchanges

  /// Part j of this rank's `send` becomes part `rank` of rank j's `receive`. Both are [P·n], P parts of n elements; n
  /// is the same on all ranks.
  /// The corresponding MPI function is `MPI_Alltoall` (MPI 4.0 §6.8).
  public func allToAll<E: Scalar>(
    _ send: UnsafeBufferPointer<E>, into receive: UnsafeMutableBufferPointer<E>
  ) throws(MPIError) {
    let call = "MPI_Alltoall"
    let n = try exchangeCount(send: send.count, receive: receive.count, call)
    try expectDisjoint(UnsafeRawBufferPointer(send), UnsafeMutableRawBufferPointer(receive), call)
    let type = E.datatype.handle.handle
    try check(call, MPI_Alltoall(send.baseAddress, n, type, receive.baseAddress, n, type, handle.handle))
  }

  /// Segment j of this rank's `send` goes to rank j; what rank j sends to this rank goes to segment j of `receive`. The
  /// count of the receiver equals the count of the sender, for every pair.
  /// The corresponding MPI function is `MPI_Alltoallv` (MPI 4.0 §6.8).
  public func allToAllV<E: Scalar>(
    _ send: UnsafeBufferPointer<E>, _ sent: Segments,
    into receive: UnsafeMutableBufferPointer<E>, _ received: Segments
  ) throws(MPIError) {
    let call = "MPI_Alltoallv"
    let out = try sent.arguments(ranks: size, bufferCount: send.count, call)
    let back = try received.arguments(ranks: size, bufferCount: receive.count, call)
    try expectDisjoint(UnsafeRawBufferPointer(send), UnsafeMutableRawBufferPointer(receive), call)
    let (type, from, to) = (E.datatype.handle.handle, send.baseAddress, receive.baseAddress)
    try check(
      call,
      MPI_Alltoallv(
        from, out.counts, out.displacements, type, to, back.counts, back.displacements, type, handle.handle))
    withExtendedLifetime((out, back)) {}
  }
}

// MARK: Checks that blocking and non-blocking forms share

extension Communicator {
  func scatterArguments(_ counts: [Int], send: Int, receive: Int, _ call: String) throws(MPIError) -> SegmentArguments {
    let segments = Segments(packed: counts)
    let parts = try segments.arguments(ranks: size, bufferCount: send, call)
    try expectCount("elements to send", counts.reduce(0, +), send, call)
    try expectCount("elements to receive", counts[rank], receive, call)
    return parts
  }

  func gatherCount(send: Int, receive: Int, _ call: String) throws(MPIError) -> Int32 {
    let part = try equalPart(of: receive, call)
    try expectCount("elements to send", part, send, call)
    return try int32Count(send, call)
  }

  func rootGatherCount(send: Int, receive: Int, root: Int, _ call: String) throws(MPIError) -> Int32 {
    rank == root ? try gatherCount(send: send, receive: receive, call) : try int32Count(send, call)
  }

  func rootSegments(
    _ segments: Segments, send: Int, receive: Int, root: Int, _ call: String
  ) throws(MPIError) -> SegmentArguments? {
    if rank != root { return nil }
    let parts = try segments.arguments(ranks: size, bufferCount: receive, call)
    try expectCount("elements to send", segments.counts[rank], send, call)
    return parts
  }

  func exchangeCount(send: Int, receive: Int, _ call: String) throws(MPIError) -> Int32 {
    try expectCount("elements to receive", send, receive, call)
    return try int32Count(try equalPart(of: send, call), call)
  }
}
