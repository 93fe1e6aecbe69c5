import Kernels

extension SequenceModel {
  /// Computes a step again, and stops at the first number that is infinite or NaN, in the order of computation; nil
  /// where there is none before the gradients of the parameters. Padding is passed over, and so are logits without a
  /// target: none of it counts. The pass must have been selected and its states written; what else the model holds is
  /// used up. Arguments as in `forward` and `loss`.
  package func firstNonFinite(
    _ input: SequenceInput, lengths: UnsafeBufferPointer<Int32>, targets: SequenceTargets,
    parameters: UnsafePointer<Float>, step: Int, scale: Float
  ) -> NonFiniteValue? {
    var found: [NonFiniteValue] = []
    forEachSegment { segment in
      found.append(
        contentsOf: forwardSearching(
          NonFiniteSearch(segment: segment, lengths: lengths), input, parameters: parameters, step: step))
      pool(segment, lengths: lengths)
    }
    if let first = first(found) { return first }
    if let pooled { dropPooled(pooled, step: step) }
    for index in segments.indices.reversed() {
      let search = NonFiniteSearch(segment: segments[index], lengths: lengths)
      recompute(segment: index, input, lengths: lengths, parameters: parameters, step: step, between: {})
      if hasOutputs { found += searchingHead(search, targets: spokenOf(targets), scale: scale) }
      found += backwardSearching(search, input, step: step)
    }
    return first(found)
  }

  private func first(_ found: [NonFiniteValue]) -> NonFiniteValue? {
    let timesteps = segments.last!.upperBound
    return found.min {
      $0.order(layers: shape.lstm.count, timesteps: timesteps)
        .lexicographicallyPrecedes($1.order(layers: shape.lstm.count, timesteps: timesteps))
    }
  }

  /// Forward over the segment: the first of the input and of each layer.
  private func forwardSearching(
    _ search: NonFiniteSearch, _ input: SequenceInput, parameters: UnsafePointer<Float>, step: Int
  ) -> [NonFiniteValue] {
    read(input, lengths: search.lengths, parameters: parameters, step: step)
    let x = NonFiniteSearch.Memory(.input, inputs.pointer, stride: padded(shape.inputs))
    var found = [search.first(nil, [x], columns: shape.inputs)]
    directions?.use(rows, lengths: search.lengths)
    for index in 0..<shape.layers {
      let x = self.input(ofLayer: index, dropped: true)
      forwardLayer(index, x: x, between: {})
      for cell in cellIndices(ofLayer: index) { found.append(layers[cell].firstForward(search, cell)) }
      dropOutput(ofLayer: index, step: step)
    }
    return found.compactMap { $0 }
  }

  /// The output layer and the loss: the first of the logits, of losses and of their gradients.
  private func searchingHead(
    _ search: NonFiniteSearch, targets: SequenceTargets, scale: Float
  ) -> [NonFiniteValue] {
    output.forward(y: outputInput(dropped: true), between: {})
    notePenalizedRows(targets, scale: scale)
    let own = output.ask(y: outputInput(dropped: true), targets: targets, rows: outputRows, between: {})
    let places = headPlaces(search).filter { targets.has(row: $0.row, outputs: shape.classes) }
    let logit = places.lazy.compactMap { self.firstOfRow(.logit, $0) }.first
    let losses = (0..<outputRows.order.count).map { output.loss(row: $0, targets: own, scale: scale) }
    let loss = places.lazy.compactMap { place -> NonFiniteValue? in
      let loss = losses[place.row]
      if loss.isFinite { return self.firstOfRow(.dLogit, place) }
      return NonFiniteValue(
        quantity: .loss, layer: nil, timestep: place.timestep, lane: place.lane, unit: 0, value: Float(loss))
    }.first
    output.tails?.projectGradient(between: {})
    return [logit, loss].compactMap { $0 }
  }

  /// Of the layer's own logits, then of those of a tail; a class of a tail is called by its number among all.
  private func firstOfRow(_ quantity: NonFiniteValue.Quantity, _ place: HeadPlace) -> NonFiniteValue? {
    let own = first(quantity, UnsafePointer(output.logits(row: place.row).baseAddress!), output.classes, place)
    guard own == nil, let (numbers, firstClass) = output.tails?.numbers(ofRow: place.row) else { return own }
    return first(quantity, UnsafePointer(numbers.baseAddress!), numbers.count, place, firstUnit: firstClass)
  }

  /// Backward over the segment: the first of what the head hands down, and of each layer.
  private func backwardSearching(
    _ search: NonFiniteSearch, _ input: SequenceInput, step: Int
  ) -> [NonFiniteValue] {
    headInputGradient(step: step, between: {})
    var found = [firstHanded(search)]
    for index in (0..<shape.layers).reversed() {
      backwardThroughTime(index, between: {})
      for cell in cellIndices(ofLayer: index) { found.append(layers[cell].firstBackward(search, cell)) }
      if index == 0 && embedding == nil { break }
      inputGradient(ofLayer: index, step: step, between: {})
      if index == 0, case .tokens(let tokens) = input.timesteps(search.segment, of: segments.last!.upperBound) {
        dropTokens(tokens, of: downward.pointer, step: step)
      }
      let lower = layers[cellIndices(ofLayer: index).lowerBound]
      let dx = NonFiniteSearch.Memory(.dInput, downward.pointer, stride: lower.inputStride)
      found.append(search.first(shape.directions * index, [dx], columns: lower.shape.inputs))
    }
    return found.compactMap { $0 }
  }

  private func cellIndices(ofLayer index: Int) -> Range<Int> {
    shape.directions * index..<shape.directions * (index + 1)
  }

  /// The first number that reaches the highest layer. To the ends of bidirectional layers a head hands down one row a
  /// lane.
  private func firstHanded(_ search: NonFiniteSearch) -> NonFiniteValue? {
    let stride = padded(shape.outputs)
    guard shape.readsEnds, let pooled else {
      return search.first(nil, [.init(.dHidden, downward.pointer, stride: stride)], columns: shape.outputs)
    }
    return headPlaces(search).lazy.compactMap { place in
      self.first(.dHidden, pooled.rows + place.row * stride, self.shape.outputs, place)
    }.first
  }

  /// A row of the output layer.
  private struct HeadPlace {
    let timestep: Int
    let lane: Int
    let row: Int
  }

  /// The rows of the output layer that are no padding, timestep by timestep.
  private func headPlaces(_ search: NonFiniteSearch) -> [HeadPlace] {
    (0..<search.lengths.count).flatMap { lane in
      let length = Int(search.lengths[lane])
      if pooled != nil { return length > 0 ? [HeadPlace(timestep: length - 1, lane: lane, row: lane)] : [] }
      return search.segment.clamped(to: 0..<length).map {
        HeadPlace(timestep: $0, lane: lane, row: ($0 - search.segment.lowerBound) * rows.lanes + lane)
      }
    }.sorted { ($0.timestep, $0.lane) < ($1.timestep, $1.lane) }
  }

  private func first(
    _ quantity: NonFiniteValue.Quantity, _ row: UnsafePointer<Float>, _ columns: Int, _ place: HeadPlace,
    firstUnit: Int = 0
  ) -> NonFiniteValue? {
    (0..<columns).first { !row[$0].isFinite }.map {
      NonFiniteValue(
        quantity: quantity, layer: nil, timestep: place.timestep, lane: place.lane, unit: firstUnit + $0,
        value: row[$0])
    }
  }
}

extension LSTMLayer {
  fileprivate func firstForward(_ search: NonFiniteSearch, _ index: Int) -> NonFiniteValue? {
    let initial = [
      NonFiniteSearch.Memory(.initialHidden, hidden(0), stride: hiddenStride),
      NonFiniteSearch.Memory(.initialCell, cell(0), stride: hiddenStride),
    ]
    return (search.segment.lowerBound == 0 ? search.first(index, initial, columns: shape.hidden, times: [0]) : nil)
      ?? search.first(
        index,
        gates([.updateGate, .forgetGate, .outputGate, .candidate]) + [
          .init(.cell, cell(1), stride: hiddenStride), .init(.hidden, hidden(1), stride: hiddenStride),
        ], columns: shape.hidden)
  }

  fileprivate func firstBackward(_ search: NonFiniteSearch, _ index: Int) -> NonFiniteValue? {
    search.first(
      index, gates([.dUpdateGate, .dForgetGate, .dOutputGate, .dCandidate]), columns: shape.hidden,
      times: search.segment.reversed())
  }

  private func gates(_ quantities: [NonFiniteValue.Quantity]) -> [NonFiniteSearch.Memory] {
    zip(Gate.allCases, quantities).map { gate, quantity in
      NonFiniteSearch.Memory(quantity, gates(0) + gate.rawValue * hiddenStride, stride: 4 * hiddenStride)
    }
  }
}

/// Walks over memory of a step, [T, B, stride] of a segment, without its padding.
struct NonFiniteSearch {
  let segment: Range<Int>
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
    for t in times ?? Array(segment) {
      for lane in 0..<lengths.count where t < Int(lengths[lane]) {
        for part in memory {
          let row = part.pointer + ((t - segment.lowerBound) * lengths.count + lane) * part.stride
          guard let unit = (0..<columns).first(where: { !row[$0].isFinite }) else { continue }
          return NonFiniteValue(
            quantity: part.quantity, layer: layer, timestep: t, lane: lane, unit: unit, value: row[unit])
        }
      }
    }
    return nil
  }
}
