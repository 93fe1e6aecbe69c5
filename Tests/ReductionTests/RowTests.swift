import Reduction
import TestSupport
import Testing

@Suite struct RowTests {
  /// Bits in memory, from sets.
  private final class Sets {
    let rows: Int
    let words: UnsafeMutablePointer<UInt64>
    let stride: Int

    init(_ sets: [[Int32]], rows: Int) {
      self.rows = rows
      stride = RowBits.wordCount(rows: rows)
      words = .allocate(capacity: stride * sets.count)
      // What was there before must not matter.
      words.initialize(repeating: .max, count: stride * sets.count)
      for (index, set) in sets.enumerated() { bits(index).set(set) }
    }

    deinit { words.deallocate() }

    func bits(_ index: Int) -> RowBits { RowBits(words + index * stride, rows: rows) }
  }

  @Test(arguments: [1, 63, 64, 65, 128, 130]) func bitsAreASetOfRows(rows: Int) {
    var random = SplitMix(state: UInt64(rows))
    for count in 1...9 {
      let sets = (0..<count).map { _ in random.rows(rows, probability: 0.2) } + [[0, Int32(rows - 1)]]
      let memory = Sets(sets, rows: rows)
      for (index, set) in sets.enumerated() {
        let has = (0..<Int32(rows)).filter(memory.bits(index).contains)
        #expect(has == Set(set).sorted())
      }
      for lower in [0, rows / 2, rows - 1] {
        for upper in [lower, (lower + rows) / 2, rows] {
          var visited: [Int] = []
          RowBits.forEachUnited(count: sets.count, memory.bits, in: lower..<upper) { visited.append($0) }
          let expected = Set(sets.joined().map(Int.init)).filter { lower <= $0 && $0 < upper }.sorted()
          #expect(visited == expected, "\(lower)..<\(upper) of \(rows)")
        }
      }
    }
  }

  /// Several steps with one `SeenRows`, so that nothing of a step before is left; ranges that cut rows.
  @Test(arguments: 1...9) func seenRowsAreUnitedSharedOutAndCounted(ranks: Int) {
    var random = SplitMix(state: UInt64(ranks))
    let (rows, size) = (70, 3)
    for range in [0..<210, 0..<100, 100..<101, 64 * 3..<210, 61..<197, 30..<30] {
      let seen = SeenRows(rows: rows, size: size, range: range, ranks: ranks, mostRows: rows)
      for probability in [0.9, 0.1, 0, 0.3] {
        let sets = (0..<ranks).map { _ in random.rows(rows, probability: probability) }
        for (rank, set) in sets.enumerated() {
          seen.mark(set)
          (seen.all.baseAddress! + rank * seen.own.count).update(from: seen.own.baseAddress!, count: seen.own.count)
        }
        seen.unite()
        check(seen, sets.map(Set.init), rows: rows, size: size, range: range)
      }
    }
  }

  private func check(_ seen: SeenRows, _ sets: [Set<Int32>], rows: Int, size: Int, range: Range<Int>) {
    func elements(_ row: Int32) -> Set<Int> { Set((0..<size).map { Int(row) * size + $0 }.filter(range.contains)) }
    let united = (0..<Int32(rows)).filter { row in sets.contains { $0.contains(row) } && !elements(row).isEmpty }
    #expect(seen.united == united)
    let owned = sets.indices.map { Array(seen.owned(by: $0)) }
    #expect(owned.flatMap(\.self) == united, "every row has one owner")
    #expect(owned.map(\.count).max()! - owned.map(\.count).min()! <= 1, "evenly")
    for row in united { #expect(Set(seen.elements(of: row)) == elements(row)) }
    for owner in sets.indices {
      let all = owned[owner].reduce(0) { $0 + elements($1).count }
      #expect(seen.count(ownedBy: owner) == all)
      for rank in sets.indices {
        let has = owned[owner].filter(sets[rank].contains)
        #expect(seen.count(ofRank: rank, ownedBy: owner) == has.reduce(0) { $0 + elements($1).count })
        for row in owned[owner] { #expect(seen.contains(row, rank: rank) == sets[rank].contains(row)) }
      }
    }
  }

  /// Ranks that share memory: of an embedding's slice the rows, or parts of rows, that some rank has.
  @Test(arguments: 1...9) func changedRangesOfASliceAreItsPartsOfSeenRows(ranks: Int) {
    var random = SplitMix(state: UInt64(ranks))
    let (rows, size) = (130, 5)
    let parts = [0..<650, 650..<651, 651..<700]
    let plan = ReductionPlan(
      parts: parts, embedding: (rows, size, rows), sendsRows: true, sharedPart: nil, shardCount: ranks,
      shards: Truth.shards(ranks, ranks: ranks))
    let sets = (0..<ranks).map { _ in random.rows(rows, probability: 0.1) }
    let memory = Sets(sets, rows: rows)
    for owned in [0..<650, 3..<4, 5..<10, 7..<331, 320..<325, 649..<650, 40..<40] {
      let ranges = [owned, 650..<651, 651..<700]
      var changed: [Range<Int>] = []
      plan.appendChangedRanges(of: ranges, ranks: ranks, seen: memory.bits, to: &changed)
      var expected = owned.filter { element in sets.contains { $0.contains(Int32(element / size)) } }
      expected += Array(650..<700)
      #expect(changed.flatMap(\.self) == expected && !changed.contains { $0.isEmpty }, "\(owned)")
    }
  }
}
