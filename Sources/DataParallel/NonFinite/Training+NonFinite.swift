import Files
import JobHealth
import LSTM

extension Training {
  /// Finds the first number that is not finite, in the order of computation: each rank computes its sequences again,
  /// and the earliest of what they find counts; else the gradient of the parameters is looked through, from the top of
  /// the model. Every rank calls it after a reduction whose loss or norm was not finite, before anything has changed.
  func findNonFinite(_ step: Step) throws -> NonFiniteFinding {
    let tensors = ParameterTensors(setup.shape)
    let parameters = tensors.ranges.map { range in range.contains { !replica.parameters[$0].isFinite } }
    let badParameters = try world.communicator.allGather(UInt64(parameters.firstIndex(of: true) ?? tensors.names.count))
    let (place, rank) = try findPlace(tensors, step)
    let bad = Int(badParameters[rank])
    return NonFiniteFinding(
      step: step.index + 1, place: place, rank: rank,
      badParameter: bad < tensors.names.count ? tensors.names[bad] : nil,
      differingParameter: try differingParameter(tensors, rank: rank))
  }

  private func findPlace(
    _ tensors: ParameterTensors, _ step: Step
  ) throws -> (NonFiniteFinding.Place, rank: Int) {
    let plan = replica.plan
    if let (value, rank) = try earliest(firstNonFinite(step)) {
      let shard = plan.shards(ofRank: rank).first { plan.lanes(ofShard: $0).contains(value.lane) }!
      return (.sequence(value, shard: shard), rank)
    }
    let all = try world.communicator.allGather(UInt64(firstBadGradient() ?? setup.shape.gradientCount))
    let part = setup.shape.parts.lastIndex { part in all.contains { part.contains(Int($0)) } }
    if let part {
      let index = Int(all.filter { setup.shape.parts[part].contains(Int($0)) }.min()!)
      let rank = all.firstIndex(of: UInt64(index))!
      let parameter = setup.shape.parameter(ofGradient: index)
      let tensor = tensors.ranges.firstIndex { $0.contains(parameter) }!
      let value = try world.communicator.broadcast(reducer.sum[index], root: rank)
      return (
        .gradient(tensor: tensors.names[tensor], index: parameter - tensors.ranges[tensor].lowerBound, value: value),
        rank
      )
    }
    let shard = reducer.shardValues.firstIndex { !$0.isFinite } ?? 0
    return (.nothing(shard: shard), (0..<plan.ranks).first { plan.shards(ofRank: $0).contains(shard) }!)
  }

  /// The earliest of the rank's own lanes, as numbers that are in the order of computation.
  private func firstNonFinite(_ step: Step) -> [UInt64]? {
    let found = replica.passes.compactMap { pass in
      replica.begin(pass, of: step.source, step: step.index)
      return replica.model.firstNonFinite(
        replica.input, lengths: replica.lengths, targets: replica.targets, parameters: replica.parameters,
        step: step.index, scale: 1 / Float(max(1, step.targetCount))
      )?.shifted(lanes: pass.lanes.lowerBound).words(layers: setup.shape.lstm.count, timesteps: setup.timesteps)
    }
    return found.min { $0.lexicographicallyPrecedes($1) }
  }

  /// The earliest of what all ranks have found, and the rank that has it.
  private func earliest(_ mine: [UInt64]?) throws -> (NonFiniteValue, rank: Int)? {
    let all = try world.communicator.allGather(mine ?? NonFiniteValue.nothing)
    let rank = all.indices.min { all[$0].lexicographicallyPrecedes(all[$1]) }!
    return NonFiniteValue(words: all[rank]).map { ($0, rank) }
  }

  /// Within the owned ranges, the parts from the top.
  private func firstBadGradient() -> Int? {
    for range in reducer.ownedRanges.reversed() {
      if let index = range.first(where: { !reducer.sum[$0].isFinite }) { return index }
    }
    return nil
  }

  private func differingParameter(_ tensors: ParameterTensors, rank: Int) throws -> String? {
    let all = try world.communicator.allGather(tensors.hashes(replica.parameters))
    guard let difference = RankComparison(names: tensors.names, words: all), difference.ranks.contains(rank) else {
      return nil
    }
    return difference.what
  }
}

extension NonFiniteValue {
  /// Behind every value that there can be.
  fileprivate static let nothing = [UInt64](repeating: .max, count: 11)

  /// The value as numbers that are in the order of computation.
  fileprivate func words(layers: Int, timesteps: Int) -> [UInt64] {
    order(layers: layers, timesteps: timesteps).map { UInt64($0) } + [
      UInt64(quantity.rawValue), UInt64((layer ?? -1) + 1), UInt64(timestep), UInt64(lane), UInt64(unit),
      UInt64(value.bitPattern),
    ]
  }

  fileprivate init?(words: [UInt64]) {
    guard words != NonFiniteValue.nothing, let quantity = Quantity(rawValue: Int(words[5])) else { return nil }
    self.init(
      quantity: quantity, layer: words[6] == 0 ? nil : Int(words[6]) - 1, timestep: Int(words[7]), lane: Int(words[8]),
      unit: Int(words[9]), value: Float(bitPattern: UInt32(words[10])))
  }
}
