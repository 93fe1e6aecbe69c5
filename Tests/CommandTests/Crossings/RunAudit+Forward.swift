import Foundation

/// The forward pass as the textbook has it, over the tokens of a window alone: no padding, no shards, no ranks.
extension RunAudit {
  /// What is dropped is known to the program alone; a pooled head carries nothing on.
  private var isTextbook: Bool {
    let other: [Feature] = [
      .dropout, .variational, .weightDropout, .embeddingDropout, .bidirectional, .meanPooling, .maxPooling,
    ]
    return !other.contains(where: crossing.has)
  }

  /// The states that a step carries on, and its loss, from the checkpoint before it.
  func forward(_ step: Int, _ before: RecordedState, _ after: RecordedState) -> [String] {
    guard isTextbook, !run.isSkipped(step) else { return [] }
    let result = pass(step, before.parameters, hidden: before.hidden)
    return differ("state after step \(step)", after.hidden, result.states, within: 1e-5)
      + (crossing.has(.adaptive)
        ? []
        : differ(
          "training loss of step \(step)", run.record("step", step: step)?.number("trainLoss") ?? .nan, result.loss,
          within: 1e-5))
  }

  /// The norm of each tensor's gradient is the slope along it of the loss with its penalties, AR and TAR of Merity,
  /// Keskar and Socher (2017) with α = 20 and β = 100. `gradient`: as clipping has left it.
  func slope(_ step: Int, _ before: RecordedState, along gradient: [String: [Double]]) -> [String] {
    guard isTextbook, !crossing.has(.adaptive), !crossing.has(.clipElement) else { return [] }
    func norm(_ g: [Double]) -> Double { g.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let recorded = run.record("step", step: step)?.number("gradientNorm") ?? .nan
    let unclipped = recorded / norm(gradient.values.flatMap { $0 })
    return gradient.keys.sorted().filter { norm(gradient[$0]!) > 1e-4 }.flatMap { name in
      let (g, length) = (gradient[name]!, norm(gradient[name]!))
      let losses = [1e-4, -1e-4].map { width in
        var moved = before.parameters
        moved[name] = moved[name]!.indices.map { moved[name]![$0] + width / length * g[$0] }
        let result = pass(step, moved, hidden: before.hidden)
        return result.loss + (crossing.has(.penalties) ? result.penalty : 0)
      }
      return differ(
        "slope of loss and penalties along \(name) at step \(step)", (losses[0] - losses[1]) / 2e-4,
        length * unclipped, within: 2e-3 * length * unclipped + 1e-5)
    }
  }

  /// All lanes over the window of a step.
  private func pass(
    _ step: Int, _ parameters: [String: [Double]], hidden: [Double]
  ) -> (states: [Double], loss: Double, penalty: Double) {
    let window = run.measurement.windows[step - 1]
    let lanes = window.fresh.count
    let size = hidden.count / lanes
    var (states, loss, penalty) = ([Double](), 0.0, 0.0)
    for lane in 0..<lanes {
      let carried =
        window.fresh[lane]
        ? [Double](repeating: 0, count: size) : Array(hidden[lane * size..<(lane + 1) * size])
      var model = TextbookModel(parameters, state: carried)
      for t in 0..<window.length {
        let last = model.top
        model.read(window.tokens[t * lanes + lane])
        let squares = zip(model.top, last).map { (20 * $0 * $0, 100 * ($0 - $1) * ($0 - $1)) }
        penalty += squares.reduce(0) { $0 + $1.0 + (t > 0 ? $1.1 : 0) } / Double(last.count)
        if !crossing.has(.adaptive) { loss += model.loss(window.targets[t * lanes + lane]) }
      }
      states += model.state
    }
    let count = Double(lanes * window.length)
    return (states, loss / count, penalty / count)
  }
}

/// An LSTM with tensors as PyTorch calls and orders them, one token at a time.
private struct TextbookModel {
  private let tensors: [String: [Double]]
  private let hidden: Int
  private let layers: Int
  /// [L, 2, H]: hidden, then cell.
  private(set) var state: [Double]

  init(_ tensors: [String: [Double]], state: [Double]) {
    (self.tensors, self.state) = (tensors, state)
    hidden = tensors["lstm.bias_ih_l0"]!.count / 4
    layers = state.count / (2 * hidden)
  }

  /// What the highest layer says.
  var top: [Double] { Array(state[(layers - 1) * 2 * hidden..<((layers - 1) * 2 + 1) * hidden]) }

  mutating func read(_ token: Int) {
    let embedding = tensors["embedding.weight"]!
    let width = tensors["lstm.weight_ih_l0"]!.count / (4 * hidden)
    var x = Array(embedding[token * width..<(token + 1) * width])
    for layer in 0..<layers {
      let place = layer * 2 * hidden
      let h = Array(state[place..<place + hidden])
      let input = product("lstm.weight_ih_l\(layer)", x)
      let recurrent = product("lstm.weight_hh_l\(layer)", h)
      let biases = ["ih", "hh"].map { tensors["lstm.bias_\($0)_l\(layer)"]! }
      let z = input.indices.map { input[$0] + recurrent[$0] + biases[0][$0] + biases[1][$0] }
      for j in 0..<hidden {
        let (i, f, g, o) = (
          sigmoid(z[j]), sigmoid(z[hidden + j]), tanh(z[2 * hidden + j]), sigmoid(z[3 * hidden + j])
        )
        let cell = f * state[place + hidden + j] + i * g
        state[place + hidden + j] = cell
        state[place + j] = o * tanh(cell)
      }
      x = Array(state[place..<place + hidden])
    }
  }

  /// −log of the probability of a class.
  func loss(_ target: Int) -> Double {
    let name = tensors["output.weight"] == nil ? "embedding.weight" : "output.weight"
    let logits = zip(product(name, top), tensors["output.bias"]!).map { $0 + $1 }
    return log(logits.reduce(0) { $0 + exp($1) }) - logits[target]
  }

  /// Matrix [rows, x.count] times x.
  private func product(_ name: String, _ x: [Double]) -> [Double] {
    let matrix = tensors[name]!
    return (0..<matrix.count / x.count).map { row in
      x.indices.reduce(0) { $0 + matrix[row * x.count + $1] * x[$1] }
    }
  }

  private func sigmoid(_ z: Double) -> Double { 1 / (1 + exp(-z)) }
}
