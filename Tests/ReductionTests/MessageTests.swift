import Plan
import Reduction
import Testing

/// What a peer does for one bucket, action by action.
@Suite struct MessageTests {
  /// Three shards on two peers: 0 | 1 2, of which the tree adds 0 and 1 first, so that peer 1 has two subtrees.
  private static func plan(ranges: [Range<Int>], table: (rows: Int, size: Int, mostRows: Int)? = nil) -> ExchangePlan {
    ExchangePlan(
      ranges: ranges, table: table, shardCount: 3,
      subtrees: Truth.shards(3, ranks: 2).map { SummationTree.subtrees(of: $0, leafCount: 3) })
  }

  private func text(_ action: ExchangeStateMachine.Action) -> String {
    switch action {
    case .receive(let message): "receive \(text(message))"
    case .send(let message): "send \(text(message))"
    case .copy(let from, let to, let count): "copy \(count) from \(from) to \(to)"
    case .term(let index, let place): "term \(index) \(place)"
    case .sum(let elements): "sum \(elements)"
    case .departed, .gatherRows, .arrived: "\(action)"
    }
  }

  private func text(_ message: ExchangeStateMachine.Message) -> String {
    "\(message.phase) \(message.count) \(message.place) peer \(message.peer) tag \(message.tag)"
  }

  /// Actions, and the messages that are said to be among them.
  private func actions(_ body: ((ExchangeStateMachine.Action) -> Void) -> Int) -> [String] {
    var actions: [String] = []
    let messages = body { actions.append(text($0)) }
    #expect(messages == actions.count { $0.hasPrefix("receive") || $0.hasPrefix("send") })
    return actions
  }

  // MARK: Slices

  @Test func aPeerReceivesItsSliceOfEverySubtreeAndSendsTheSumToAll() {
    let plan = Self.plan(ranges: [0..<10])
    let all = (0..<2).map { SliceMessages(plan, buckets: BucketPlan(plan), rank: $0) }
    #expect(
      actions { all[0].reduceScatter(0, $0) } == [
        "receive reduceScatter 5 received(0) peer 1 tag 0", "receive reduceScatter 5 received(5) peer 1 tag 1",
        "send reduceScatter 5 gradient(subtree: 0, 5) peer 1 tag 0",
      ])
    #expect(
      actions { all[1].reduceScatter(0, $0) } == [
        "receive reduceScatter 5 received(0) peer 0 tag 0",
        "send reduceScatter 5 gradient(subtree: 0, 0) peer 0 tag 0",
        "send reduceScatter 5 gradient(subtree: 1, 0) peer 0 tag 1",
      ])
    #expect(
      actions { all[0].sumAndAllGather(0, $0) } == [
        "term 0 gradient(subtree: 0, 0)", "term 1 received(0)", "term 2 received(5)", "sum 0..<5",
        "receive allGather 5 gradient(subtree: 0, 5) peer 1 tag 2",
        "send allGather 5 gradient(subtree: 0, 0) peer 1 tag 2",
      ])
    #expect(
      actions { all[1].sumAndAllGather(0, $0) } == [
        "term 0 received(0)", "term 1 gradient(subtree: 0, 5)", "term 2 gradient(subtree: 1, 5)", "sum 5..<10",
        "receive allGather 5 gradient(subtree: 0, 0) peer 0 tag 2",
        "send allGather 5 gradient(subtree: 0, 5) peer 0 tag 2",
      ])
  }

  /// Peer 0 of two owns ⌊1/2⌋ elements of a bucket of one.
  @Test func aPeerWithAnEmptySliceAddsNothingAndReceivesTheSum() {
    let plan = Self.plan(ranges: [4..<5])
    let first = SliceMessages(plan, buckets: BucketPlan(plan), rank: 0)
    #expect(actions { first.reduceScatter(0, $0) } == ["send reduceScatter 1 gradient(subtree: 0, 4) peer 1 tag 0"])
    #expect(actions { first.sumAndAllGather(0, $0) } == ["receive allGather 1 gradient(subtree: 0, 4) peer 1 tag 2"])
  }

  @Test func bucketsReceiveIntoCacheLinesOfTheirOwn() {
    let plan = Self.plan(ranges: [0..<10, 10..<60])
    let messages = SliceMessages(plan, buckets: BucketPlan(plan), rank: 0)
    #expect(actions { messages.reduceScatter(1, $0) }.first == "receive reduceScatter 25 received(16) peer 1 tag 3")
    // 2 · 5 and 2 · 25 elements, in whole lines of 16.
    #expect(messages.receivedCount == 16 + 64)
  }

  // MARK: Rows

  /// Peer 0 has rows 0 and 2, peer 1 rows 2 and 3, of four; peer 0 owns row 0, peer 1 the others.
  private func rowMessages(_ rank: Int) -> RowMessages {
    let plan = Self.plan(ranges: [0..<8], table: (rows: 4, size: 2, mostRows: 4))
    let messages = RowMessages(plan, buckets: BucketPlan(plan), rank: rank, firstReceived: 100)
    let seen = messages.seen
    for (peer, rows) in [[0, 2], [2, 3]].enumerated() {
      seen.mark(rows.map(Int32.init))
      (seen.all.baseAddress! + peer * seen.own.count).update(from: seen.own.baseAddress!, count: seen.own.count)
    }
    seen.unite()
    return messages
  }

  @Test func aPeerSendsTheRowsThatItHasToTheirOwners() {
    var (first, second) = (rowMessages(0), rowMessages(1))
    #expect(
      actions { first.reduceScatter($0) } == [
        "copy 2 from gradient(subtree: 0, 4) to packed(0)", "send reduceScatter 2 packed(0) peer 1 tag 0",
      ])
    #expect(actions { second.reduceScatter($0) } == ["receive reduceScatter 2 received(100) peer 0 tag 0"])
  }

  /// A subtree whose peer does not have a row is +0.0.
  @Test func theOwnerOfARowAddsItInTreeOrderAndSendsItToAll() {
    var (first, second) = (rowMessages(0), rowMessages(1))
    _ = (first.reduceScatter { _ in }, second.reduceScatter { _ in })
    #expect(
      actions { first.sumAndAllGather($0) } == [
        "term 0 gradient(subtree: 0, 0)", "term 1 zeros", "term 2 zeros", "sum 0..<2",
        "receive allGather 4 received(100) peer 1 tag 2",
        "copy 2 from gradient(subtree: 0, 0) to packed(0)", "send allGather 2 packed(0) peer 1 tag 2",
      ])
    #expect(
      actions { second.sumAndAllGather($0) } == [
        "term 0 received(100)", "term 1 gradient(subtree: 0, 4)", "term 2 gradient(subtree: 1, 4)", "sum 4..<6",
        "term 0 zeros", "term 1 gradient(subtree: 0, 6)", "term 2 gradient(subtree: 1, 6)", "sum 6..<8",
        "receive allGather 2 received(100) peer 0 tag 2",
        "copy 2 from gradient(subtree: 0, 4) to packed(0)", "copy 2 from gradient(subtree: 0, 6) to packed(2)",
        "send allGather 4 packed(0) peer 0 tag 2",
      ])
  }

  @Test func rowsOfOthersGoToTheirPlaces() {
    var (first, second) = (rowMessages(0), rowMessages(1))
    func unpacked(_ messages: inout RowMessages) -> [String] {
      _ = (messages.reduceScatter { _ in }, messages.sumAndAllGather { _ in })
      var all: [String] = []
      messages.unpack { all.append(text($0)) }
      return all
    }
    #expect(
      unpacked(&first) == [
        "copy 2 from received(100) to gradient(subtree: 0, 4)", "copy 2 from received(102) to gradient(subtree: 0, 6)",
      ])
    #expect(unpacked(&second) == ["copy 2 from received(100) to gradient(subtree: 0, 0)"])
  }

  /// Of two peers one packs all 4 rows of 2 elements in both subtrees at most; of four with one subtree each, a peer
  /// receives ⌈4/4⌉ row of the three others.
  @Test func rowsFitTheirBuffer() {
    #expect(rowMessages(0).bufferCount == 4 * 2 * 2)
    #expect(RowMessages.bufferCount(mostRows: 4, size: 2, subtrees: (0..<4).map { [$0..<$0 + 1] }) == 4 * 2)
    #expect(RowMessages.bufferCount(mostRows: 5, size: 2, subtrees: (0..<4).map { [$0..<$0 + 1] }) == 3 * 2 * 2)
  }
}
