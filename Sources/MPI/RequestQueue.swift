/// Several requests under way, first in, first out. An `Array` cannot hold them, as they are not copyable; and a fixed
/// order, never the order of completion, is what keeps the sums of all ranks the same.
///
/// Dropping a queue that still holds a live request traps, like dropping the request.
public struct RequestQueue<Payload: ~Copyable>: ~Copyable {
  /// A ring: the oldest request is at `first`.
  private var slots: UnsafeMutableBufferPointer<Request<Payload>>
  private var first = 0

  /// The number of requests in the queue.
  public private(set) var count = 0

  /// An empty queue. It grows beyond `capacity` where needed.
  public init(capacity: Int = 4) {
    slots = .allocate(capacity: max(capacity, 1))
  }

  /// Whether the queue holds no request.
  public var isEmpty: Bool { count == 0 }

  /// Adds a request behind the others.
  public mutating func append(_ request: consuming Request<Payload>) {
    if count == slots.count { grow() }
    slots.initializeElement(at: slot(count), to: request)
    count += 1
  }

  /// Lets MPI make progress and says whether every request is complete.
  public mutating func test() throws(MPIError) -> Bool { try testFirst(count) }

  /// Lets MPI make progress and says whether the oldest request is complete. False if the queue is empty.
  public mutating func testFirst() throws(MPIError) -> Bool {
    if count == 0 { return false }
    return try testFirst(1)
  }

  /// Lets MPI make progress and says whether the `n` oldest requests are complete; true for none. More than there are
  /// trap.
  public mutating func testFirst(_ n: Int) throws(MPIError) -> Bool {
    precondition(n <= count, "the queue holds fewer requests")
    for index in 0..<n where try !slots[slot(index)].test() { return false }
    return true
  }

  /// Waits for the oldest request, removes it, and gives back what it owned. An empty queue traps.
  public mutating func waitForFirst() throws(MPIError) -> Payload {
    precondition(count > 0, "the queue holds no request")
    let request = slots.moveElement(from: first)
    first = slot(1)
    count -= 1
    return try request.wait()
  }

  /// The place in the ring of the request that has `index` requests before it.
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
