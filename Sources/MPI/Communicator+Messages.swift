internal import CMPI

/// The envelope and the length of a message.
/// The corresponding MPI type is `MPI_Status` (MPI 4.0 §3.2.5).
public struct Message: Hashable, Sendable {
  /// The sender's rank in the communicator of the call.
  public let source: Int

  /// The sender's tag, 0 or more.
  public let tag: Int

  /// The length in bytes, not in elements.
  public let byteCount: Int

  init(_ status: MPI_Status) throws(MPIError) {
    source = Int(status.MPI_SOURCE)
    tag = Int(status.MPI_TAG)
    byteCount = try MPI.byteCount(status)
  }
}

/// The length of a message in bytes; throws if it does not fit into a C `int`.
/// The corresponding MPI function is `MPI_Get_count` (MPI 4.0 §3.2.5).
func byteCount(_ status: MPI_Status) throws(MPIError) -> Int {
  var status = status
  var bytes: Int32 = 0
  try check("MPI_Get_count", MPI_Get_count(&status, UInt8.datatype.handle.handle, &bytes))
  guard bytes != MPI_UNDEFINED else { throw .refused("MPI_Get_count", "the message is longer than \(Int32.max) bytes") }
  return Int(bytes)
}

extension Communicator {
  /// The largest tag that every MPI library accepts: the least `MPI_TAG_UB` that the standard allows (MPI 4.0 §9.1.2).
  public static let largestPortableTag = 32_767

  /// Sends a message of `buffer.count` elements. Returns once the buffer may be changed; the message need not have
  /// been received by then.
  /// The corresponding MPI function is `MPI_Send` (MPI 4.0 §3.2.1).
  public func send<E: Scalar>(_ buffer: UnsafeBufferPointer<E>, to rank: Int, tag: Int = 0) throws(MPIError) {
    let call = "MPI_Send"
    let n = try int32Count(buffer.count, call)
    let (peer, tag) = (try int32Rank(rank, call), try int32Tag(tag, call))
    try check(call, MPI_Send(buffer.baseAddress, n, E.datatype.handle.handle, peer, tag, handle.handle))
  }

  /// Waits for a message of at most `buffer.count` elements; a longer one throws `MPI_ERR_TRUNCATE`. A `source` or
  /// `tag` of nil matches any.
  /// The corresponding MPI function is `MPI_Recv` (MPI 4.0 §3.2.4).
  @discardableResult
  public func receive<E: Scalar>(
    _ buffer: UnsafeMutableBufferPointer<E>, from source: Int?, tag: Int? = 0
  ) throws(MPIError) -> Message {
    let call = "MPI_Recv"
    let n = try int32Count(buffer.count, call)
    let (peer, tag) = (try int32Source(source, call), try int32AnyTag(tag, call))
    var status = MPI_Status()
    try check(call, MPI_Recv(buffer.baseAddress, n, E.datatype.handle.handle, peer, tag, handle.handle, &status))
    return try Message(status)
  }

  /// Sends one message and receives another, both with `tag`; a ring of ranks that all call it cannot deadlock.
  /// Lengths as for `send` and `receive`.
  /// The corresponding MPI function is `MPI_Sendrecv` (MPI 4.0 §3.2.7).
  @discardableResult
  public func sendReceive<E: Scalar>(
    _ send: UnsafeBufferPointer<E>, to rank: Int,
    receiving receive: UnsafeMutableBufferPointer<E>, from source: Int?, tag: Int = 0
  ) throws(MPIError) -> Message {
    let call = "MPI_Sendrecv"
    let (m, n) = (try int32Count(send.count, call), try int32Count(receive.count, call))
    let (peer, from, tag) = (try int32Rank(rank, call), try int32Source(source, call), try int32Tag(tag, call))
    try expectDisjoint(UnsafeRawBufferPointer(send), UnsafeMutableRawBufferPointer(receive), call)
    let type = E.datatype.handle.handle
    var status = MPI_Status()
    try check(
      call,
      MPI_Sendrecv(
        send.baseAddress, m, type, peer, tag, receive.baseAddress, n, type, from, tag, handle.handle, &status))
    return try Message(status)
  }

  /// Waits for a message and does not receive it: its length tells how large the buffer of the receive must be.
  /// The corresponding MPI function is `MPI_Probe` (MPI 4.0 §3.8.1).
  public func probe(from source: Int?, tag: Int? = 0) throws(MPIError) -> Message {
    let call = "MPI_Probe"
    let (peer, tag) = (try int32Source(source, call), try int32AnyTag(tag, call))
    var status = MPI_Status()
    try check(call, MPI_Probe(peer, tag, handle.handle, &status))
    return try Message(status)
  }

  /// The message that a receive would get now; nil if none has arrived.
  /// The corresponding MPI function is `MPI_Iprobe` (MPI 4.0 §3.8.1).
  public func probeNow(from source: Int?, tag: Int? = 0) throws(MPIError) -> Message? {
    let call = "MPI_Iprobe"
    let (peer, tag) = (try int32Source(source, call), try int32AnyTag(tag, call))
    var status = MPI_Status()
    var found: Int32 = 0
    try check(call, MPI_Iprobe(peer, tag, handle.handle, &found, &status))
    return found == 0 ? nil : try Message(status)
  }

  // MARK: Non-blocking

  /// Starts to send `buffer` [n]; `wait()` gives it back, unchanged.
  /// The corresponding MPI function is `MPI_Isend` (MPI 4.0 §3.7.2).
  public func startSend<E: Scalar>(
    _ buffer: consuming OwnedBuffer<E>, to rank: Int, tag: Int = 0
  ) throws(MPIError) -> Request<OwnedBuffer<E>> {
    let call = "MPI_Isend"
    let n = try int32Count(buffer.count, call)
    let (peer, tag) = (try int32Rank(rank, call), try int32Tag(tag, call))
    return try Request(call, buffer) { (buffer, request) in
      MPI_Isend(buffer.bytes.baseAddress, n, E.datatype.handle.handle, peer, tag, handle.handle, &request.handle)
    }
  }

  /// Starts to receive a message of exactly `buffer.count` elements; `test()` and `wait()` throw if it has another
  /// length. A `source` or `tag` of nil matches any.
  /// The corresponding MPI function is `MPI_Irecv` (MPI 4.0 §3.7.2).
  public func startReceive<E: Scalar>(
    _ buffer: consuming OwnedBuffer<E>, from source: Int?, tag: Int? = 0
  ) throws(MPIError) -> Request<OwnedBuffer<E>> {
    let call = "MPI_Irecv"
    let n = try int32Count(buffer.count, call)
    let (peer, tag) = (try int32Source(source, call), try int32AnyTag(tag, call))
    return try Request(call, buffer, expectedBytes: Int(n) * MemoryLayout<E>.stride) { (buffer, request) in
      let (to, type) = (buffer.mutableBytes.baseAddress, E.datatype.handle.handle)
      return MPI_Irecv(to, n, type, peer, tag, handle.handle, &request.handle)
    }
  }

  // MARK: Checks

  private func int32Source(_ source: Int?, _ call: String) throws(MPIError) -> Int32 {
    if let source { try int32Rank(source, call) } else { Int32(MPI_ANY_SOURCE) }
  }

  private func int32AnyTag(_ tag: Int?, _ call: String) throws(MPIError) -> Int32 {
    if let tag { try int32Tag(tag, call) } else { Int32(MPI_ANY_TAG) }
  }

  private func int32Tag(_ tag: Int, _ call: String) throws(MPIError) -> Int32 {
    guard let narrow = Int32(exactly: tag), narrow >= 0 else {
      throw .refused(call, "tag — expected 0...\(Int32.max), got \(tag)")
    }
    return narrow
  }
}
