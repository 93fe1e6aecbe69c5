import MPI

/// Values that ranks hold, such as hashes, beside those of the other ranks or of a record. A pure function of them.
package struct RankComparison<Value: Hashable & Sendable>: Equatable, Sendable {
  /// The name of the first value about which there is a difference.
  package let what: String
  /// What it is on those that are taken to be right.
  package let expected: Value
  /// The ranks with other values, ascending.
  package let ranks: [Int]
  /// The value of the first of them.
  package let got: Value

  /// Compares the ranks with each other: what most of them have is expected, on a tie what the lowest rank of those
  /// has. Nil where all have the same.
  /// - Parameter words: for each rank, a value for each name.
  package init?(names: [String], words: [[Value]]) {
    let expected = names.indices.map { index in RankComparison.mostFrequent(words.map { $0[index] }) }
    self.init(names: names, words: words, expected: expected)
  }

  /// Compares every rank with what is expected. Nil where all have that.
  package init?(names: [String], words: [[Value]], expected: [Value]) {
    for (index, name) in names.enumerated() {
      let ranks = words.indices.filter { words[$0][index] != expected[index] }
      guard let first = ranks.first else { continue }
      what = name
      self.expected = expected[index]
      self.ranks = ranks
      got = words[first][index]
      return
    }
    return nil
  }

  private static func mostFrequent(_ values: [Value]) -> Value {
    let counts = Dictionary(values.map { ($0, 1) }, uniquingKeysWith: +)
    let most = counts.values.max()
    return values.first { counts[$0] == most }!
  }

  /// The lowest rank that is taken to be right.
  package var expectedRank: Int { ranks.enumerated().first { $0.offset != $0.element }?.offset ?? ranks.count }

  /// "rank 2", "ranks 0, 2 and 3".
  package var rankList: String {
    let numbers = ranks.map(String.init)
    if numbers.count == 1 { return "rank \(numbers[0])" }
    return "ranks " + numbers.dropLast().joined(separator: ", ") + " and " + numbers[numbers.count - 1]
  }
}

extension Communicator {
  /// The words of each rank, as many on every rank, for everyone.
  package func allGather(_ words: [UInt64]) throws -> [[UInt64]] {
    var all = [UInt64](repeating: 0, count: words.count * size)
    try words.withUnsafeBufferPointer { words in
      try all.withUnsafeMutableBufferPointer { try allGather(words, into: $0) }
    }
    return (0..<size).map { Array(all[$0 * words.count..<($0 + 1) * words.count]) }
  }
}
