import ExactMath
import Plan
import Problems
import Sequences
import Testing

/// One step of a source for a range of lanes.
struct Window: Equatable {
  var tokens: [Int32]
  var targets: [Int32]
  var lengths: [Int32]

  init(_ source: some SequenceSource, step: Int, lanes: Range<Int>) {
    let batch = SequenceBatch.allocate(
      timesteps: source.timesteps, lanes: lanes.count, inputs: .tokens, targets: .everyStep)
    defer { batch.deallocate() }
    // A source must write every place.
    for memory in [batch.tokens, batch.targets, batch.lengths] { memory.update(repeating: -7) }
    source.fill(step: step, lanes: lanes, batch: batch)
    (tokens, targets, lengths) = (Array(batch.tokens), Array(batch.targets), Array(batch.lengths))
  }
}

/// The lanes of all ranks, put together again to the whole batch.
private func joined(_ source: some SequenceSource, step: Int, plan: ShardPlan) -> Window {
  var whole = Window(source, step: step, lanes: 0..<0)
  whole.tokens = [Int32](repeating: -9, count: source.timesteps * source.globalBatch)
  whole.targets = whole.tokens
  whole.lengths = []
  for rank in 0..<plan.ranks {
    let lanes = plan.lanes(ofRank: rank)
    let part = Window(source, step: step, lanes: lanes)
    whole.lengths += part.lengths
    for t in 0..<source.timesteps {
      for (column, lane) in lanes.enumerated() {
        whole.tokens[t * source.globalBatch + lane] = part.tokens[t * lanes.count + column]
        whole.targets[t * source.globalBatch + lane] = part.targets[t * lanes.count + column]
      }
    }
  }
  return whole
}

private let shapes = [(1, 1), (1, 5), (2, 3), (3, 2), (5, 4), (7, 1)]

@Suite struct SourceTests {
  @Test func allRanksTogetherSeeTheBatchThatOneRankSees() throws {
    let tokens = (0..<200).map { Int32($0) }
    let task = try ReberTask(seed: 3, trainingCount: 11, heldOutCount: 5, longest: 30)
    let sources: [any SequenceSource] = [
      try TokenStream(tokens: tokens, globalBatch: 5, timesteps: 4, seed: 9, name: "test"),
      try TokenStream(tokens: tokens, globalBatch: 5, timesteps: 6, deviation: 2, seed: 9, name: "test"),
      try EvaluationStream(tokens: tokens, globalBatch: 5, timesteps: 4, name: "test"),
      task.trainingSource(globalBatch: 5, seed: 9),
    ]
    for source in sources {
      for step in [0, 1, source.stepsPerEpoch - 1, source.stepsPerEpoch, 3 * source.stepsPerEpoch + 1] {
        let alone = Window(source, step: step, lanes: 0..<5)
        #expect(alone.targets.count { $0 != noTarget } == source.targetCount(atStep: step))
        for (lane, length) in alone.lengths.enumerated() {
          for t in 0..<source.timesteps { #expect((alone.targets[t * 5 + lane] != noTarget) == (t < length)) }
        }
        for ranks in 1...8 {
          let plan = try ShardPlan(globalBatch: 5, shards: 8, ranks: ranks)
          #expect(joined(source, step: step, plan: plan) == alone)
        }
      }
    }
  }

  @Test func aTrainingEpochWalksEachLaneThroughConsecutiveTokens() throws {
    for count in 2...60 {
      let tokens = (0..<count).map { Int32($0) }
      for (b, t) in shapes where b * t < count {
        let source = try TokenStream(tokens: tokens, globalBatch: b, timesteps: t, seed: 4, name: "test")
        #expect(source.stepsPerEpoch == (count - 1) / (b * t))
        for epoch in 0..<3 {
          var lanes = [[Int32]](repeating: [], count: b)
          for step in epoch * source.stepsPerEpoch..<(epoch + 1) * source.stepsPerEpoch {
            #expect(source.startsFresh(atStep: step, lane: 0) == (step == epoch * source.stepsPerEpoch))
            #expect(source.targetCount(atStep: step) == b * t)
            let window = Window(source, step: step, lanes: 0..<b)
            #expect(zip(window.tokens, window.targets).allSatisfy { $1 == $0 + 1 })
            for (index, token) in window.tokens.enumerated() { lanes[index % b].append(token) }
          }
          let offset = Int32(source.offset(ofEpoch: epoch))
          #expect(lanes.flatMap { $0 } == (0..<Int32(b * t * source.stepsPerEpoch)).map { offset + $0 })
        }
      }
    }
  }

  @Test func windowsOfRandomLengthsWalkThroughConsecutiveTokens() throws {
    for (count, base, deviation) in [(200, 8, 2), (61, 5, 1), (40, 10, 10), (25, 1, 1), (5001, 20, 5)] {
      let tokens = (0..<count).map { Int32($0) }
      let source = try TokenStream(
        tokens: tokens, globalBatch: 2, timesteps: base, deviation: deviation, seed: 4, name: "test")
      #expect(source.timesteps == base + 2 * deviation)
      for epoch in 0..<4 {
        var lanes: [[Int32]] = [[], []]
        for step in epoch * source.stepsPerEpoch..<(epoch + 1) * source.stepsPerEpoch {
          let length = source.windowSteps(atStep: step)
          #expect((1...source.timesteps).contains(length) && source.targetCount(atStep: step) == 2 * length)
          #expect(source.learningRateFactor(atStep: step) == Double(length) / Double(base))
          let window = Window(source, step: step, lanes: 0..<2)
          #expect(window.lengths == [Int32(length), Int32(length)])
          for (index, token) in window.tokens.enumerated() {
            let isPadding = index / 2 >= length
            #expect(window.targets[index] == (isPadding ? noTarget : token + 1))
            if !isPadding { lanes[index % 2].append(token) }
          }
        }
        let offset = Int32(source.offset(ofEpoch: epoch))
        #expect(lanes.flatMap { $0 } == (0..<Int32(2 * lanes[0].count)).map { offset + $0 })
        // What is not in the epoch is about what the last windows miss.
        #expect(2 * lanes[0].count <= count - 1 && (count < 5000 || 2 * lanes[0].count > count * 9 / 10))
      }
    }
  }

  @Test func randomLengthsAreThoseOfThePaper() throws {
    let tokens = [Int32](repeating: 0, count: 400_000)
    func source(_ seed: UInt64) throws -> TokenStream {
      try TokenStream(tokens: tokens, globalBatch: 1, timesteps: 70, deviation: 5, seed: seed, name: "test")
    }
    let (one, other) = (try source(1), try source(2))
    let lengths = (0..<one.stepsPerEpoch).map { one.windowSteps(atStep: $0) }
    let (long, short) = (lengths.filter { $0 > 53 }, lengths.filter { $0 <= 53 })
    #expect(abs(Double(short.count) / Double(lengths.count) - 0.05) < 0.01 && lengths.max()! == 80)
    let mean = Double(long.reduce(0, +)) / Double(long.count)
    let variance = long.reduce(0) { $0 + (Double($1) - mean) * (Double($1) - mean) } / Double(long.count)
    #expect(abs(mean - 70) < 0.3 && abs(variance.squareRoot() - 5) < 0.4)
    #expect(abs(Double(short.reduce(0, +)) / Double(short.count) - 35) < 3)
    #expect((0..<20).contains { one.windowSteps(atStep: $0) != other.windowSteps(atStep: $0) })
    #expect((0..<20).contains { one.windowSteps(atStep: $0) != one.windowSteps(atStep: one.stepsPerEpoch + $0) })
    let plain = try TokenStream(tokens: tokens, globalBatch: 3, timesteps: 7, seed: 1, name: "test")
    #expect(plain.windowSteps(atStep: 5) == 7 && plain.learningRateFactor(atStep: 5) == 1)
  }

  @Test func lanesForgetTheirStateWithTheResetProbability() throws {
    let tokens = [Int32](repeating: 0, count: 4001)
    let source = try TokenStream(
      tokens: tokens, globalBatch: 4, timesteps: 2, resetProbability: 0.2, seed: 1, name: "test")
    let fresh = (0..<source.stepsPerEpoch).map { step in
      (0..<4).map { source.startsFresh(atStep: step, lane: $0) }
    }
    #expect(fresh[0] == [true, true, true, true])
    for lane in 0..<4 {
      let share = Double(fresh.count { $0[lane] }) / Double(fresh.count)
      #expect(abs(share - 0.2) < 0.06)
    }
    #expect(Set(fresh).count > 4)
    let never = try TokenStream(tokens: tokens, globalBatch: 4, timesteps: 2, seed: 1, name: "test")
    #expect((1..<never.stepsPerEpoch).allSatisfy { !never.startsFresh(atStep: $0, lane: 0) })
  }

  @Test func epochsStartAtEveryOffsetAboutEquallyOften() throws {
    let tokens = [Int32](repeating: 0, count: 25)
    let source = try TokenStream(tokens: tokens, globalBatch: 2, timesteps: 5, seed: 1, name: "test")
    var counts = [Int](repeating: 0, count: 5)
    for epoch in 0..<5000 { counts[source.offset(ofEpoch: epoch)] += 1 }
    #expect(counts.allSatisfy { abs($0 - 1000) < 170 })
    let other = try TokenStream(tokens: tokens, globalBatch: 2, timesteps: 5, seed: 2, name: "test")
    #expect((0..<50).contains { source.offset(ofEpoch: $0) != other.offset(ofEpoch: $0) })
  }

  @Test(arguments: [(13, true), (12, false)])
  func aTextShorterThanTheBatchNeedsIsAnErrorWithBothNumbers(count: Int, enough: Bool) throws {
    let tokens = [Int32](repeating: 1, count: count)
    let make = { try TokenStream(tokens: tokens, globalBatch: 4, timesteps: 3, seed: 1, name: "short.txt") }
    if enough {
      #expect(try make().stepsPerEpoch == 1)
    } else {
      let error = #expect(throws: Problem.self) { try make() }
      #expect(error?.exitCode == 65)
      #expect(error?.message.contains("at least 13") == true && error?.message.contains("got 12 (short.txt)") == true)
      #expect(error?.hint?.contains("batch.sequences") == true)
    }
  }

  @Test func aBatchLargerThanAnyTextIsAnErrorNotAnOverflow() {
    #expect(throws: Problem.self) {
      try TokenStream(tokens: [1, 2], globalBatch: Int.max, timesteps: 2, seed: 1, name: "test")
    }
  }

  @Test func evaluationCountsEachTargetExactlyOnceEachWithTheTokenBeforeIt() throws {
    for count in 2...45 {
      let tokens = (0..<count).map { Int32($0) }
      for (b, t) in shapes + [(60, 2)] {
        let source = try EvaluationStream(tokens: tokens, globalBatch: b, timesteps: t, name: "test")
        var seen: [Int32] = []
        var counted = 0
        for step in 0..<source.stepsPerEpoch {
          #expect(source.startsFresh(atStep: step, lane: 0) == (step == 0))
          counted += source.targetCount(atStep: step)
          let window = Window(source, step: step, lanes: 0..<b)
          for (token, target) in zip(window.tokens, window.targets) where target != noTarget {
            #expect(target == token + 1)
            seen.append(target)
          }
          #expect(window.tokens.allSatisfy { (0..<Int32(count)).contains($0) })
        }
        #expect(seen.sorted() == (1..<Int32(count)).map { $0 } && counted == count - 1)
      }
    }
  }

  @Test func evaluationCarriesEachLaneOnFromStepToStep() throws {
    let source = try EvaluationStream(
      tokens: (0..<40).map { Int32($0) }, globalBatch: 3, timesteps: 4, name: "test")
    for lane in 0..<3 {
      let walked = (0..<source.stepsPerEpoch).flatMap { step in
        Window(source, step: step, lanes: lane..<lane + 1).targets.filter { $0 != noTarget }
      }
      #expect(walked == (lane * 13 + 1...lane * 13 + 13).map { Int32($0) })
    }
  }

  @Test(arguments: [0, 1])
  func evaluationNeedsTwoTokens(count: Int) {
    let error = #expect(throws: Problem.self) {
      try EvaluationStream(
        tokens: [Int32](repeating: 0, count: count), globalBatch: 1, timesteps: 1, name: "test")
    }
    #expect(error?.exitCode == 65)
  }

  @Test func everyStringIsSeenOnceAnEpochAloneInItsLanePaddedBehindItsEnd() {
    let strings: [[Int32]] = (0..<7).map { n in (0...n % 3 + 1).map { Int32(n * 10 + $0) } }
    for seed in [nil, UInt64(5)] {
      for b in [1, 2, 3, 7, 9] {
        let source = StringBatches(strings: strings, globalBatch: b, timesteps: 4, shuffleSeed: seed)
        for epoch in 0..<2 {
          var seen: [[Int32]] = []
          for step in epoch * source.stepsPerEpoch..<(epoch + 1) * source.stepsPerEpoch {
            #expect(source.startsFresh(atStep: step, lane: 0))
            var counted = 0
            for lane in 0..<b {
              let window = Window(source, step: step, lanes: lane..<lane + 1)
              let length = window.targets.prefix { $0 != noTarget }.count
              #expect(window.targets[length...].allSatisfy { $0 == noTarget })
              counted += length
              guard length > 0 else { continue }
              #expect(Array(window.tokens[1..<length]) == Array(window.targets[..<(length - 1)]))
              seen.append([window.tokens[0]] + window.targets[..<length])
            }
            #expect(counted == source.targetCount(atStep: step))
          }
          if seed == nil { #expect(seen == strings) }
          #expect(seen.sorted { $0[0] < $1[0] } == strings)
        }
      }
    }
  }

  @Test func theOrderOfAStepDoesNotDependOnEarlierSteps() async {
    let strings: [[Int32]] = (0..<20).map { [Int32($0), 0] }
    let source = StringBatches(strings: strings, globalBatch: 3, timesteps: 1, shuffleSeed: 8)
    @Sendable func expected(_ step: Int) -> [Int] {
      var draws = PhiloxSequence(seed: 8, purpose: .dataOrder, step: step / 7)
      return Array(draws.permutation(20).dropFirst(step % 7 * 3).prefix(3))
    }
    let copy = source
    for step in [0, 1, 6, 7, 0, 20, 3, 21, 14, 6] {
      #expect(source.indices(atStep: step) == expected(step) && copy.indices(atStep: step + 7) == expected(step + 7))
    }
    await withTaskGroup(of: Bool.self) { group in
      for first in 0..<4 {
        group.addTask {
          (0..<200).allSatisfy { source.indices(atStep: 5 * $0 + first) == expected(5 * $0 + first) }
        }
      }
      for await same in group { #expect(same) }
    }
  }

  @Test func shuffledEpochsDependOnSeedAndEpochAlone() {
    let strings: [[Int32]] = (0..<20).map { [Int32($0), 0] }
    func order(_ seed: UInt64, _ epoch: Int) -> [Int] {
      let source = StringBatches(strings: strings, globalBatch: 3, timesteps: 1, shuffleSeed: seed)
      return (0..<7).flatMap { source.indices(atStep: epoch * 7 + $0) }
    }
    #expect(order(1, 0) == order(1, 0) && order(1, 0) != order(1, 1) && order(1, 0) != order(2, 0))
  }
}
