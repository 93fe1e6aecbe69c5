import Plan
import Problems
import Testing

@Suite struct ShardPlanTests {
  /// All plans with B, S, P up to 12 that are allowed.
  static let plans: [ShardPlan] = (1...12).flatMap { b in
    (1...12).flatMap { s in (1...s).map { p in try! ShardPlan(globalBatch: b, shards: s, ranks: p) } }
  }

  @Test func everyLaneLiesInExactlyOneShardAndOnExactlyOneRankInOrder() {
    for plan in Self.plans {
      let byShard = (0..<plan.shards).flatMap { Array(plan.lanes(ofShard: $0)) }
      #expect(byShard == Array(0..<plan.globalBatch))
      let byRank = (0..<plan.ranks).flatMap { Array(plan.lanes(ofRank: $0)) }
      #expect(byRank == byShard)
      let shards = (0..<plan.ranks).flatMap { Array(plan.shards(ofRank: $0)) }
      #expect(shards == Array(0..<plan.shards))
    }
  }

  @Test func aRanksLanesAreThoseOfItsShardsAndEveryRankHasAShard() {
    for plan in Self.plans {
      for rank in 0..<plan.ranks {
        let shards = plan.shards(ofRank: rank)
        #expect(!shards.isEmpty)
        #expect(Array(plan.lanes(ofRank: rank)) == shards.flatMap { Array(plan.lanes(ofShard: $0)) })
      }
    }
  }

  @Test func shardsDifferByOneLaneAndRanksByOneShardAtMost() {
    for plan in Self.plans {
      let lanes = (0..<plan.shards).map { plan.lanes(ofShard: $0).count }
      #expect(lanes.max()! - lanes.min()! <= 1)
      let shards = (0..<plan.ranks).map { plan.shards(ofRank: $0).count }
      #expect(shards.max()! - shards.min()! <= 1)
    }
  }

  @Test func theLanesOfAShardDoNotDependOnTheNumberOfRanks() throws {
    for plan in Self.plans {
      let alone = try ShardPlan(globalBatch: plan.globalBatch, shards: plan.shards, ranks: 1)
      for shard in 0..<plan.shards { #expect(plan.lanes(ofShard: shard) == alone.lanes(ofShard: shard)) }
    }
  }

  @Test func passesCoverTheShardsOfARankInOrderAndEvenly() {
    for plan in Self.plans {
      for rank in 0..<plan.ranks {
        for most in 1...5 {
          let passes = plan.passes(ofRank: rank, atMost: most)
          let shards = plan.shards(ofRank: rank)
          #expect(passes.flatMap { Array($0) } == Array(shards))
          #expect(passes.count == min(most, shards.count))
          #expect(passes.map(\.count).max()! - passes.map(\.count).min()! <= 1)
          #expect(passes.flatMap { Array(plan.lanes(ofShards: $0)) } == Array(plan.lanes(ofRank: rank)))
        }
      }
    }
  }

  @Test func tenLanesAndFourShardsOnThreeRanksAreWorkedOutByHand() throws {
    let plan = try ShardPlan(globalBatch: 10, shards: 4, ranks: 3)
    #expect((0..<4).map { plan.lanes(ofShard: $0) } == [0..<2, 2..<5, 5..<7, 7..<10])
    #expect((0..<3).map { plan.shards(ofRank: $0) } == [0..<1, 1..<2, 2..<4])
    #expect((0..<3).map { plan.lanes(ofRank: $0) } == [0..<2, 2..<5, 5..<10])
  }

  @Test func moreRanksThanShardsIsAnErrorThatSaysWhatToChange() {
    let error = #expect(throws: Problem.self) { try ShardPlan(globalBatch: 32, shards: 8, ranks: 9) }
    #expect(error?.exitCode == 78)
    #expect(error?.message == "more ranks than shards — expected at most 8 ranks, got 9")
    #expect(error?.hint?.contains("mpirun -np 8") == true && error?.hint?.contains("batch.shards") == true)
  }

  @Test(arguments: [(0, 1, 1), (1, 0, 1), (1, 1, 0), (Int.max, 1, 1)])
  func countsBelowOneOrBeyondInt32AreErrors(b: Int, s: Int, p: Int) {
    #expect(throws: Problem.self) { try ShardPlan(globalBatch: b, shards: s, ranks: p) }
  }
}
