import Files

/// A string compared, ordered and hashed by its UTF-8 bytes. Swift's own comparison takes canonically equivalent
/// texts, such as é written as one scalar or as two, for equal: two entries of a vocabulary must not become one.
struct ExactString: Hashable, Comparable, Sendable {
  let text: String

  init(_ text: String) { self.text = text }

  static func == (a: ExactString, b: ExactString) -> Bool { a.text.utf8.elementsEqual(b.text.utf8) }

  static func < (a: ExactString, b: ExactString) -> Bool { precedes(a.text, b.text) }

  func hash(into hasher: inout Hasher) {
    var copy = text
    copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    hasher.combine(text.utf8.count)
  }
}

/// The numbers of scalars: a flat table, because a text of 100 MB asks 100 million times.
struct ScalarTable: Sendable {
  private var numbers: [Int32]

  /// Numbers the entries, of one scalar each, by their indices.
  init(_ entries: ArraySlice<ExactString>) {
    let scalars = entries.map { $0.text.unicodeScalars.first!.value }
    numbers = [Int32](repeating: -1, count: Int(scalars.max() ?? 0) + 1)
    for (index, scalar) in zip(entries.indices, scalars) { numbers[Int(scalar)] = Int32(index) }
  }

  /// The number of a scalar, nil if it has none.
  subscript(scalar: UInt32) -> Int32? {
    guard scalar < numbers.count, numbers[Int(scalar)] >= 0 else { return nil }
    return numbers[Int(scalar)]
  }
}
