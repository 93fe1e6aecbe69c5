import Files

/// Where the numbers of a step went bad. Nothing reads it but people.
package struct NonFiniteRecord: MetricsRecord {
  /// What the first number that is not finite belongs to.
  package enum Place {
    /// A sequence; `quantity` is the name of the number in the file, `layer` nil outside of the layers.
    case sequence(
      quantity: String, value: Float, layer: Int?, timestep: Int, sequence: Int, unit: Int, shard: Int)
    /// The gradient of a tensor, and the index in memory order.
    case gradient(tensor: String, index: Int, value: Float)
    /// Computed again, all is finite; the loss of this shard was not.
    case nothing(shard: Int)
  }

  package static let event = MetricsEvent.nonFinite

  package let step: Int
  let place: Place
  let rank: Int
  let parameter: String?
  let dump: String?

  /// - Parameters:
  ///   - rank: the one that has the number.
  ///   - parameter: the tensor of it that was not finite before the step, or that differs from other ranks'; nil for
  ///     none.
  ///   - dump: the directory of the dump, nil where there is none.
  package init(step: Int, place: Place, rank: Int, parameter: String?, dump: String?) {
    (self.step, self.place, self.rank, self.parameter, self.dump) = (step, place, rank, parameter, dump)
  }

  package var members: [(key: String, value: JSON)] {
    placeMembers + [
      ("rank", .integer(rank)), ("parameter", parameter.map { .string($0) } ?? nil),
      ("dump", dump.map { .string($0) } ?? nil),
    ]
  }

  private var placeMembers: [(key: String, value: JSON)] {
    switch place {
    case .sequence(let quantity, let value, let layer, let timestep, let sequence, let unit, let shard):
      [
        ("quantity", .string(quantity)), ("value", .string(NonFiniteRecord.name(of: value))),
        ("layer", layer.map { .integer($0) } ?? nil), ("timestep", .integer(timestep)),
        ("sequence", .integer(sequence)), ("unit", .integer(unit)), ("shard", .integer(shard)),
      ]
    case .gradient(let tensor, let index, let value):
      [
        ("quantity", "gradient"), ("value", .string(NonFiniteRecord.name(of: value))), ("tensor", .string(tensor)),
        ("index", .integer(index)),
      ]
    case .nothing(let shard): [("quantity", nil), ("shard", .integer(shard))]
    }
  }

  /// `NaN`, `infinity` or `-infinity`.
  package static func name(of value: Float) -> String { value.isNaN ? "NaN" : value < 0 ? "-infinity" : "infinity" }
}
