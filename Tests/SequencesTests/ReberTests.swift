import ExactMath
import Problems
import Sequences
import Testing

@Suite struct ReberTests {
  /// The language written as a regular expression, worked out by hand from the paper's figures: behind a state-4 visit
  /// come any number of loops through states 3 and 5, then a way out.
  private let truth: Regex<Substring> = {
    let from4 = "(?:XT*VP)*(?:S|XT*VV)"
    let reber = "B(?:TS*X\(from4)|PT*V(?:V|P\(from4)))E"
    return try! Regex("B(?:T\(reber)T|P\(reber)P)E", as: Substring.self)
  }()

  private func tokens(_ text: String) -> [Int32] { try! ReberTask.vocabulary.encode(text) }
  private func text(_ tokens: [Int32]) -> String { ReberTask.vocabulary.decode(tokens) }

  private func draw(_ count: Int, seed: UInt64 = 1) -> [[Int32]] {
    var draws = PhiloxSequence(seed: seed, purpose: .dataGeneration, step: 99)
    return (0..<count).map { _ in ReberGrammar.generate(&draws) }
  }

  @Test(
    arguments: ["BTSSXXTVVE", "BPVVE", "BTXXVPSE", "BPVPXVPXVPXVVE", "BTSXXVPSE"])
  func stringsFromTheLiteratureAreLegal(reber: String) {
    #expect(ReberGrammar.isLegal(tokens("BT" + reber + "TE")) && ReberGrammar.isLegal(tokens("BP" + reber + "PE")))
    #expect(!ReberGrammar.isLegal(tokens("BT" + reber + "PE")) && !ReberGrammar.isLegal(tokens("BP" + reber + "TE")))
    #expect(!ReberGrammar.isLegal(tokens(reber)) && !ReberGrammar.isLegal(tokens("BT" + reber + "T")))
  }

  @Test(
    arguments: ["BTSSPXSE", "BPTVVB", "BTXXVVSE", "BPVSPSE", "BTSSSE"])
  func stringsThatTheLiteratureCallsWrongAreIllegal(reber: String) {
    #expect(!ReberGrammar.isLegal(tokens("BT" + reber + "TE")) && !ReberGrammar.isLegal(tokens("BP" + reber + "PE")))
  }

  @Test func everyGeneratedStringIsLegalAlsoToTheRegularExpression() {
    for string in draw(3000) {
      #expect(ReberGrammar.isLegal(string) && text(string).wholeMatch(of: truth) != nil)
      #expect(string.count >= ReberGrammar.shortestLength)
    }
  }

  @Test func everyMutationIsJudgedAsByTheRegularExpression() {
    for string in Set(draw(60)) {
      for place in string.indices {
        var shorter = string
        shorter.remove(at: place)
        var mutated = [shorter]
        for symbol in Int32(0)..<7 {
          var changed = string
          changed[place] = symbol
          var longer = string
          longer.insert(symbol, at: place)
          mutated += [changed, longer]
        }
        for other in mutated {
          #expect(ReberGrammar.isLegal(other) == (text(other).wholeMatch(of: truth) != nil), "\(text(other))")
        }
      }
    }
  }

  @Test func theLegalSymbolsBehindAPrefixAreThoseThatSomeStringGoesOnWith() {
    #expect(ReberGrammar.legalNext(after: []) == [0])
    #expect(ReberGrammar.legalNext(after: tokens("B")) == tokens("TP"))
    #expect(ReberGrammar.legalNext(after: tokens("BTBTXXVVE")) == tokens("T"))
    #expect(ReberGrammar.legalNext(after: tokens("BPBTXXVVE")) == tokens("P"))
    #expect(ReberGrammar.legalNext(after: tokens("BPBPVVEPE")) == [])
    #expect(ReberGrammar.legalNext(after: tokens("BS")) == nil)
    var following: [[Int32]: Set<Int32>] = [:]
    for string in draw(20_000) {
      for end in 0..<min(string.count, 8) { following[Array(string[..<end]), default: []].insert(string[end]) }
    }
    for (prefix, symbols) in following { #expect(ReberGrammar.legalNext(after: prefix) == symbols.sorted()) }
  }

  @Test func legalTargetsStandBesideEachInputOfAString() throws {
    let string = tokens("BPBTSXSEPE")
    let legal = try #require(ReberGrammar.legalTargets(of: string))
    #expect(legal.map { text($0) } == ["TP", "B", "TP", "SX", "SX", "SX", "E", "P", "E"])
    #expect(ReberGrammar.legalTargets(of: tokens("BPE")) == nil)
  }

  @Test func probabilitiesOfShortStringsSumToTheirShareOfDraws() {
    #expect(abs(ReberGrammar.logProbability(of: tokens("BTBPVVETE")) - -4 * 0.6931471805599453) < 1e-12)
    #expect(ReberGrammar.logProbability(of: tokens("BTBPVVEPE")) == -.infinity)
    let strings = draw(20_000)
    // All strings of at most 15 symbols: 134 of them.
    let short = Set(strings.filter { $0.count <= 15 })
    #expect(short.count == 134)
    let sum = short.reduce(0) { $0 + exponential(ReberGrammar.logProbability(of: $1)) }
    let share = Double(strings.count { $0.count <= 15 }) / Double(strings.count)
    #expect(abs(sum - share) < 0.015 && abs(sum - 0.867) < 0.001)
  }

  @Test func frequenciesOfStringsAgreeWithTheirProbabilities() {
    let strings = draw(40_000)
    let counts = Dictionary(grouping: strings) { $0 }.mapValues(\.count)
    for (string, count) in counts {
      let expected = exponential(ReberGrammar.logProbability(of: string)) * 40_000
      #expect(abs(Double(count) - expected) < 6 * expected.squareRoot() + 6)
    }
  }

  @Test func theEntropyIs7BitsAStringOf12SymbolsAndDrawsAgree() {
    let ln2 = 0.6931471805599453
    #expect(abs(ReberGrammar.entropyPerString - 7 * ln2) < 1e-12)
    #expect(abs(ReberGrammar.meanLength - 12) < 1e-12)
    #expect(abs(ReberGrammar.entropyPerTarget - 7 * ln2 / 11) < 1e-12)
    let strings = draw(40_000)
    let length = Double(strings.reduce(0) { $0 + $1.count }) / 40_000
    let surprise = -strings.reduce(0) { $0 + ReberGrammar.logProbability(of: $1) } / 40_000
    #expect(abs(length - 12) < 0.12 && abs(surprise - ReberGrammar.entropyPerString) < 0.06)
    #expect(abs(ReberTask.perfectLoss(on: strings) - ReberGrammar.entropyPerTarget) < 0.005)
  }

  @Test func theCriterionWantsEveryLegalSymbolAboveEveryIllegalOne() {
    func judge(_ logits: [Float], _ legal: [Int32]) -> Bool {
      logits.withUnsafeBufferPointer { ReberGrammar.mostLikelyAreLegal(logits: $0, legal: legal) }
    }
    #expect(judge([0, 5, 4, 1, 2, 3, -1], [1, 2]))
    #expect(judge([0, 5, -3, 1, 2, 3, -1], [1]))
    #expect(!judge([0, 5, 3, 1, 2, 4, -1], [1, 2]))
    #expect(!judge([0, 5, 4, 1, 2, 4, -1], [1, 2]))
    #expect(!judge([0, 5, 4, .nan, 2, 3, -1], [1, 2]))
    #expect(!judge([.nan, .nan], [0]))
    #expect(!judge([1, 1, 1], [0, 1]))
  }
}

/// Taylor's series after halving the argument 20 times: the tests need no C library for one function.
private func exponential(_ x: Double) -> Double {
  let small = x / 1_048_576
  var value = 1 + small + small * small / 2 + small * small * small / 6
  for _ in 0..<20 { value *= value }
  return value
}

@Suite struct ReberTaskTests {
  @Test(arguments: [UInt64(1), 2, 77])
  func heldOutStringsAreAllDifferentAndNoneIsATrainingString(seed: UInt64) throws {
    let task = try ReberTask(seed: seed, trainingCount: 512, heldOutCount: 256, longest: 33)
    #expect(task.training.count == 512 && task.heldOut.count == 256)
    #expect(Set(task.heldOut).count == 256 && Set(task.heldOut).isDisjoint(with: task.training))
    #expect((task.training + task.heldOut).allSatisfy { ReberGrammar.isLegal($0) && $0.count <= 33 })
    #expect(ReberTask.perfectLoss(on: task.heldOut) > ReberTask.perfectLoss(on: task.training))
  }

  @Test func theSeedAloneDecidesTheStrings() throws {
    let make = { try ReberTask(seed: $0, trainingCount: 20, heldOutCount: 5, longest: 33) }
    let (one, same, other) = try (make(1), make(1), make(2))
    #expect(one.training == same.training && one.heldOut == same.heldOut && one.training != other.training)
  }

  @Test func sourcesHoldAllStrings() throws {
    let task = try ReberTask(seed: 4, trainingCount: 10, heldOutCount: 6, longest: 20)
    let training = task.trainingSource(globalBatch: 4, seed: 4)
    #expect(training.timesteps == 19 && training.stepsPerEpoch == 3)
    let heldOut = task.evaluationSource(task.heldOut, globalBatch: 4)
    #expect((0..<2).flatMap { heldOut.indices(atStep: $0) } == Array(0..<6))
    #expect(Set((0..<3).flatMap { training.indices(atStep: $0) }) == Set(0..<10))
  }

  @Test func tooShortAWindowOrTooFewDifferentStringsIsAnErrorWithExitCode78() throws {
    for (longest, heldOut) in [(8, 1), (0, 0), (9, 4), (12, 40)] {
      let error = #expect(throws: Problem.self) {
        try ReberTask(seed: 1, trainingCount: 4, heldOutCount: heldOut, longest: longest)
      }
      #expect(error?.exitCode == 78)
    }
    #expect(try ReberTask(seed: 1, trainingCount: 1, heldOutCount: 3, longest: 9).heldOut.count == 3)
  }
}
