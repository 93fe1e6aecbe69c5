/// Sizes of a model, and where each of its parts stands in the flat memory of parameters and gradients: for tokens the
/// embedding E [V, D]; then W and b of each layer [D + H + 1, 4H]; then Wy and by of the head [H + 1, K], or what an
/// adaptive softmax has in their place.
///
/// With tied weights E is the output's matrix too and stands there: the layers come first, then E, then by. The gradient
/// of such a model has a part more than its parameters: that of E as the embedding begins it, that of E as the output's
/// matrix stands behind the layers; then they are added up.
package struct ModelShape: Equatable, Sendable {
  /// What the model reads at a timestep.
  package enum Input: Equatable, Sendable {
    /// One of V tokens, for which a row of the embedding stands: D numbers.
    case tokens(vocabulary: Int, embedding: Int)
    /// D numbers, as they are.
    case numbers(Int)
  }

  /// What the model reads at a timestep.
  package let input: Input
  /// What the model predicts.
  package let head: Head
  /// How a pooled head makes one row of the timesteps.
  package let pooling: Pooling
  /// H, hidden units of every layer.
  package let hidden: Int
  /// L, LSTM layers.
  package let layers: Int
  /// Cells of a layer: 1, or with bidirectional layers 2, of which the second reads sequences from their ends.
  package let directions: Int
  /// The shape of each cell, layer after layer, lowest first; of two directions the forward one first.
  package let lstm: [LSTMShape]
  /// Whether the embedding is the matrix of the output too (Press and Wolf, "Using the output embedding to improve
  /// language models", 2017; Inan, Khosravi and Socher, "Tying word vectors and word classifiers", 2017).
  package let isTied: Bool
  /// Nil where one softmax has all classes.
  package let adaptive: AdaptiveShape?
  /// The parts of the gradient, which are finished one after the other, in memory order: embedding where there is one,
  /// layers, output, or of tied weights the shared matrix and what is behind it. The backward pass finishes them from
  /// the last to the first.
  package let parts: [Range<Int>]

  /// A model of these sizes, each at least 1.
  /// - Parameter softmax: cutoffs of an adaptive softmax, and what each tail divides the units of the previous tail by.
  ///   With tied weights the units are all the same.
  /// - Precondition: only a pooled head has another pooling than `last`; only a head of classes at every step has an
  ///   adaptive softmax or tied weights; where weights are tied the classes are the tokens that the model reads, and
  ///   D = H. Neither goes with two directions.
  package init(
    input: Input, hidden: Int, layers: Int, isBidirectional: Bool = false, head: Head,
    pooling: Pooling = .last, softmax: (cutoffs: [Int], factor: Int)? = nil, isTied: Bool = false
  ) {
    precondition(pooling == .last || head.isPooled, "a head at every step reads all timesteps")
    precondition(!isBidirectional || (softmax == nil && !isTied), "bidirectional layers have one softmax of their own")
    precondition(
      head == .everyStep(classes: head.classes) || (softmax == nil && !isTied),
      "only a head of classes at every step has an adaptive softmax or tied weights")
    if isTied {
      precondition(
        input == .tokens(vocabulary: head.classes, embedding: hidden),
        "nothing can be tied")
    }
    self.isTied = isTied
    self.input = input
    self.head = head
    self.pooling = pooling
    self.hidden = hidden
    self.layers = layers
    directions = isBidirectional ? 2 : 1
    let (embedding, inputs): ([Int], Int) =
      switch input {
      case .tokens(let vocabulary, let size): ([vocabulary * size], size)
      case .numbers(let count): ([], count)
      }
    lstm = LSTMShape.stack(inputs: inputs, hidden: hidden, layers: layers, directions: directions)
    adaptive = softmax.map {
      AdaptiveShape(
        inputs: hidden, classes: head.classes, cutoffs: $0.cutoffs, factor: $0.factor,
        isTied: isTied)
    }
    let output =
      adaptive?.parameterCount ?? OutputLayer.parameterCount(inputs: directions * hidden, classes: head.classes)
    let shared = isTied ? embedding[0] : 0
    let above = isTied ? [shared, output - shared] : [output]
    var start = 0
    parts = (embedding + lstm.map(\.parameterCount) + above).map { count in
      defer { start += count }
      return start..<start + count
    }
  }

  /// A language model: it reads tokens and predicts at every timestep the next one.
  package static func languageModel(
    vocabulary: Int, embedding: Int, hidden: Int, layers: Int, softmax: (cutoffs: [Int], factor: Int)? = nil,
    isTied: Bool = false
  ) -> ModelShape {
    ModelShape(
      input: .tokens(vocabulary: vocabulary, embedding: embedding), hidden: hidden, layers: layers,
      head: .everyStep(classes: vocabulary), softmax: softmax, isTied: isTied)
  }

  /// D, numbers that the lowest layer reads at a timestep.
  package var inputs: Int { lstm[0].inputs }

  /// Numbers of a layer's output at a timestep: H, or of two directions 2H.
  package var outputs: Int { directions * hidden }

  /// A cell as its tensors are called: l0, l0_reverse, l1, …
  package func cellName(_ cell: Int) -> String {
    PyTorchNames.cell(cell / directions, isReverse: cell % directions == 1)
  }

  /// V, tokens that the model can read; nil where it reads numbers.
  package var vocabulary: Int? {
    if case .tokens(let vocabulary, _) = input { vocabulary } else { nil }
  }

  /// V or K, classes of the head.
  package var classes: Int { head.classes }

  /// Classes of the softmax that looks at every row: all, or the head of an adaptive one.
  package var outputClasses: Int { adaptive?.headClasses ?? classes }

  /// Where E stands among the parameters; nil where there is none.
  package var embeddingRange: Range<Int>? {
    isTied ? parameters(ofPart: sharedPart!) : vocabulary == nil ? nil : parts[0]
  }

  /// The part of a cell (with one direction that is a layer), as an index of `parts`.
  package func part(ofLayer cell: Int) -> Int { (vocabulary == nil ? 0 : 1) + cell }

  /// The parts of the output: one, or with tied weights two.
  var outputParts: Range<Int> { part(ofLayer: lstm.count)..<parts.count }

  /// Of tied weights the part of the shared matrix as that of the output, as an index of `parts`; as the embedding's it
  /// is the first.
  package var sharedPart: Int? { isTied ? part(ofLayer: lstm.count) : nil }

  /// Numbers of the gradient before those that stand where the parameters do.
  package var gradientShift: Int { isTied ? parts[0].count : 0 }

  /// Numbers of the gradient.
  package var gradientCount: Int { parts[parts.count - 1].upperBound }

  /// The parameter of which a number of the gradient is the derivative, or a part of it.
  package func parameter(ofGradient index: Int) -> Int {
    isTied && index < parts[0].upperBound
      ? embeddingRange!.lowerBound + index : index - gradientShift
  }

  /// Where the parameters of a part stand.
  private func parameters(ofPart part: Int) -> Range<Int> {
    parts[part].lowerBound - gradientShift..<parts[part].upperBound - gradientShift
  }

  /// Where the parts of the parameters stand, in memory order.
  package var parameterParts: [Range<Int>] { ((isTied ? 1 : 0)..<parts.count).map { parameters(ofPart: $0) } }

  /// Where W and b of a cell (with one direction that is a layer) stand among the parameters.
  package func layerRange(_ cell: Int) -> Range<Int> { parameters(ofPart: part(ofLayer: cell)) }

  /// Where Wy and by stand among the parameters.
  package var outputRange: Range<Int> {
    parameters(ofPart: part(ofLayer: lstm.count)).lowerBound..<gradientCount - gradientShift
  }

  /// All parameters.
  package var parameterCount: Int { gradientCount - gradientShift }

  /// Floating-point operations of a training step over T·B rows: 6·T·B·(Σ_layers 4H(D + H) + H·V), forward once and
  /// backward twice. Embedding look-ups and gates count as nothing, and so do a pooled head and the tails of an adaptive
  /// softmax, whose rows depend on the data.
  package func flopsPerStep(timesteps: Int, lanes: Int) -> Double {
    let output =
      switch head {
      case .everyStep, .everyStepUnits: Double(outputs) * Double(outputClasses)
      case .pooled, .pooledNumbers: 0.0
      }
    return LSTMShape.flopsPerStep(lstm, timesteps: timesteps, lanes: lanes)
      + 6 * Double(timesteps) * Double(lanes) * output
  }

  /// Those of `flopsPerStep` that really run, and those of a pooled head: numbers that are read get no gradient, so the
  /// products of 2·T·B·4H·D operations that would make it are left out.
  package func flopsThatRun(timesteps: Int, lanes: Int) -> Double {
    let rows = Double(timesteps) * Double(lanes)
    let inputGradient = vocabulary == nil ? 2 * rows * Double(directions * lstm[0].columns) * Double(inputs) : 0
    let head =
      switch head {
      case .everyStep, .everyStepUnits: 0.0
      case .pooled(let classes), .pooledNumbers(let classes): 6 * Double(lanes) * Double(outputs) * Double(classes)
      }
    return flopsPerStep(timesteps: timesteps, lanes: lanes) - inputGradient + head
  }
}
