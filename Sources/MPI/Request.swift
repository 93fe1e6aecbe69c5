internal import CMPI

/// A non-blocking operation that has been started. It owns the memory that the operation reads and writes until
/// `wait()` gives it back: an `OwnedBuffer`, an `Exchange` of two, or nothing (`Void`, for a barrier).
///
/// A request that is neither complete nor failed traps when it is dropped, because MPI may still write into the memory.
/// An error must therefore not unwind past it: catch the error where the request lives and call `World.fail`, which
/// never returns.
public struct Request<Payload: ~Copyable>: ~Copyable {
  /// Nil only after the operation failed.
  private var payload: Payload?
  private var ticket: Ticket
  /// Count arguments that MPI reads until the operation is complete.
  private let arguments: [SegmentArguments]

  /// `start` begins the operation. If it throws, nothing is under way and the payload is released.
  init(
    _ call: String, _ payload: consuming Payload, arguments: [SegmentArguments] = [], expectedBytes: Int? = nil,
    _ start: (borrowing Payload, inout CMPI_Request) -> Int32
  ) throws(MPIError) {
    // MPICH's own macro of this name imports as a number: the type chooses.
    var handle: CMPI_Request = MPI_REQUEST_NULL
    try check(call, start(payload, &handle))
    ticket = Ticket(call: call, handle: handle, expectedBytes: expectedBytes)
    self.payload = consume payload
    self.arguments = arguments
  }

  /// Whether the operation is complete; does not block. Each call lets MPI make progress on all operations of this
  /// process; Open MPI makes none outside of MPI calls. Throws if the operation failed, or if a message received has
  /// another length than its buffer. After an error the memory is never released, and `wait()` throws the same error.
  /// The corresponding MPI function is `MPI_Test` (MPI 4.0 §3.7.3).
  public mutating func test() throws(MPIError) -> Bool {
    do {
      return try ticket.test()
    } catch {
      abandonPayload()
      throw error
    }
  }

  /// Waits until the operation is complete and gives back what the request owned. Throws as `test()` does.
  /// The corresponding MPI function is `MPI_Wait` (MPI 4.0 §3.7.3).
  public consuming func wait() throws(MPIError) -> Payload {
    do {
      try ticket.wait()
    } catch {
      abandonPayload()
      throw error
    }
    return payload.take()!
  }

  /// After an error MPI may or may not be done with the memory, so it is never released.
  private mutating func abandonPayload() {
    guard let left = payload.take() else { return }
    UnsafeMutablePointer<Payload>.allocate(capacity: 1).initialize(to: left)
  }
}

/// The library's side of a request. It is a value of its own so that `Request`, which has no `deinit`, can be consumed
/// in parts.
private struct Ticket: ~Copyable {
  private enum State {
    case live
    case complete
    case failed(MPIError)
  }

  private let call: String
  private var handle: CMPI_Request
  /// For a receive: the length that the message must have.
  private let expectedBytes: Int?
  private var state = State.live

  init(call: String, handle: CMPI_Request, expectedBytes: Int?) {
    self.call = call
    self.handle = handle
    self.expectedBytes = expectedBytes
  }

  mutating func test() throws(MPIError) -> Bool {
    try complete { (handle, status, isDone) in MPI_Test(&handle.handle, &isDone, &status) }
  }

  mutating func wait() throws(MPIError) {
    _ = try complete { (handle, status, _) in MPI_Wait(&handle.handle, &status) }
  }

  private mutating func complete(
    _ body: (inout CMPI_Request, inout MPI_Status, inout Int32) -> Int32
  ) throws(MPIError) -> Bool {
    switch state {
    case .complete: return true
    case .failed(let error): throw error
    case .live: break
    }
    var status = MPI_Status()
    var isDone: Int32 = 1
    do {
      try check(call, body(&handle, &status, &isDone))
      if isDone == 0 { return false }
      if let expectedBytes {
        try expectCount("bytes of the message", expectedBytes, byteCount(status), call)
      }
    } catch {
      state = .failed(error)
      throw error
    }
    state = .complete
    return true
  }

  /// `fatalError` rather than `preconditionFailure`: it prints its message in release builds too.
  deinit {
    if case .live = state {
      fatalError("\(call): a request was dropped before wait(), while MPI may still use its memory")
    }
  }
}

/// The memory of an operation with separate send and receive buffers.
@frozen
public struct Exchange<Element: Scalar>: ~Copyable {
  /// The memory that the operation reads and leaves unchanged.
  public var sent: OwnedBuffer<Element>

  /// The memory that the operation writes.
  public var received: OwnedBuffer<Element>

  /// Two buffers of the lengths that the operation requires; it checks them when it is started.
  public init(sending sent: consuming OwnedBuffer<Element>, receiving received: consuming OwnedBuffer<Element>) {
    self.sent = sent
    self.received = received
  }
}
