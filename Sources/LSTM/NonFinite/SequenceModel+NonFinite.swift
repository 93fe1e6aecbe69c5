import Kernels

extension SequenceModel {
  /// Computes a step again, and stops at the first number that is infinite or NaN, in the order of computation; nil
  /// where there is none before the gradients of the parameters. Padding is passed over, and so are logits without a
  /// target: none of it counts. The pass must have been selected and its states written; what else the model holds is
  /// used up. Arguments as in `forward` and `loss`.
  public func firstNonFinite(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>, targets: SequenceTargets,
    parameters: UnsafePointer<Float>, step: Int, scale: Float
  ) -> NonFiniteValue? {
    let search = NonFiniteSearch(timesteps: rows.timesteps, lengths: lengths)
    return firstForward(search, input, lengths: lengths, parameters: parameters, step: step)
      ?? firstAtHead(search, targets: targets, step: step, scale: scale)
      ?? firstBackward(search, step: step)
  }

  private func firstForward(
    _ search: NonFiniteSearch, _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>,
    parameters: UnsafePointer<Float>, step: Int
  ) -> NonFiniteValue? {
    read(input, lengths: lengths, parameters: parameters, step: step)
    let x = search.first(nil, [.init(.input, inputs.pointer, stride: padded(shape.inputs))], columns: shape.inputs)
    if let x { return x }
    for (index, layer) in layers.enumerated() {
      layer.forward(x: self.input(ofLayer: index, dropped: true))
      if let found = layer.firstForward(search, index) { return found }
      if index < dropped.count {
        drop(layer.hidden(1), to: dropped[index].buffer.pointer, units: shape.hidden, layer: index + 1, step: step)
      }
    }
    return nil
  }

  /// The output layer, the loss, and what comes back from them.
  private func firstAtHead(
    _ search: NonFiniteSearch, targets: SequenceTargets, step: Int, scale: Float
  ) -> NonFiniteValue? {
    if let lastSteps {
      lastSteps.take(layers[shape.layers - 1].hidden(1), lengths: search.lengths)
      dropLastSteps(lastSteps, step: step)
    }
    output.forward(y: outputInput(dropped: true))
    let places = headPlaces(search).filter { targets.has(row: $0.row, outputs: shape.classes) }
    for place in places {
      if let found = first(.logit, UnsafePointer(output.logits(row: place.row).baseAddress!), shape.classes, place) {
        return found
      }
    }
    var found: NonFiniteValue?
    for row in 0..<outputRows.order.count where !targets.has(row: row, outputs: shape.classes) {
      _ = output.loss(row: row, targets: targets, scale: scale)
    }
    for place in places {
      let loss = output.loss(row: place.row, targets: targets, scale: scale)
      if found != nil { continue }
      found =
        loss.isFinite
        ? first(.dLogit, UnsafePointer(output.logits(row: place.row).baseAddress!), shape.classes, place)
        : NonFiniteValue(
          quantity: .loss, layer: nil, timestep: place.timestep, lane: place.lane, unit: 0, value: Float(loss))
    }
    return found ?? firstFromHead(search, step: step)
  }

  private func firstFromHead(_ search: NonFiniteSearch, step: Int) -> NonFiniteValue? {
    let stride = padded(shape.hidden)
    guard let lastSteps else {
      output.inputGradient(downward.pointer)
      drop(downward.pointer, to: downward.pointer, units: shape.hidden, layer: shape.layers, step: step)
      return search.first(nil, [.init(.dHidden, downward.pointer, stride: stride)], columns: shape.hidden)
    }
    output.inputGradient(lastSteps.rows)
    dropLastSteps(lastSteps, step: step)
    lastSteps.put(downward.pointer)
    for place in headPlaces(search) {
      if let found = first(.dHidden, lastSteps.rows + place.row * stride, shape.hidden, place) { return found }
    }
    return nil
  }

  private func firstBackward(_ search: NonFiniteSearch, step: Int) -> NonFiniteValue? {
    for (index, layer) in layers.enumerated().reversed() {
      layer.backward(da: downward.pointer)
      if let found = layer.firstBackward(search, index) { return found }
      if index == 0 && embedding == nil { return nil }
      layer.inputGradient(downward.pointer)
      drop(downward.pointer, to: downward.pointer, units: layer.shape.inputs, layer: index, step: step)
      let dx = NonFiniteSearch.Memory(.dInput, downward.pointer, stride: layer.inputStride)
      if let found = search.first(index, [dx], columns: layer.shape.inputs) { return found }
    }
    return nil
  }

  /// A row of the output layer.
  private struct HeadPlace {
    let timestep: Int
    let lane: Int
    let row: Int
  }

  /// The rows of the output layer that are no padding, timestep by timestep.
  private func headPlaces(_ search: NonFiniteSearch) -> [HeadPlace] {
    (0..<rows.timesteps).flatMap { t in
      (0..<rows.lanes).compactMap { lane in
        let length = Int(search.lengths[lane])
        if lastSteps == nil { return t < length ? HeadPlace(timestep: t, lane: lane, row: t * rows.lanes + lane) : nil }
        return t == length - 1 ? HeadPlace(timestep: t, lane: lane, row: lane) : nil
      }
    }
  }

  private func first(
    _ quantity: NonFiniteValue.Quantity, _ row: UnsafePointer<Float>, _ columns: Int, _ place: HeadPlace
  ) -> NonFiniteValue? {
    (0..<columns).first { !row[$0].isFinite }.map {
      NonFiniteValue(
        quantity: quantity, layer: nil, timestep: place.timestep, lane: place.lane, unit: $0, value: row[$0])
    }
  }
}

extension LSTMLayer {
  fileprivate func firstForward(_ search: NonFiniteSearch, _ index: Int) -> NonFiniteValue? {
    let initial = [
      NonFiniteSearch.Memory(.initialHidden, hidden(0), stride: hiddenStride),
      NonFiniteSearch.Memory(.initialCell, cell(0), stride: hiddenStride),
    ]
    return search.first(index, initial, columns: shape.hidden, times: [0])
      ?? search.first(
        index,
        gates([.updateGate, .forgetGate, .outputGate, .candidate]) + [
          .init(.cell, cell(1), stride: hiddenStride), .init(.hidden, hidden(1), stride: hiddenStride),
        ], columns: shape.hidden)
  }

  fileprivate func firstBackward(_ search: NonFiniteSearch, _ index: Int) -> NonFiniteValue? {
    search.first(
      index, gates([.dUpdateGate, .dForgetGate, .dOutputGate, .dCandidate]), columns: shape.hidden,
      times: (0..<timesteps).reversed())
  }

  private func gates(_ quantities: [NonFiniteValue.Quantity]) -> [NonFiniteSearch.Memory] {
    zip(Gate.allCases, quantities).map { gate, quantity in
      NonFiniteSearch.Memory(quantity, gates(0) + gate.rawValue * hiddenStride, stride: 4 * hiddenStride)
    }
  }
}

/// Walks over memory of a step, [T, B, stride], without its padding.
struct NonFiniteSearch {
  let timesteps: Int
  /// [B]
  let lengths: UnsafeBufferPointer<Int32>

  struct Memory {
    let quantity: NonFiniteValue.Quantity
    let pointer: UnsafePointer<Float>
    let stride: Int

    init(_ quantity: NonFiniteValue.Quantity, _ pointer: UnsafePointer<Float>, stride: Int) {
      (self.quantity, self.pointer, self.stride) = (quantity, pointer, stride)
    }
  }

  /// The first number that is not finite: by timesteps in the order of `times` (nil: ascending), by lanes, by memory.
  func first(_ layer: Int?, _ memory: [Memory], columns: Int, times: [Int]? = nil) -> NonFiniteValue? {
    for t in times ?? Array(0..<timesteps) {
      for lane in 0..<lengths.count where t < Int(lengths[lane]) {
        for part in memory {
          let row = part.pointer + (t * lengths.count + lane) * part.stride
          guard let unit = (0..<columns).first(where: { !row[$0].isFinite }) else { continue }
          return NonFiniteValue(
            quantity: part.quantity, layer: layer, timestep: t, lane: lane, unit: unit, value: row[unit])
        }
      }
    }
    return nil
  }
}
