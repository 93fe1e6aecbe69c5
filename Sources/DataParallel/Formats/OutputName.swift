import LSTM

/// What stands above the layers of a saved model, in words with spaces between them: the head's name, then for one that
/// has them what it reads of a sequence but for its last timestep, `tied`, and the cutoffs and the factor of an adaptive
/// softmax, as in `lastStep pooling=mean` or `everyStep adaptive=2000,10000/4`.
struct OutputName {
  private let head: String
  private var pooling = Pooling.last
  private var isTied = false
  private var softmax: (cutoffs: [Int], factor: Int)?

  /// Nil for what nobody has written.
  init?(_ text: String) {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    head = String(words[0])
    for word in words.dropFirst() {
      if word == "tied" {
        isTied = true
      } else if let named = Pooling.allCases.first(where: { $0 != .last && word == "pooling=\($0.rawValue)" }) {
        pooling = named
      } else if word.hasPrefix("adaptive=") {
        let numbers = word.dropFirst("adaptive=".count).split(separator: "/")
        let cutoffs = numbers.first?.split(separator: ",").map { Int($0) } ?? []
        guard numbers.count == 2, let factor = Int(numbers[1]), !cutoffs.contains(nil) else {
          return nil
        }
        softmax = (cutoffs.compactMap(\.self), factor)
      } else {
        return nil
      }
    }
  }

  /// The name of a model's output.
  init(_ shape: ModelShape) {
    head = OutputName.name(of: shape.head)
    pooling = shape.pooling
    isTied = shape.isTied
    softmax = shape.adaptive.map { ($0.cutoffs, $0.factor) }
  }

  var text: String {
    let cut = softmax.map {
      [" adaptive=", $0.cutoffs.map(String.init).joined(separator: ","), "/\($0.factor)"].joined()
    }
    return head + (pooling == .last ? "" : " pooling=\(pooling.rawValue)") + (isTied ? " tied" : "") + (cut ?? "")
  }

  /// Whether the model has no matrix with a row for each class but the embedding.
  var isSharedOrCut: Bool { isTied || softmax != nil }

  /// The model with this above its layers; nil where it does not fit them.
  func shape(
    input: ModelShape.Input, hidden: Int, layers: Int, isBidirectional: Bool, classes: Int
  ) -> ModelShape? {
    let heads = [
      ModelShape.Head.everyStep(classes: classes), .pooled(classes: classes),
      .pooledNumbers(classes), .everyStepUnits(classes),
    ]
    guard let head = heads.first(where: { OutputName.name(of: $0) == self.head }) else {
      return nil
    }
    guard pooling == .last || head.isPooled else { return nil }
    if isSharedOrCut {
      guard case .tokens(classes, let size) = input, !isBidirectional, head == .everyStep(classes: classes),
        !isTied || size == hidden
      else { return nil }
    }
    if let softmax {
      guard AdaptiveShape.isPossible(cutoffs: softmax.cutoffs, classes: classes),
        softmax.factor >= 1
      else {
        return nil
      }
    }
    return ModelShape(
      input: input, hidden: hidden, layers: layers, isBidirectional: isBidirectional, head: head,
      pooling: pooling, softmax: softmax, isTied: isTied)
  }

  private static func name(of head: ModelShape.Head) -> String {
    switch head {
    case .everyStep: "everyStep"
    case .everyStepUnits: "everyStepUnits"
    case .pooled: "lastStep"
    case .pooledNumbers: "lastStepNumbers"
    }
  }
}
