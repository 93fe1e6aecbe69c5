import DataParallel
import Foundation
import Sequences
import Tasks
import Testing

/// The embedded Reber grammar.
struct ReberTests {
  private static let yaml =
    "data: {trainingStrings: 60, heldOutStrings: 25}\nbatch: {sequences: 7, steps: 29}\nseed: 5"

  private static func strings() throws -> ReberTask {
    try ReberTask(seed: 5, trainingCount: 60, heldOutCount: 25, longest: 30)
  }

  /// Logits of 5 for every symbol that may come next, 0 for the others.
  private static func grammar(_ read: [Float]) -> [Float] {
    let legal = ReberGrammar.legalNext(after: read.map { Int32($0) })!
    return (0..<7).map { legal.contains(Int32($0)) ? 5 : 0 }
  }

  @Test func dataAreStringsOfTheGrammarAndTheModelPredictsSymbols() throws {
    let (data, strings) = (try task(Self.yaml).data(), try Self.strings())
    #expect(data.shape.vocabulary == 7 && data.shape.head == .everyStep(classes: 7))
    #expect(data.timesteps == 29 && data.unit == "token")
    #expect(data.validation?.stepsPerEpoch == 4)
    let tokens = DataIdentity(vocabulary: data.identity.vocabulary, tokens: strings.training + strings.heldOut)
    #expect(data.identity == tokens)
  }

  @Test(arguments: [nil, 5])
  func theGrammarItselfMeetsTheCriterion(segment: Int?) throws {
    let learning = try task(Self.yaml)
    let result: ReberResult = try learning.evaluated(
      learning.data(), step: 11, segment: segment, Self.grammar)
    #expect(result.isMet && result.trained == 77)
    for (score, set) in zip(result.scores, [try Self.strings().training, try Self.strings().heldOut]) {
      #expect(score.solved == set.count && score.strings == set.count)
      var (sum, count) = (0.0, 0)
      for string in set {
        for (t, legal) in ReberGrammar.legalTargets(of: string)!.enumerated() {
          #expect(legal.contains(string[t + 1]))
          sum += log(Double(legal.count) + Double(7 - legal.count) * exp(-5))
          count += 1
        }
      }
      #expect(isClose(score.loss, sum / Double(count)))
      #expect(isClose(score.grammarLoss, ReberTask.perfectLoss(on: set)))
    }
    #expect(result.scores.map(\.set) == ["training", "held-out"])
  }

  /// One wrong step, in whatever piece of the window, and a string is not solved.
  @Test(arguments: [nil, 1, 5])
  func aStringWithOneIllegalStepIsNotSolved(segment: Int?) throws {
    let learning = try task(Self.yaml)
    let result: ReberResult = try learning.evaluated(learning.data(), segment: segment) { read in
      let row = Self.grammar(read)
      return read.count == 12 ? row.map { 5 - $0 } : row
    }
    let strings = try Self.strings()
    // A string of n symbols has steps after 1 ... n − 1 of them.
    #expect(result.scores[0].solved == strings.training.count { $0.count <= 12 })
    #expect(result.scores[1].solved == strings.heldOut.count { $0.count <= 12 })
    #expect(!result.isMet)
  }

  @Test func aTrainingEndsWithStringsDrawnFromTheModel() throws {
    let learning = try task(Self.yaml)
    let data = try learning.data()
    let model = HandSetModel(data.shape, Self.grammar)
    let result = try #require(try data.result(model, 3) as? ReberResult)
    #expect(result.trained == 21 && result.sampled.count == 5)
    for string in result.sampled {
      #expect(string.text.hasPrefix("B"))
      let tokens = try ReberTask.vocabulary.encode(string.text)
      #expect(string.isLegal == ReberGrammar.isLegal(tokens))
    }
    #expect(Set(result.sampled.map(\.text)).count > 1)
  }

  @Test func stringsAreDrawnButNotAfterAPrompt() throws {
    let learning = try task(Self.yaml)
    let data = try learning.data()
    let model = HandSetModel(data.shape, Self.grammar)
    let plan = try learning.sampling(from: learning.saved(data), SamplingOptions(length: 3))
    var drawn: [SampledSequence] = []
    plan.draw(Sampler(shape: data.shape, parameters: model.parameters, seed: 1)) { drawn.append($0) }
    #expect(drawn.count == 3 && drawn.allSatisfy { $0.isLegal != nil })
    #expect(throws: (any Error).self) {
      _ = try learning.sampling(from: learning.saved(data), SamplingOptions(prompt: "B"))
    }
    withExtendedLifetime(model) {}
  }
}
