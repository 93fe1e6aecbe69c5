import Foundation
import Sequences
import Tasks
import Testing

/// The tasks of long time lags, beside their own generators.
struct GeneratedTests {
  // MARK: Temporal order

  private static let order = "task: temporal-order\ndata: {heldOutStrings: 21}\nbatch: {sequences: 4}\nseed: 3"

  /// The class of a sequence: its X and Y in their order.
  private static func orderClass(_ read: [Float]) -> Int {
    read.filter { $0 >= 6 }.reduce(0) { 2 * $0 + ($1 == 7 ? 1 : 0) }
  }

  /// K logits of which one is `value` and the others are 0.
  private static func oneHot(_ place: Int, of count: Int, _ value: Float = 20) -> [Float] {
    (0..<count).map { $0 == place ? value : 0 }
  }

  @Test func temporalOrderReadsSymbolsAndHoldsTheFirstSequencesOut() throws {
    let data = try task(Self.order).data()
    #expect(data.shape.vocabulary == 8)
    #expect(data.shape.head == .pooled(classes: 4))
    #expect(data.timesteps == 110)
    #expect(data.training.globalBatch == 4)
    #expect(data.validation?.stepsPerEpoch == 6)
    #expect(data.unit == "sequence" && data.measure == "nats")
    let three = try task(Self.order.replacing("heldOut", with: "relevantSymbols: 3, heldOut")).data()
    #expect(three.shape.head == .pooled(classes: 8))
  }

  @Test func temporalOrderIsLearnedWhereTheLastTwoThousandSequencesAreRight() throws {
    let learning = try task(Self.order)
    let data = try learning.data()
    func result(step: Int) throws -> GeneratedResult {
      try learning.evaluated(data, step: step) { Self.oneHot(Self.orderClass($0), of: 4) }
    }
    let early = try result(step: 499)
    #expect(early.criterion == .trained(wrong: 0, of: 1996))
    #expect(early.wrong == 0 && early.heldOut == 21 && !early.isMet && early.trained == 1996)
    #expect(isClose(early.loss, log(1 + 3 * exp(-20))))
    #expect(try result(step: 500).isMet)
  }

  @Test func wrongSequencesAreCountedAmongThoseHeldOutAndThoseTrainedOn() throws {
    let learning = try task(Self.order)
    let result: GeneratedResult = try learning.evaluated(learning.data(), step: 7) { read in
      let label = Self.orderClass(read)
      return Self.oneHot(label == 2 ? 0 : label, of: 4)
    }
    let labels = (0..<49).map { TemporalOrder.two.example(seed: 3, index: $0).label }
    #expect(result.wrong == labels[..<21].count { $0 == 2 })
    #expect(result.criterion == .trained(wrong: labels[21...].count { $0 == 2 }, of: 28))
    #expect(result.wrong > 0 && !result.isMet)
  }

  /// Every output must be less than 0.3 off: with four classes the right one needs a probability above 0.7.
  @Test(arguments: [(0.69, 21), (0.71, 0)])
  func anOutputThatIsTooFarOffIsWrong(probability: Double, wrong: Int) throws {
    let learning = try task(Self.order)
    let logit = Float(log(3 * probability / (1 - probability)))
    let result: GeneratedResult = try learning.evaluated(learning.data()) {
      Self.oneHot(Self.orderClass($0), of: 4, logit)
    }
    #expect(result.wrong == wrong && result.tolerance == 0.3)
  }

  // MARK: Adding and multiplication

  @Test(arguments: [("adding", Float(0.039), 0), ("multiplication", 0.041, 13)])
  func twoMarkedNumbersAreAddedOrMultiplied(name: String, error: Float, wrong: Int) throws {
    let learning = try task("task: \(name)\ndata: {heldOutStrings: 13, shortest: 30}\nbatch: {sequences: 4}")
    let data = try learning.data()
    #expect(data.shape.input == .numbers(2) && data.shape.head == .pooledNumbers(1))
    #expect(data.timesteps == 33 && data.measure.isEmpty)
    let result: GeneratedResult = try learning.evaluated(data) { read in
      let pairs = (0..<read.count / 2).map { (value: read[2 * $0], marker: read[2 * $0 + 1]) }
      let marked = pairs.filter { $0.marker == 1 }.map(\.value)
      // A marked first pair keeps its marker of −1, and has the neutral value.
      let answer = name == "adding" ? 0.5 + marked.reduce(0, +) / 4 : marked.reduce(1, *)
      return [answer + error]
    }
    #expect(result.isSquaredError && result.wrong == wrong)
    #expect(isClose(result.loss, Double(error * error), 1e-5))
    #expect(result.criterion == .trained(wrong: wrong == 0 ? 0 : 40, of: 40))
  }

  // MARK: Copying

  /// Only the end counts, in whatever pieces a window is shown.
  @Test(arguments: [nil, 1, 4])
  func theFirstSymbolIsCopiedToTheEnd(segment: Int?) throws {
    let learning = try task("task: copy\ndata: {symbols: 9, heldOutStrings: 21}\nbatch: {sequences: 4}")
    let data = try learning.data()
    #expect(data.shape.vocabulary == 10 && data.shape.head == .everyStep(classes: 10) && data.timesteps == 9)
    #expect(data.unit == "symbol")
    let result: GeneratedResult = try learning.evaluated(data, segment: segment) { read in
      read.count < 9 ? [Float](repeating: 0, count: 10) : Self.oneHot(Int(read[0]), of: 10)
    }
    #expect(result.wrong == 0 && result.criterion == .new)
    #expect(!result.isMet, "the criterion wants 10,000 sequences")
    #expect(isClose(result.loss, (8 * log(10.0) + log(1 + 9 * exp(-20))) / 9))
    let opposite: GeneratedResult = try learning.evaluated(data, segment: segment) { read in
      Self.oneHot(read.count < 9 ? 0 : 17 - Int(read[0]), of: 10)
    }
    #expect(opposite.wrong == 21)
  }

  @Test func behindATriggerOneOfTwoClassesIsCopied() throws {
    let learning = try task(
      "task: copy\ndata: {symbols: 5, variant: 2c, shortest: 8, heldOutStrings: 10000}\nbatch: {sequences: 500}")
    let data = try learning.data()
    #expect(data.shape.head == .pooled(classes: 2))
    let result: GeneratedResult = try learning.evaluated(data) { read in
      // b, then x (token p + 2) or y.
      Self.oneHot(Int(read[1]) - 7, of: 2)
    }
    #expect(result.wrong == 0 && result.heldOut == 10_000 && result.isMet)
  }

  @Test func thereAreNoFilesToEvaluateOn() throws {
    let learning = try task(Self.order)
    #expect(throws: (any Error).self) { _ = try learning.evaluation(of: learning.saved(learning.data()), on: "x") }
  }
}
