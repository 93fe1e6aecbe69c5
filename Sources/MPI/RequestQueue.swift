/// Several requests, first in, first out. An `Array` cannot hold them, as they are not copyable. The order is that of
/// the starts, never that of completion, so that all ranks process results in the same order and get the same bits.
///
/// Dropping a queue that holds a live request traps, as dropping the request does.
public struct RequestQueue<Payload: ~Copyable>: ~Copyable {
  /// A ring: the oldest request is at `first`.
  private var slots: UnsafeMutableBufferPointer<Request<Payload>>
  private var first = 0

  /// The number of requests in the queue.
  public private(set) var count = 0

  /// An empty queue with room for `capacity` requests; it grows as needed.
  public init(capacity: Int = 4) {
    slots = .allocate(capacity: max(capacity, 1))
  }

  /// Whether `count` is 0.
  public var isEmpty: Bool { count == 0 }

  /// Adds a request behind the others, in amortized constant time.
  public mutating func append(_ request: consuming Request<Payload>) {
    if count == slots.count { grow() }
    slots.initializeElement(at: slot(count), to: request)
    count += 1
  }

  /// Lets MPI make progress; whether every request is complete, true for an empty queue. Throws as `Request.test` does.
  /// The corresponding MPI function is `MPI_Test` (MPI 4.0 §3.7.3).
  public mutating func test() throws(MPIError) -> Bool { try testFirst(count) }

  /// Lets MPI make progress; whether the oldest request is complete, false for an empty queue. Throws as `Request.test`
  /// does.
  /// The corresponding MPI function is `MPI_Test` (MPI 4.0 §3.7.3).
  public mutating func testFirst() throws(MPIError) -> Bool {
    if count == 0 { return false }
    return try testFirst(1)
  }

  /// Lets MPI make progress; whether the `n` oldest requests are complete, true for n = 0. Throws as `Request.test`
  /// does; an `n` above `count` traps.
  /// The corresponding MPI function is `MPI_Test` (MPI 4.0 §3.7.3).
  public mutating func testFirst(_ n: Int) throws(MPIError) -> Bool {
    precondition(n <= count, "the queue holds fewer requests")
    for index in 0..<n where try !slots[slot(index)].test() { return false }
    return true
  }

  /// Waits for the oldest request, removes it, and gives back what it owned. Throws as `Request.wait` does; an empty
  /// queue traps.
  /// The corresponding MPI function is `MPI_Wait` (MPI 4.0 §3.7.3).
  public mutating func waitForFirst() throws(MPIError) -> Payload {
    precondition(count > 0, "the queue holds no request")
    let request = slots.moveElement(from: first)
    first = slot(1)
    count -= 1
    return try request.wait()
  }

  /// The index in the ring of the request behind the `index` oldest ones.
  private func slot(_ index: Int) -> Int { (first + index) % slots.count }

  private mutating func grow() {
    let larger = UnsafeMutableBufferPointer<Request<Payload>>.allocate(capacity: 2 * slots.count)
    for index in 0..<count {
      larger.initializeElement(at: index, to: slots.moveElement(from: slot(index)))
    }
    slots.deallocate()
    slots = larger
    first = 0
  }

  deinit {
    for index in 0..<count { (slots.baseAddress! + slot(index)).deinitialize(count: 1) }
    slots.deallocate()
  }
}
