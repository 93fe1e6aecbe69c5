import DataParallel
import LSTM
import Plan

/// The work of a training step on one rank: a pure function of sizes. Each phase reads its operands once and writes its
/// results once; only the recurrence reads its weights at every timestep. Padding counts nothing, and of an embedding
/// only the rows that a batch can contain.
package struct StepWork: Sendable {
  /// Sizes on which the work depends.
  package struct Sizes: Sendable {
    /// The LSTM layers, lowest first.
    package var layers: [LSTMShape]
    /// V, rows of the embedding; 0 without one.
    package var vocabulary: Int
    /// V or K, classes of the output layer; 0 without one. Tails of an adaptive softmax are left out.
    package var classes: Int
    /// Whether the output layer has one row for a whole sequence.
    package var isPooled = false
    /// T.
    package var timesteps: Int
    /// B, sequences of all ranks together.
    package var globalBatch: Int
    /// Sequences of the rank.
    package var lanes: Int
    /// P.
    package var ranks: Int
    /// Subtrees of the rank's shards, so gradients.
    package var subtrees: Int
    /// Whether what the lowest layer reads gets a gradient.
    package var hasInputGradient = true
    /// Whether parameters are reduced, updated and packed.
    package var hasUpdate = true
    /// Whether the ranks share parameters and packed weights, and read each other's gradients; else they send messages.
    package var sharesMemory = false
    /// Whether each rank updates 1/P of the parameters, or all of them.
    package var sharesUpdate = true

    /// Sizes of a model with or without an embedding.
    package init(
      layers: [LSTMShape], vocabulary: Int, classes: Int, timesteps: Int, globalBatch: Int, lanes: Int, ranks: Int,
      subtrees: Int
    ) {
      self.layers = layers
      self.vocabulary = vocabulary
      self.classes = classes
      self.timesteps = timesteps
      self.globalBatch = globalBatch
      self.lanes = lanes
      self.ranks = ranks
      self.subtrees = subtrees
    }
  }

  /// Bytes that a rank holds for a step: where a cache holds them all, no data need come from beyond it.
  package let bytes: Double
  /// The phases in the order of the step; those of a layer have the same names as those of any other.
  package let phases: [PhaseWork]

  /// The work for these sizes on a rank that holds `bytes` bytes.
  package init(_ sizes: Sizes, bytes: Double) {
    self.init(sizes, passes: [(sizes.lanes, sizes.subtrees)], bytes: bytes)
  }

  /// The same in several passes, each over `lanes` lanes, into `subtrees` gradients.
  package init(_ sizes: Sizes, passes: [(lanes: Int, subtrees: Int)], bytes: Double) {
    self.bytes = bytes
    let update = sizes.hasUpdate ? sizes.exchange + [sizes.update, sizes.packing] : []
    phases =
      passes.flatMap { lanes, subtrees in
        var pass = sizes
        (pass.lanes, pass.subtrees) = (lanes, subtrees)
        return StepWork.phases(ofPass: pass)
      } + update
  }

  private static func phases(ofPass sizes: Sizes) -> [PhaseWork] {
    let forward = sizes.layers.flatMap { [sizes.inputProduct($0), sizes.recurrenceForward($0)] }
    let backward = sizes.layers.indices.reversed().flatMap { index in
      let layer = sizes.layers[index]
      let dx = index > 0 || sizes.hasInputGradient ? [sizes.inputGradient(layer)] : []
      return [sizes.recurrenceBackward(layer), sizes.weightGradient(layer)] + dx
    }
    let head = sizes.classes == 0 ? [] : [sizes.output, sizes.loss]
    return sizes.embeddingForward + forward + head + backward + sizes.embeddingBackward
  }
}

extension StepWork {
  /// The work of the rank with the most lanes.
  /// - Parameter sharing: ranks that share memory, 1 for none.
  package init(_ setup: TrainingSetup, plan: ShardPlan, sharing: Int) {
    let rank = (0..<plan.ranks).max { plan.lanes(ofRank: $0).count < plan.lanes(ofRank: $1).count } ?? 0
    let passes = plan.passes(ofRank: rank, atMost: setup.accumulate).map {
      (plan.lanes(ofShards: $0).count, SummationTree.subtrees(of: $0, leafCount: plan.shards).count)
    }
    var sizes = Sizes(
      layers: setup.shape.lstm, vocabulary: setup.shape.vocabulary ?? 0, classes: setup.shape.outputClasses,
      timesteps: setup.timesteps, globalBatch: setup.globalBatch, lanes: plan.lanes(ofRank: rank).count,
      ranks: plan.ranks, subtrees: Training.mostSubtrees(plan))
    sizes.hasInputGradient = setup.shape.vocabulary != nil
    sizes.isPooled = setup.shape.head.isPooled
    // Ranks of several nodes are looked at as if each were on a node of its own.
    sizes.sharesMemory = sharing > 1 && sharing == plan.ranks
    sizes.sharesUpdate = sharing == plan.ranks
    self.init(sizes, passes: passes, bytes: Double(Training.estimatedBytes(setup, plan: plan, sharing: sharing)))
  }

  /// The work of layers alone on one rank, without an update.
  package init(_ stack: [LSTMShape], timesteps: Int, lanes: Int, bytes: Double) {
    var sizes = Sizes(
      layers: stack, vocabulary: 0, classes: 0, timesteps: timesteps, globalBatch: lanes, lanes: lanes, ranks: 1,
      subtrees: 1)
    sizes.hasUpdate = false
    self.init(sizes, bytes: bytes)
  }
}

extension StepWork.Sizes {
  private var rows: Double { Double(timesteps * lanes) }
  private var outputRows: Double { isPooled ? Double(lanes) : rows }

  /// Numbers that the phases before and after hand over, read or written `times` times.
  private func handed(_ numbers: Double, times: Double = 1) -> DataMovement {
    DataMovement(bytes: 4 * numbers, times: times, reuse: .phase)
  }

  /// Numbers that lie in memory from step to step.
  private func kept(_ numbers: Double, times: Double = 1) -> DataMovement {
    DataMovement(bytes: 4 * numbers, times: times, reuse: .step)
  }

  /// Weights in the order in which a product reads them.
  private func packed(_ numbers: Double) -> DataMovement {
    DataMovement(bytes: 4 * numbers, times: 1, reuse: .step, sharers: sharers)
  }

  /// Ranks that use one copy of the weights.
  private var sharers: Double { sharesMemory ? Double(ranks) : 1 }

  // MARK: Forward

  /// Each row of the table that the rank's tokens name, to T·B rows of x.
  fileprivate var embeddingForward: [PhaseWork] {
    vocabulary == 0 ? [] : [PhaseWork(name: "embedding", flops: 0, data: [kept(ownTableRows * D), handed(rows * D)])]
  }

  /// (F1) for all timesteps: x·Wx.
  fileprivate func inputProduct(_ layer: LSTMShape) -> PhaseWork {
    let (D, N) = (Double(layer.inputs), Double(layer.columns))
    return PhaseWork(
      name: "x·Wx", flops: 2 * rows * D * N, data: [packed(D * N), handed(rows * D), handed(rows * N)])
  }

  /// (F1) to (F5) from timestep to timestep: Z read and left as gates, a and c written.
  fileprivate func recurrenceForward(_ layer: LSTMShape) -> PhaseWork {
    recurrence("recurrence, forward", layer, states: [handed(2 * rows * Double(layer.hidden))])
  }

  // MARK: Backward

  /// (B1) to (B5), (B8) for aPrev and (B9) from timestep to timestep: the gates read and left as dZ, c read, da read.
  fileprivate func recurrenceBackward(_ layer: LSTMShape) -> PhaseWork {
    let states = rows * Double(layer.hidden)
    return recurrence("recurrence, backward", layer, states: [kept(states), handed(states)])
  }

  private func recurrence(_ name: String, _ layer: LSTMShape, states: [DataMovement]) -> PhaseWork {
    let (H, N) = (Double(layer.hidden), Double(layer.columns))
    let timestepBytes = 4 * (H * N / sharers + Double(lanes) * (N + 2 * H))
    let again = DataMovement(bytes: 4 * H * N, times: Double(timesteps - 1), reuse: .timestep(bytes: timestepBytes))
    return PhaseWork(
      name: name, flops: 2 * rows * H * N, data: [packed(H * N), again, handed(rows * N, times: 2)] + states)
  }

  /// (B6) and (B7).
  fileprivate func weightGradient(_ layer: LSTMShape) -> PhaseWork {
    let (inputs, N) = (Double(layer.inputs + layer.hidden), Double(layer.columns))
    return PhaseWork(
      name: "dW", flops: 2 * rows * inputs * N,
      data: [
        kept(rows * inputs), handed(rows * N), kept(Double(subtrees) * Double(layer.parameterCount)),
      ])
  }

  /// (B8) for x.
  fileprivate func inputGradient(_ layer: LSTMShape) -> PhaseWork {
    let (D, N) = (Double(layer.inputs), Double(layer.columns))
    return PhaseWork(
      name: "dx", flops: 2 * rows * D * N, data: [packed(D * N), handed(rows * N), handed(rows * D)])
  }

  /// dx of T·B rows, to the rows of the gradient that the rank's tokens name.
  fileprivate var embeddingBackward: [PhaseWork] {
    vocabulary == 0
      ? []
      : [
        PhaseWork(
          name: "embedding", flops: 0, data: [handed(rows * D), kept(Double(subtrees) * ownTableRows * D)])
      ]
  }

  // MARK: Output and loss

  /// The three products of the output layer: y·Wy, dWy = yᵀ·dlogits, dy = dlogits·Wyᵀ.
  fileprivate var output: PhaseWork {
    let (H, K) = (Double(layers[layers.count - 1].hidden), Double(classes))
    return PhaseWork(
      name: "output layer", flops: 6 * outputRows * H * K,
      data: [
        packed(2 * H * K), handed(outputRows * H, times: 2), handed(outputRows * K, times: 3),
        kept(Double(subtrees) * (H + 1) * K), handed(outputRows * H),
      ])
  }

  /// Logits read, and their gradient written.
  fileprivate var loss: PhaseWork {
    PhaseWork(name: "loss", flops: 0, data: [handed(outputRows * Double(classes), times: 2)])
  }

  // MARK: Between the ranks, and the update

  /// By messages: of each gradient (P − 1)/P is sent and as much received, and then the same of the sum. In shared
  /// memory: a rank reads 1/P of the gradients of all ranks, and writes the sum.
  fileprivate var exchange: [PhaseWork] {
    guard ranks > 1 else { return [] }
    let (P, G) = (Double(ranks), Double(subtrees))
    let moved =
      sharesMemory
      ? [kept(changing * G), kept(changing / P)] : [kept(changing * (P - 1) / P, times: 2 * G + 2)]
    return [PhaseWork(name: "exchange", flops: 0, data: moved)]
  }

  /// Of the owned numbers the gradient is read for the norm and for the update, the parameter read and written.
  fileprivate var update: PhaseWork {
    let owned = sharesUpdate ? changing / Double(ranks) : changing
    return PhaseWork(name: "norm and update", flops: 0, data: [kept(owned, times: 2), kept(owned, times: 2)])
  }

  /// Weights read, and written in two orders; each of the ranks that share them does its part.
  fileprivate var packing: PhaseWork {
    let weights =
      layers.reduce(0.0) { $0 + Double($1.inputs + $1.hidden) * Double($1.columns) }
      + Double(layers[layers.count - 1].hidden) * Double(classes)
    return PhaseWork(name: "packing", flops: 0, data: [kept(weights / sharers), kept(2 * weights / sharers)])
  }

  // MARK: Numbers

  /// D of the embedding: what the lowest layer reads.
  private var D: Double { Double(layers[0].inputs) }
  /// Rows of the embedding that the rank's tokens can name.
  private var ownTableRows: Double { Double(min(vocabulary, timesteps * lanes)) }
  /// Parameters that the gradient of a batch can change.
  private var changing: Double {
    let table = Double(min(vocabulary, timesteps * globalBatch)) * D
    let output = Double(layers[layers.count - 1].hidden + 1) * Double(classes)
    return layers.reduce(table + output) { $0 + Double($1.parameterCount) }
  }
}
