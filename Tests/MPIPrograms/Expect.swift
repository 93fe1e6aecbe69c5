import MPI

/// What a program received is not the truth.
struct Difference: Error, CustomStringConvertible {
  let description: String
}

/// Throws, with both values in the message, unless they are equal.
func expect<T: Equatable>(_ got: T, equals expected: T, _ what: String) throws {
  if got != expected {
    throw Difference(description: "\(what) — expected \(expected), got \(got)")
  }
}

/// Throws unless the body throws an error whose words contain `words`.
func expectError(_ words: String, _ body: () throws -> Void) throws {
  do {
    try body()
  } catch {
    return try expect("\(error)".contains(words), equals: true, "`\(words)` in `\(error)`")
  }
  throw Difference(description: "no error — expected `\(words)`")
}

/// Element i of the contribution of a rank: different for every rank and place, exact in every type used here.
func element<E: Scalar & Numeric>(_ rank: Int, _ i: Int) -> E { E(exactly: 10 * (rank + 1) + i)! }

/// The first n elements of a rank's contribution.
func contribution<E: Scalar & Numeric>(_ rank: Int, _ n: Int, from first: Int = 0) -> [E] {
  (first..<(first + n)).map { element(rank, $0) }
}

/// An array filled by a blocking call that takes arrays' memory.
func filled<E: Scalar & Numeric>(
  _ count: Int, sending: [E] = [], _ body: (UnsafeBufferPointer<E>, UnsafeMutableBufferPointer<E>) throws -> Void
) rethrows -> [E] {
  var result = [E](repeating: 99, count: count)
  try sending.withUnsafeBufferPointer { send in
    try result.withUnsafeMutableBufferPointer { receive in try body(send, receive) }
  }
  return result
}
