/// Memory with exactly one owner: the one who may read and write it. A non-blocking operation takes the buffer and
/// gives it back when it is complete, so that touching it meanwhile does not compile.
///
/// A buffer is an allocation of its own, or a part split off another one; parts keep the allocation alive and never
/// overlap. The same type serves for flat memory that lives elsewhere (`init(unsafe:owner:)`).
public struct OwnedBuffer<Element: Scalar>: ~Copyable {
  @usableFromInline var elements: UnsafeMutableBufferPointer<Element>
  /// Keeps the memory alive.
  private let owner: AnyObject

  /// The number of elements.
  @inlinable public var count: Int { elements.count }

  /// A new allocation, 64-byte aligned, every element equal to `value`.
  public init(count: Int, repeating value: Element) {
    let allocation = Allocation(byteCount: count * MemoryLayout<Element>.stride)
    let start = allocation.bytes.bindMemory(to: Element.self, capacity: count)
    start.initialize(repeating: value, count: count)
    self.init(unsafe: UnsafeMutableBufferPointer(start: start, count: count), owner: allocation)
  }

  /// A new allocation with the elements of `array`.
  public init(_ array: [Element]) {
    let allocation = Allocation(byteCount: array.count * MemoryLayout<Element>.stride)
    let start = allocation.bytes.bindMemory(to: Element.self, capacity: array.count)
    let elements = UnsafeMutableBufferPointer(start: start, count: array.count)
    _ = elements.initialize(from: array)
    self.init(unsafe: elements, owner: allocation)
  }

  /// Memory that lives elsewhere. `owner` keeps it alive; the caller promises that nobody reads or writes it, except
  /// through this buffer, while the buffer (or a request that holds it) exists.
  public init(unsafe elements: UnsafeMutableBufferPointer<Element>, owner: AnyObject) {
    self.elements = elements
    self.owner = owner
  }

  /// One element. An index outside of `0..<count` traps.
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

  /// The memory, for the time of the call. The pointer must not leave it.
  @inlinable
  public mutating func withElements<R: ~Copyable, E>(
    _ body: (UnsafeMutableBufferPointer<Element>) throws(E) -> R
  ) throws(E) -> R {
    try body(elements)
  }

  /// The memory for reading, for the time of the call. The pointer must not leave it.
  @inlinable
  public borrowing func withReadOnlyElements<R: ~Copyable, E>(
    _ body: (UnsafeBufferPointer<Element>) throws(E) -> R
  ) throws(E) -> R {
    try body(UnsafeBufferPointer(elements))
  }

  /// Splits the first `n` elements off; this buffer keeps the rest. More than `count` traps.
  public mutating func splitFirst(_ n: Int) -> OwnedBuffer {
    precondition(n >= 0 && n <= count, "cannot split more elements off than there are")
    let first = UnsafeMutableBufferPointer(rebasing: elements[..<n])
    elements = UnsafeMutableBufferPointer(rebasing: elements[n...])
    return OwnedBuffer(unsafe: first, owner: owner)
  }

  /// Undoes `splitFirst`: `next` has to be the part right behind this one in the same memory, otherwise it traps.
  public mutating func rejoin(_ next: consuming OwnedBuffer) {
    precondition(
      owner === next.owner && elements.baseAddress.map { $0 + elements.count } == next.elements.baseAddress,
      "only neighbours in the same memory can be rejoined")
    elements = UnsafeMutableBufferPointer(start: elements.baseAddress, count: elements.count + next.elements.count)
  }

  /// A copy of the elements.
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
