/// Memory that exactly one owner may read and write. A non-blocking operation takes the buffer and gives it back when
/// it is complete, so that access in between does not compile.
///
/// A buffer is an allocation of its own, or a part split off another buffer; parts keep the allocation alive and never
/// overlap. `init(unsafe:owner:)` makes one of memory that was allocated elsewhere.
public struct OwnedBuffer<Element: Scalar>: ~Copyable {
  @usableFromInline var elements: UnsafeMutableBufferPointer<Element>
  /// Keeps the memory alive.
  private let owner: AnyObject

  /// The number of elements.
  @inlinable public var count: Int { elements.count }

  /// A new allocation of `count` elements, 0 or more, aligned to 64 bytes, each equal to `value`.
  public init(count: Int, repeating value: Element) {
    let allocation = Allocation(byteCount: count * MemoryLayout<Element>.stride)
    let start = allocation.bytes.bindMemory(to: Element.self, capacity: count)
    start.initialize(repeating: value, count: count)
    self.init(unsafe: UnsafeMutableBufferPointer(start: start, count: count), owner: allocation)
  }

  /// A new allocation, aligned to 64 bytes, with a copy of the elements of `array`.
  public init(_ array: [Element]) {
    let allocation = Allocation(byteCount: array.count * MemoryLayout<Element>.stride)
    let start = allocation.bytes.bindMemory(to: Element.self, capacity: array.count)
    let elements = UnsafeMutableBufferPointer(start: start, count: array.count)
    _ = elements.initialize(from: array)
    self.init(unsafe: elements, owner: allocation)
  }

  /// Memory that was allocated elsewhere and that `owner` keeps alive. The caller guarantees that it is read and
  /// written only through this buffer for as long as the buffer, or a request that owns it, exists.
  public init(unsafe elements: UnsafeMutableBufferPointer<Element>, owner: AnyObject) {
    self.elements = elements
    self.owner = owner
  }

  /// An index outside `0..<count` traps.
  @inlinable
  public subscript(index: Int) -> Element {
    get {
      precondition(index >= 0 && index < elements.count, "index out of range")
      return elements[index]
    }
    set {
      precondition(index >= 0 && index < elements.count, "index out of range")
      elements[index] = newValue
    }
  }

  /// The memory for the time of the call: the pointer must not escape from `body`.
  @inlinable
  public mutating func withElements<R: ~Copyable, E>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(E) -> R
  ) throws(E) -> R {
    try body(elements)
  }

  /// The memory, to be read, for the time of the call: the pointer must not escape from `body`.
  @inlinable
  public borrowing func withReadOnlyElements<R: ~Copyable, E>(
    _ body: (UnsafeBufferPointer<Element>) throws(E) -> R
  ) throws(E) -> R {
    try body(UnsafeBufferPointer(elements))
  }

  /// Splits off the first `n` elements; this buffer keeps the rest. An `n` outside `0...count` traps.
  public mutating func splitFirst(_ n: Int) -> OwnedBuffer {
    precondition(n >= 0 && n <= count, "cannot split more elements off than there are")
    let first = UnsafeMutableBufferPointer(rebasing: elements[..<n])
    elements = UnsafeMutableBufferPointer(rebasing: elements[n...])
    return OwnedBuffer(unsafe: first, owner: owner)
  }

  /// Undoes `splitFirst`: appends `next`, which must be the part right behind this one in the same memory; any other
  /// traps.
  public mutating func rejoin(_ next: consuming OwnedBuffer) {
    precondition(
      owner === next.owner && elements.baseAddress.map { $0 + elements.count } == next.elements.baseAddress,
      "only neighbours in the same memory can be rejoined")
    elements = UnsafeMutableBufferPointer(start: elements.baseAddress, count: elements.count + next.elements.count)
  }

  /// Copies the elements.
  public borrowing func array() -> [Element] { Array(elements) }
}

extension OwnedBuffer {
  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(elements) }
  var mutableBytes: UnsafeMutableRawBufferPointer { UnsafeMutableRawBufferPointer(elements) }
}

/// Heap memory that lives as long as this object.
private final class Allocation {
  let bytes: UnsafeMutableRawPointer

  init(byteCount: Int) { bytes = .allocate(byteCount: byteCount, alignment: 64) }

  deinit { bytes.deallocate() }
}
