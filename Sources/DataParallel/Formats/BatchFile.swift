import LSTM
import SafeTensors

/// `batch.safetensors` of a dump: the sequences of a step, the states before it, and what its computation depends on.
/// Reading checks shapes and dtypes; values are the caller's to check.
struct BatchFile {
  /// The tensors; Runs/FORMAT.md has the table. B sequences, T timesteps.
  private enum Name {
    /// I32 [B, T], or for models that read numbers F32 [B, T, D]
    static let tokens = "tokens"
    static let numbers = "numbers"
    /// I32 [B, T] or [B], or for heads with numbers F32 [B, T, K] or [B, K]
    static let targets = "targets"
    static let values = "values"
    /// I32 [B]
    static let lengths = "lengths"
    /// F32 [B, cells, 2, H]
    static let hidden = "hidden"
    /// I64 []
    static let targetCount = "targetCount"
    /// F32 [3] and U8 [n], UTF-8
    static let dropout = "dropout"
    static let dropoutMask = "dropoutMask"
    /// F32 [2]
    static let penalty = "penalty"
    /// I64 []
    static let segment = "segment"
    /// I64 [2]
    static let ranks = "ranks"
    /// U8 [n], UTF-8
    static let head = "head"
    static let finding = "finding"
  }

  /// B and T.
  let lanes: Int
  let timesteps: Int
  /// One of the two is empty, as the shape's input says.
  var tokens: [Int32] = []
  var numbers: [Float] = []
  /// One of the two is empty, as the shape's head says.
  var targets: [Int32] = []
  var values: [Float] = []
  var lengths: [Int32] = []
  var hidden: [Float] = []
  /// Of the global batch.
  var targetCount: Int64 = 0
  /// Dropout of activations, of recurrent weights, of the embedding.
  var dropout: [Float] = []
  var dropoutMask = ""
  /// Factors of the penalties on activations and on their changes.
  var penalty: [Float] = []
  /// Timesteps in memory at once.
  var segment: Int64 = 0
  /// The rank of the finding, and how many there were.
  var ranks: [Int64] = []
  /// The finding in words.
  var finding = ""

  init(lanes: Int, timesteps: Int) { (self.lanes, self.timesteps) = (lanes, timesteps) }

  // MARK: Writing

  func tensors(_ shape: ModelShape) -> [TensorSource] {
    let input =
      shape.vocabulary != nil
      ? TensorSource(name: Name.tokens, shape: inputShape(shape), values: tokens)
      : TensorSource(name: Name.numbers, shape: inputShape(shape), values: numbers)
    let targets =
      shape.hasNumericTargets
      ? TensorSource(name: Name.values, shape: targetShape(shape), values: values)
      : TensorSource(name: Name.targets, shape: targetShape(shape), values: self.targets)
    return [
      input, targets, TensorSource(name: Name.lengths, shape: [lanes], values: lengths),
      TensorSource(name: Name.hidden, shape: hiddenShape(shape), values: hidden),
      TensorSource(name: Name.dropout, shape: [3], values: dropout),
      TensorSource(name: Name.penalty, shape: [2], values: penalty),
      TensorSource(name: Name.dropoutMask, text: dropoutMask),
      TensorSource(name: Name.segment, shape: [], values: [segment]),
      TensorSource(name: Name.targetCount, shape: [], values: [targetCount]),
      TensorSource(name: Name.ranks, shape: [2], values: ranks),
      TensorSource(name: Name.head, text: OutputName(shape).text), TensorSource(name: Name.finding, text: finding),
    ]
  }

  private func inputShape(_ shape: ModelShape) -> [Int] {
    [lanes, timesteps] + (shape.vocabulary == nil ? [shape.inputs] : [])
  }

  private func targetShape(_ shape: ModelShape) -> [Int] {
    [lanes] + (shape.head.isPooled ? [] : [timesteps]) + (shape.hasNumericTargets ? [shape.classes] : [])
  }

  private func hiddenShape(_ shape: ModelShape) -> [Int] { [lanes, shape.lstm.count, 2, shape.hidden] }

  // MARK: Reading

  /// The text of an `OutputName`, from which the shape follows that the rest is read with.
  static func head(_ file: TensorFile) throws -> String { try file.text(Name.head) }

  /// The shape of what the model reads: for a check of B and T before anything is read.
  static func inputShape(_ file: TensorFile, _ shape: ModelShape) throws -> [Int] {
    try file.tensor(shape.vocabulary != nil ? Name.tokens : Name.numbers).shape
  }

  init(_ file: TensorFile, _ shape: ModelShape, lanes: Int, timesteps: Int) throws {
    self.init(lanes: lanes, timesteps: timesteps)
    if shape.vocabulary != nil {
      tokens = try file.values(Name.tokens, shape: inputShape(shape))
    } else {
      numbers = try file.values(Name.numbers, shape: inputShape(shape))
    }
    if shape.hasNumericTargets {
      values = try file.values(Name.values, shape: targetShape(shape))
    } else {
      targets = try file.values(Name.targets, shape: targetShape(shape))
    }
    lengths = try file.values(Name.lengths, shape: [lanes])
    targetCount = try file.values(Name.targetCount, shape: [])[0]
    dropout = try file.values(Name.dropout, shape: [3])
    penalty = try file.values(Name.penalty, shape: [2])
    dropoutMask = try file.text(Name.dropoutMask)
    segment = try file.values(Name.segment, shape: [])[0]
    ranks = try file.values(Name.ranks, shape: [2])
    hidden = try file.values(Name.hidden, shape: hiddenShape(shape))
    finding = try file.text(Name.finding)
  }
}

extension ModelShape {
  /// Whether targets are numbers, and not classes.
  fileprivate var hasNumericTargets: Bool {
    switch batchTargets {
    case .everyStep, .pooled: false
    case .everyStepNumbers, .pooledNumbers: true
    }
  }
}
