internal import CMPI

// The non-blocking collectives (MPI 4.0 §6.12). Each takes ownership of its memory, which `wait()` gives back; shapes
// and meaning are those of the blocking call. All ranks start them in the same order. If a call throws, nothing has
// been started and the memory is released.

extension Communicator {
  /// Complete once every rank has started it.
  /// The corresponding MPI function is `MPI_Ibarrier` (MPI 4.0 §6.12.1).
  public func startBarrier() throws(MPIError) -> Request<Void> {
    try Request("MPI_Ibarrier", ()) { (_, request) in MPI_Ibarrier(handle.handle, &request.handle) }
  }

  /// `buffer` [n] becomes the root's; n is the same on all ranks.
  /// The corresponding MPI function is `MPI_Ibcast` (MPI 4.0 §6.12.2).
  public func startBroadcast<E: Scalar>(
    _ buffer: consuming OwnedBuffer<E>, root: Int
  ) throws(MPIError) -> Request<OwnedBuffer<E>> {
    let call = "MPI_Ibcast"
    let (n, root) = (try int32Count(buffer.count, call), try int32Rank(root, call))
    return try Request(call, buffer) { (buffer, request) in
      MPI_Ibcast(
        buffer.mutableBytes.baseAddress, n, E.datatype.handle.handle, root, handle.handle, &request.handle)
    }
  }

  // MARK: Reductions

  /// Replaces each element of `buffer` [n] by its reduction over the ranks; n is the same on all ranks.
  /// The corresponding MPI function is `MPI_Iallreduce` (MPI 4.0 §6.12.8).
  public func startAllReduce<E: Scalar>(
    _ buffer: consuming OwnedBuffer<E>, _ reduction: Operation<E>
  ) throws(MPIError) -> Request<OwnedBuffer<E>> {
    let call = "MPI_Iallreduce"
    let n = try int32Count(buffer.count, call)
    return try Request(call, buffer) { (buffer, request) in
      let (to, type, operation) = (buffer.mutableBytes.baseAddress, E.datatype.handle.handle, reduction.handle.handle)
      return MPI_Iallreduce(MPI_IN_PLACE, to, n, type, operation, handle.handle, &request.handle)
    }
  }

  /// `sent` [Σ counts], `received` [counts[rank]]; `counts` [P] is the same on all ranks.
  /// The corresponding MPI function is `MPI_Ireduce_scatter` (MPI 4.0 §6.12.10).
  public func startReduceScatter<E: Scalar>(
    _ exchange: consuming Exchange<E>, counts: [Int], _ reduction: Operation<E>
  ) throws(MPIError) -> Request<Exchange<E>> {
    let call = "MPI_Ireduce_scatter"
    let parts = try scatterArguments(counts, send: exchange.sent.count, receive: exchange.received.count, call)
    return try Request(call, exchange, arguments: [parts]) { (exchange, request) in
      let (type, operation) = (E.datatype.handle.handle, reduction.handle.handle)
      return MPI_Ireduce_scatter(
        exchange.from, exchange.to, parts.counts, type, operation, handle.handle, &request.handle)
    }
  }

  // MARK: Gathers

  /// `sent` [n], `received` [P·n] in rank order; n is the same on all ranks.
  /// The corresponding MPI function is `MPI_Iallgather` (MPI 4.0 §6.12.5).
  public func startAllGather<E: Scalar>(
    _ exchange: consuming Exchange<E>
  ) throws(MPIError) -> Request<Exchange<E>> {
    let call = "MPI_Iallgather"
    let n = try gatherCount(send: exchange.sent.count, receive: exchange.received.count, call)
    return try Request(call, exchange) { (exchange, request) in
      let type = E.datatype.handle.handle
      return MPI_Iallgather(exchange.from, n, type, exchange.to, n, type, handle.handle, &request.handle)
    }
  }

  /// In place: this rank's contribution lies in segment `rank` of `buffer` already.
  /// The corresponding MPI function is `MPI_Iallgatherv` (MPI 4.0 §6.12.5).
  public func startAllGatherV<E: Scalar>(
    _ buffer: consuming OwnedBuffer<E>, _ segments: Segments
  ) throws(MPIError) -> Request<OwnedBuffer<E>> {
    let call = "MPI_Iallgatherv"
    let parts = try segments.arguments(ranks: size, bufferCount: buffer.count, call)
    return try Request(call, buffer, arguments: [parts]) { (buffer, request) in
      let (to, type) = (buffer.mutableBytes.baseAddress, E.datatype.handle.handle)
      return MPI_Iallgatherv(
        MPI_IN_PLACE, 0, type, to, parts.counts, parts.displacements, type, handle.handle, &request.handle)
    }
  }

  /// `sent` [segments.counts[rank]]; the contribution of rank r goes to segment r of `received`.
  /// The corresponding MPI function is `MPI_Iallgatherv` (MPI 4.0 §6.12.5).
  public func startAllGatherV<E: Scalar>(
    _ exchange: consuming Exchange<E>, _ segments: Segments
  ) throws(MPIError) -> Request<Exchange<E>> {
    let call = "MPI_Iallgatherv"
    let parts = try segments.arguments(ranks: size, bufferCount: exchange.received.count, call)
    try expectCount("elements to send", segments.counts[rank], exchange.sent.count, call)
    return try Request(call, exchange, arguments: [parts]) { (exchange, request) in
      let (type, n) = (E.datatype.handle.handle, parts.counts[rank])
      return MPI_Iallgatherv(
        exchange.from, n, type, exchange.to, parts.counts, parts.displacements, type, handle.handle, &request.handle)
    }
  }

  /// `sent` [n], at the root `received` [P·n] in rank order. The other ranks pass an empty `received`.
  /// The corresponding MPI function is `MPI_Igather` (MPI 4.0 §6.12.3).
  public func startGather<E: Scalar>(
    _ exchange: consuming Exchange<E>, root: Int
  ) throws(MPIError) -> Request<Exchange<E>> {
    let call = "MPI_Igather"
    let n = try rootGatherCount(
      send: exchange.sent.count, receive: exchange.received.count, root: root, call)
    let root = try int32Rank(root, call)
    return try Request(call, exchange) { (exchange, request) in
      let type = E.datatype.handle.handle
      return MPI_Igather(exchange.from, n, type, exchange.to, n, type, root, handle.handle, &request.handle)
    }
  }

  /// The contribution of rank r, `sent` [segments.counts[r]], goes to segment r of the root's `received`. The other
  /// ranks pass an empty `received`; their `segments` are not used.
  /// The corresponding MPI function is `MPI_Igatherv` (MPI 4.0 §6.12.3).
  public func startGatherV<E: Scalar>(
    _ exchange: consuming Exchange<E>, _ segments: Segments, root: Int
  ) throws(MPIError) -> Request<Exchange<E>> {
    let call = "MPI_Igatherv"
    let n = try int32Count(exchange.sent.count, call)
    let parts = try rootSegments(
      segments, send: exchange.sent.count, receive: exchange.received.count, root: root, call)
    let root = try int32Rank(root, call)
    return try Request(call, exchange, arguments: parts.map { [$0] } ?? []) { (exchange, request) in
      let type = E.datatype.handle.handle
      return MPI_Igatherv(
        exchange.from, n, type, exchange.to, parts?.counts, parts?.displacements, type, root, handle.handle,
        &request.handle)
    }
  }

  // MARK: Exchanges

  /// `sent` and `received` [P·n], P parts of n elements; n is the same on all ranks.
  /// The corresponding MPI function is `MPI_Ialltoall` (MPI 4.0 §6.12.6).
  public func startAllToAll<E: Scalar>(
    _ exchange: consuming Exchange<E>
  ) throws(MPIError) -> Request<Exchange<E>> {
    let call = "MPI_Ialltoall"
    let n = try exchangeCount(send: exchange.sent.count, receive: exchange.received.count, call)
    return try Request(call, exchange) { (exchange, request) in
      let type = E.datatype.handle.handle
      return MPI_Ialltoall(exchange.from, n, type, exchange.to, n, type, handle.handle, &request.handle)
    }
  }

  /// Segment j of `sent` goes to rank j; what rank j sends to this rank goes to segment j of `received`.
  /// The corresponding MPI function is `MPI_Ialltoallv` (MPI 4.0 §6.12.6).
  public func startAllToAllV<E: Scalar>(
    _ exchange: consuming Exchange<E>, sent: Segments, received: Segments
  ) throws(MPIError) -> Request<Exchange<E>> {
    let call = "MPI_Ialltoallv"
    let out = try sent.arguments(ranks: size, bufferCount: exchange.sent.count, call)
    let back = try received.arguments(ranks: size, bufferCount: exchange.received.count, call)
    return try Request(call, exchange, arguments: [out, back]) { (exchange, request) in
      let type = E.datatype.handle.handle
      return MPI_Ialltoallv(
        exchange.from, out.counts, out.displacements, type, exchange.to, back.counts, back.displacements, type,
        handle.handle, &request.handle)
    }
  }
}

extension Exchange {
  fileprivate var from: UnsafeRawPointer? { sent.bytes.baseAddress }
  fileprivate var to: UnsafeMutableRawPointer? { received.mutableBytes.baseAddress }
}
