import LSTM
import Optimization
import Problems
import Runs
import SafeTensors

/// `state.safetensors` of a checkpoint: all that training needs besides parameters and moments. Read as hostile input;
/// each item is read when it is asked for.
package struct StateFile {
  /// The tensors; Runs/FORMAT.md has the table.
  private enum Name {
    /// F32 [B, cells, 2, H]
    static let hidden = "hidden"
    /// U8 [n], UTF-8
    static let head = "head"
    /// U8 [n], JSON
    static let vocabulary = "vocabulary"
    /// U8 [64]
    static let tokensSHA256 = "tokensSHA256"
    /// F64 []; absent before the first finite step.
    static let trainLoss = "trainLoss"
    /// I64 [3]: skipped, skipped in a row, rollbacks
    static let setbacks = "setbacks"
    /// F64 []
    static let learningRateFactor = "learningRateFactor"
    /// I64 []; absent before the average has begun.
    static let averaged = "averaged"
    /// I64 [n] and F64 [n]; absent where no evaluation is kept.
    static let evaluatedSteps = "evaluations.step"
    static let evaluatedLosses = "evaluations.loss"
  }

  /// No count in the file is larger.
  private static let largestCount = Int64(Int32.max)

  private let file: TensorFile

  package init(_ checkpoint: Checkpoint) throws { file = try checkpoint.open(RunNames.state) }

  // MARK: Writing

  /// The file's tensors. `hidden` is used when they are written.
  static func tensors(
    hidden: UnsafeBufferPointer<Float>, lanes: Int, shape: ModelShape, trainLoss: Double?, identity: DataIdentity,
    setbacks: Setbacks, averaged: Int, evaluations: [Evaluation]
  ) -> [TensorSource] {
    var tensors = [
      TensorSource(name: Name.hidden, floats: hidden, shape: hiddenShape(lanes: lanes, shape)),
      TensorSource(name: Name.head, text: OutputName(shape).text),
      TensorSource(name: Name.learningRateFactor, shape: [], values: [setbacks.learningRateFactor]),
      TensorSource(name: Name.setbacks, shape: [3], values: setbacks.counts.map(Int64.init)),
      TensorSource(name: Name.vocabulary, shape: [identity.vocabulary.count], values: identity.vocabulary),
      TensorSource(name: Name.tokensSHA256, text: identity.tokensSHA256),
    ]
    if let trainLoss { tensors.append(TensorSource(name: Name.trainLoss, shape: [], values: [trainLoss])) }
    if averaged > 0 { tensors.append(TensorSource(name: Name.averaged, shape: [], values: [Int64(averaged)])) }
    if !evaluations.isEmpty {
      let (steps, losses) = (evaluations.map { Int64($0.step) }, evaluations.map(\.loss))
      tensors.append(TensorSource(name: Name.evaluatedSteps, shape: [steps.count], values: steps))
      tensors.append(TensorSource(name: Name.evaluatedLosses, shape: [losses.count], values: losses))
    }
    return tensors
  }

  private static func hiddenShape(lanes: Int, _ shape: ModelShape) -> [Int] {
    [lanes, shape.lstm.count, 2, shape.hidden]
  }

  // MARK: Reading

  /// The states of all lanes, [lanes, cells, 2, H].
  package func hidden(lanes: Int, shape: ModelShape) throws -> [Float] {
    try file.values(Name.hidden, shape: StateFile.hiddenShape(lanes: lanes, shape))
  }

  /// The text of an `OutputName`.
  func head() throws -> String { try file.text(Name.head) }

  func vocabulary() throws -> [UInt8] { try file.values(Name.vocabulary) }

  func tokensSHA256() throws -> String { try file.text(Name.tokensSHA256) }

  /// The loss of the last step that was finite; nil before there was one.
  package func trainLoss() throws -> Double? {
    file.contains(Name.trainLoss) ? try file.values(Name.trainLoss, shape: [])[0] : nil
  }

  package func setbacks() throws -> Setbacks {
    let counts = try file.values(Name.setbacks, as: Int64.self, shape: [3])
    let factor = try file.values(Name.learningRateFactor, as: Double.self, shape: [])[0]
    guard counts.allSatisfy({ (0...StateFile.largestCount).contains($0) }),
      RolledBackRecord.isPossible(learningRateFactor: factor)
    else {
      throw Problem(
        .badData, "setbacks of a run are impossible",
        expected: "counts from 0 to \(StateFile.largestCount) and a factor in (0, 1]", got: "\(counts) and \(factor)",
        at: file.path)
    }
    return Setbacks(counts: counts.map(Int.init), learningRateFactor: factor)
  }

  /// How many parameters the average is over, 0 before it has begun.
  package func averaged() throws -> Int {
    guard file.contains(Name.averaged) else { return 0 }
    let averaged = try file.values(Name.averaged, as: Int64.self, shape: [])[0]
    guard averaged > 0, averaged <= StateFile.largestCount else {
      throw Problem(
        .badData, "average of a run is impossible", expected: "one of 1 to \(StateFile.largestCount) parameters",
        got: "\(averaged)", at: file.path)
    }
    return Int(averaged)
  }

  /// The evaluations that decide how training goes on; none where they decide about nothing.
  package func evaluations() throws -> [Evaluation] {
    guard file.contains(Name.evaluatedSteps) else { return [] }
    let steps = try file.values(Name.evaluatedSteps, as: Int64.self)
    let losses = try file.values(Name.evaluatedLosses, as: Double.self, shape: [steps.count])
    guard zip([0] + steps, steps).allSatisfy({ $0 < $1 }), steps.allSatisfy({ $0 <= StateFile.largestCount }) else {
      throw Problem(
        .badData, "evaluations of a run are impossible", expected: "ascending steps", got: "\(steps)", at: file.path)
    }
    return zip(steps, losses).map { Evaluation(step: Int($0), loss: $1) }
  }
}
