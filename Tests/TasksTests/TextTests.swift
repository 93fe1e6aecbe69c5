import DataParallel
import Foundation
import Sequences
import Tasks
import TestSupport
import Testing

/// Language models of small texts.
struct TextTests {
  private static let text = String(repeating: "abc", count: 100)

  private func withTask(
    _ text: String = Self.text, _ tokens: String = "characters",
    _ body: (_ learning: any LearningTask, _ directory: String) throws -> Void
  ) throws {
    try withDirectory { directory in
      try put(text.utf8, "\(directory)/text")
      let yaml =
        "task: language-model\ndata: {path: \(directory)/text, tokens: \(tokens), validation: 0.1}\n"
        + "batch: {sequences: 3, steps: 5}"
      try body(try task(yaml), directory)
    }
  }

  @Test func theModelPredictsTheNextOfTheVocabulary() throws {
    try withTask { learning, _ in
      let data = try learning.data()
      // a, b, c and what the training part does not contain.
      #expect(data.shape.vocabulary == 4 && data.shape.head == .everyStep(classes: 4))
      #expect(data.timesteps == 5 && data.training.globalBatch == 3)
      #expect(data.validation != nil)
      #expect(learning.uses == [.sample(length: 400)])
      let model = HandSetModel(data.shape) { _ in [0, 0, 0, 0] }
      #expect(try data.result(model, 1) == nil, "the loss of the run says all")
    }
  }

  @Test func everyTargetOfTheHeldOutPartCountsOnce() throws {
    try withTask { learning, directory in
      let result: TextResult = try learning.evaluated(learning.data()) { _ in [0, 0, 0, 0] }
      #expect(result.targets == 29 && result.set == "held-out part of \(directory)/text")
      #expect(isClose(result.loss, log(4)) && isClose(result.bitsPerToken, 2))
      let vocabulary = try Vocabulary(json: Data(learning.data().identity.vocabulary), name: "vocabulary")
      let next = try vocabulary.encode("bca")
      let order = try vocabulary.encode("abc")
      let sure: TextResult = try learning.evaluated(learning.data()) { read in
        let place = order.firstIndex(of: Int32(read.last!))!
        return (0..<4).map { $0 == next[place] ? 3 : 0 }
      }
      #expect(isClose(sure.loss, log(1 + 3 * exp(-3))))
    }
  }

  @Test func anotherTextIsReadWithTheVocabularyOfTheModel() throws {
    try withTask { learning, directory in
      try put("abxabc".utf8, "\(directory)/other")
      let result: TextResult = try learning.evaluated(learning.data(), on: "\(directory)/other") { _ in
        [0, 0, 0, 0]
      }
      #expect(result.targets == 5 && result.set == "\(directory)/other" && isClose(result.loss, log(4)))
      let plan = try learning.evaluation(of: learning.saved(learning.data()), on: "\(directory)/other")
      #expect(plan.identity != nil, "ranks compare what each has read")
    }
  }

  @Test func wordsHaveAPerplexity() throws {
    try withTask(String(repeating: "so it goes ", count: 40), "words") { learning, _ in
      let data = try learning.data()
      let V = try #require(data.shape.vocabulary)
      let result: TextResult = try learning.evaluated(data) { _ in [Float](repeating: 0, count: V) }
      #expect(result.tokens == .words && isClose(result.perplexity, Double(V)))
      #expect(result.measurements.contains { $0.name == "perplexity" && $0.value == .number(result.perplexity) })
    }
  }

  @Test func aTextThatHasChangedIsRefused() throws {
    try withTask { learning, directory in
      let saved = learning.saved(try learning.data())
      try put(Self.text.replacing("c", with: "d").utf8, "\(directory)/text")
      let problem = failure { _ = try learning.evaluation(of: saved, on: nil) }
      #expect(problem?.exitCode == 65)
      #expect(problem?.message.contains("the data has changed since the run began") == true)
    }
  }

  // MARK: Sampling

  /// A model that is all zeros but for the bias of one output: it always draws that token.
  private func drawn(_ learning: any LearningTask, token: Character, _ options: SamplingOptions) throws -> (
    [SampledSequence], SamplingPlan
  ) {
    let data = try learning.data()
    let vocabulary = try Vocabulary(json: Data(data.identity.vocabulary), name: "vocabulary")
    let model = HandSetModel(data.shape) { _ in [] }
    let bias = data.shape.outputRange.upperBound - vocabulary.count
    model.parameters[bias + Int(try vocabulary.encode(String(token))[0])] = 50
    let plan = try learning.sampling(from: learning.saved(data), options)
    var drawn: [SampledSequence] = []
    plan.draw(Sampler(shape: data.shape, parameters: model.parameters, seed: 1)) { drawn.append($0) }
    withExtendedLifetime(model) {}
    return (drawn, plan)
  }

  @Test func aPromptStandsInFrontOfWhatIsDrawn() throws {
    try withTask { learning, _ in
      let (drawn, plan) = try drawn(learning, token: "b", SamplingOptions(prompt: "acx", length: 4))
      #expect(plan.promptTokens == 3 && plan.unknownPromptTokens == 1)
      #expect(drawn.count == 1 && drawn[0].isLegal == nil)
      #expect(drawn[0].text.hasPrefix("ac") && drawn[0].text.hasSuffix("bbbb"))
      let (alone, unprompted) = try self.drawn(learning, token: "c", SamplingOptions())
      #expect(alone[0].text == String(repeating: "c", count: 200) && unprompted.unknownPromptTokens == 0)
    }
  }
}
