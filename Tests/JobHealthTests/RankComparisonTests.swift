import JobHealth
import Testing

@Suite struct RankComparisonTests {
  private struct Case {
    let words: [[UInt64]]
    let what: String
    let expected: UInt64
    let expectedRank: Int
    let ranks: [Int]
    let got: UInt64
    let list: String
  }

  private static let names = ["a", "b"]

  @Test func ranksThatAgreeDifferInNothing() {
    for ranks in 1...9 {
      #expect(RankComparison(names: Self.names, words: Array(repeating: [1, 2], count: ranks)) == nil)
    }
  }

  @Test func whatMostRanksHaveIsExpectedAndOneThatHasItIsNamed() throws {
    let cases = [
      Case(
        words: [[1, 7], [1, 2], [1, 2]], what: "b", expected: 2, expectedRank: 1, ranks: [0], got: 7, list: "rank 0"),
      Case(
        words: [[1, 2], [1, 2], [1, 7]], what: "b", expected: 2, expectedRank: 0, ranks: [2], got: 7, list: "rank 2"),
      Case(
        words: [[1, 2], [9, 2], [1, 3], [8, 2], [1, 2]], what: "a", expected: 1, expectedRank: 0, ranks: [1, 3],
        got: 9, list: "ranks 1 and 3"),
      Case(
        words: [[5, 2], [6, 2], [7, 2], [1, 2], [1, 2]], what: "a", expected: 1, expectedRank: 3, ranks: [0, 1, 2],
        got: 5, list: "ranks 0, 1 and 2"),
      Case(
        words: [[5, 2], [1, 2], [6, 2], [1, 2]], what: "a", expected: 1, expectedRank: 1, ranks: [0, 2], got: 5,
        list: "ranks 0 and 2"),
      // Of two nobody knows who is right.
      Case(words: [[1, 2], [1, 3]], what: "b", expected: 2, expectedRank: 0, ranks: [1], got: 3, list: "rank 1"),
    ]
    for test in cases {
      let found = try #require(RankComparison(names: Self.names, words: test.words))
      let name: Comment = "\(test.words)"
      #expect(found.what == test.what && found.expected == test.expected && found.got == test.got, name)
      #expect(found.ranks == test.ranks && found.rankList == test.list, name)
      #expect(found.expectedRank == test.expectedRank, name)
    }
  }

  @Test func ranksAreComparedWithARecord() throws {
    let words: [[UInt64]] = [[1, 2], [1, 2], [1, 2]]
    #expect(RankComparison(names: Self.names, words: words, expected: [1, 2]) == nil)
    let all = try #require(RankComparison(names: Self.names, words: words, expected: [1, 3]))
    #expect(all.what == "b" && all.ranks == [0, 1, 2] && all.rankList == "ranks 0, 1 and 2")
  }
}
