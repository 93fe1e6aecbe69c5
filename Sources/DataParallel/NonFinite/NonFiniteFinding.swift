import LSTM
import Runs

/// Where the numbers of a step went bad; the same on every rank, and for every number of ranks but for `rank`.
package struct NonFiniteFinding: Equatable, Sendable {
  /// What the first number that is not finite belongs to.
  package enum Place: Equatable, Sendable {
    /// A sequence: its lane is that of the global batch.
    case sequence(NonFiniteValue, shard: Int)
    /// The gradient of a tensor: all numbers of the sequences are finite, and their sum is not.
    case gradient(tensor: String, index: Int, value: Float)
    /// Nothing: computed again, all numbers are finite. The loss of this shard was not in the step itself.
    case nothing(shard: Int)
  }

  /// From 1.
  package let step: Int
  /// Where it is.
  package let place: Place
  /// The rank that has it.
  package let rank: Int
  /// The first tensor with a number that was not finite before the step, on that rank; nil for none.
  package let badParameter: String?
  /// The first tensor in which that rank differs from most others, which no rank ever should; nil for none.
  package let differingParameter: String?

  /// The record of the finding.
  package func record(dump: String?) -> NonFiniteRecord {
    let place: NonFiniteRecord.Place =
      switch self.place {
      case .sequence(let value, let shard):
        .sequence(
          quantity: "\(value.quantity)", value: value.value, layer: value.layer, timestep: value.timestep,
          sequence: value.lane, unit: value.unit, shard: shard)
      case .gradient(let tensor, let index, let value): .gradient(tensor: tensor, index: index, value: value)
      case .nothing(let shard): .nothing(shard: shard)
      }
    return NonFiniteRecord(
      step: step, place: place, rank: rank, parameter: badParameter ?? differingParameter, dump: dump)
  }
}

extension NonFiniteFinding: CustomStringConvertible {
  /// One line for the user, without the rank. Layers, timesteps, sequences, shards and units are counted from 0.
  package var description: String {
    let place =
      switch self.place {
      case .sequence(let value, let shard):
        "\(value.value.name) in \(value.quantity.name)\(value.layer.map { " of layer \($0)" } ?? ""), unit \(value.unit), "
          + "timestep \(value.timestep), sequence \(value.lane), shard \(shard)"
      case .gradient(let tensor, let index, let value):
        "\(value.name) in the gradient of \(tensor), number \(index), while all numbers of the sequences are finite"
      case .nothing(let shard):
        "the loss of shard \(shard) was not finite, but computed again all numbers are: suspect a memory or a processor"
      }
    let bad = badParameter.map { "; before the step \($0) had a number that was not finite" } ?? ""
    return "step \(step): \(place)\(bad)"
  }

  /// The rank for the user, and what sets it apart.
  package func blame(ranks: Int) -> String {
    "on rank \(rank) of \(ranks)"
      + (differingParameter.map { ", whose \($0) is not that of the other ranks: suspect its memory" } ?? "")
  }
}

extension Float {
  fileprivate var name: String { NonFiniteRecord.name(of: self) }
}

extension NonFiniteValue.Quantity {
  fileprivate var name: String {
    switch self {
    case .input: "the input"
    case .initialHidden: "the initial hidden state"
    case .initialCell: "the initial cell state"
    case .updateGate: "the update gate (F2)"
    case .forgetGate: "the forget gate (F2)"
    case .outputGate: "the output gate (F2)"
    case .candidate: "the candidate (F3)"
    case .cell: "the cell state (F4)"
    case .hidden: "the hidden state (F5)"
    case .logit: "the logits"
    case .loss: "the loss"
    case .dLogit: "the gradient of the logits"
    case .dHidden: "the gradient that reaches the highest layer"
    case .dUpdateGate: "dzU (B4)"
    case .dForgetGate: "dzF (B5)"
    case .dOutputGate: "dzO (B2)"
    case .dCandidate: "dzC (B3)"
    case .dInput: "dx (B8)"
    }
  }
}
