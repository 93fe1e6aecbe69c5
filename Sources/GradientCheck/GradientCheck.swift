import LSTM
import MPI
import Plan
import SafeTensors

/// The precision of `GradientCheck`.
package enum GradientCheckPrecision: String, CaseIterable, Sendable {
  /// The layers that train.
  case float
  /// The reference.
  case double
}

/// Computes the gradients of a case that another framework can compute too. Every sequence is one shard, so the bits
/// are the same for every number of ranks; ranks beyond the sequences contribute nothing.
package enum GradientCheck {
  /// Reads a case, computes it on all ranks, and writes the result on rank 0.
  package static func run(world: World, input: String, output: String, precision: GradientCheckPrecision) throws {
    switch precision {
    case .float: try run(world, input, output, Float.self)
    case .double: try run(world, input, output, Double.self)
    }
  }

  private static func run<S: GradientPrecision & MPI.Scalar>(
    _ world: World, _ input: String, _ output: String, _: S.Type
  ) throws {
    let one = world.agree { try GradientCase<S>(path: input, localRanks: world.node.size) }
    let (rank, size) = (world.communicator.rank, world.communicator.size)
    let working = min(size, one.lanes)
    let plan = try ShardPlan(globalBatch: one.lanes, shards: one.lanes, ranks: working)
    let mine = rank < working ? plan.lanes(ofRank: rank) : one.lanes..<one.lanes
    let rows = ShardedRows(
      timesteps: one.timesteps, shardLanes: mine.map { $0 - mine.lowerBound..<$0 - mine.lowerBound + 1 }, shards: mine,
      shardCount: one.lanes)
    let own = S.gradients(one.restricted(to: mine), rows: rows)
    let subtrees = (0..<working).flatMap {
      SummationTree.subtrees(of: plan.shards(ofRank: $0), leafCount: one.lanes)
    }
    let all = try gather(own, one, world.communicator, subtrees: subtrees)
    world.agree { if let all { try TensorFileWriter.write(tensors(all, one), to: output) } }
  }

  /// The gradients of all lanes on rank 0, with one subtree: all shards. Nil on other ranks.
  private static func gather<S: GradientPrecision & MPI.Scalar>(
    _ own: LaneGradients<S>, _ one: GradientCase<S>, _ communicator: Communicator, subtrees: [Range<Int>]
  ) throws -> LaneGradients<S>? {
    /// [blocks, B, width] from the ranks' lanes.
    func lanes(_ values: [S], blocks: Int) throws -> [S] {
      guard let parts = try communicator.gather(values, root: 0) else { return [] }
      return (0..<blocks).flatMap { block in
        parts.flatMap { $0[$0.count / blocks * block..<$0.count / blocks * (block + 1)] }
      }
    }
    var all = LaneGradients<S>()
    all.y = try lanes(own.y, blocks: one.timesteps)
    all.dx = try lanes(own.dx, blocks: one.timesteps)
    all.hT = try lanes(own.hT, blocks: one.layers)
    all.cT = try lanes(own.cT, blocks: one.layers)
    all.dh0 = try lanes(own.dh0, blocks: one.layers)
    all.dc0 = try lanes(own.dc0, blocks: one.layers)
    all.dW = [[]]
    for layer in one.shapes.indices {
      guard let parts = try communicator.gather(own.dW.flatMap { $0[layer] }, root: 0) else { continue }
      let count = one.shapes[layer].parameterCount
      let flat = parts.flatMap { $0 }
      var next = 0
      func tree(_ node: Range<Int>) -> [S] {
        if subtrees[next] == node {
          defer { next += 1 }
          return Array(flat[next * count..<(next + 1) * count])
        }
        let middle = SummationTree.split(node)
        let left = tree(node.lowerBound..<middle)
        return zip(left, tree(middle..<node.upperBound)).map { $0 + $1 }
      }
      all.dW[0].append(tree(0..<one.lanes))
    }
    return communicator.rank == 0 ? all : nil
  }

  private static func tensors<S: GradientPrecision>(
    _ all: LaneGradients<S>, _ one: GradientCase<S>
  ) -> [TensorSource] {
    let (T, B, H, L) = (one.timesteps, one.lanes, one.hidden, one.layers)
    var tensors = [
      TensorSource(name: "y", shape: [T, B, H], values: all.y),
      TensorSource(name: "hT", shape: [L, B, H], values: all.hT),
      TensorSource(name: "cT", shape: [L, B, H], values: all.cT),
      TensorSource(name: "dx", shape: [T, B, one.inputs], values: all.dx),
      TensorSource(name: "dh0", shape: [L, B, H], values: all.dh0),
      TensorSource(name: "dc0", shape: [L, B, H], values: all.dc0),
    ]
    for (index, shape) in one.shapes.enumerated() {
      let (dW, cell) = (all.dW[0][index], PyTorchNames.cell(index))
      let bias = PyTorchLayout.exported(.bias, of: dW, shape: shape)
      tensors += [
        TensorSource(
          name: "d_" + PyTorchNames.inputWeight(cell), shape: [4 * H, shape.inputs],
          values: PyTorchLayout.exported(.input, of: dW, shape: shape)),
        TensorSource(
          name: "d_" + PyTorchNames.recurrentWeight(cell), shape: [4 * H, H],
          values: PyTorchLayout.exported(.recurrent, of: dW, shape: shape)),
        // Both biases are added to the same sum, so their gradients are equal.
        TensorSource(name: "d_" + PyTorchNames.inputBias(cell), shape: [4 * H], values: bias),
        TensorSource(name: "d_" + PyTorchNames.recurrentBias(cell), shape: [4 * H], values: bias),
      ]
    }
    return tensors
  }
}
