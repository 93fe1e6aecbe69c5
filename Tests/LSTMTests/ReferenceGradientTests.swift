import LSTM
import Testing

/// One layer's loss with everything that can reach it: Σ y·dy + Σ aT·daT + Σ cT·dcT.
struct GradientCase {
  let shape: LSTMShape
  let timesteps: Int
  let lanes: Int
  var x: [Double]
  var weights: [Double]
  var a0: [Double]
  var c0: [Double]
  let dy: [Double]
  let daT: [Double]
  let dcT: [Double]

  init(timesteps: Int, lanes: Int, inputs: Int, hidden: Int) {
    shape = LSTMShape(inputs: inputs, hidden: hidden)
    self.timesteps = timesteps
    self.lanes = lanes
    let state = lanes * hidden
    x = randomNumbers(timesteps * lanes * inputs, seed: 1)
    weights = randomNumbers(shape.parameterCount, seed: 2)
    a0 = randomNumbers(state, seed: 3)
    c0 = randomNumbers(state, seed: 4)
    dy = randomNumbers(timesteps * state, seed: 5)
    daT = randomNumbers(state, seed: 6)
    dcT = randomNumbers(state, seed: 7)
  }

  func forward() -> ReferenceLSTM<Double> {
    var layer = ReferenceLSTM<Double>(shape: shape, timesteps: timesteps, lanes: lanes, weights: weights)
    layer.forward(x: x, a0: a0, c0: c0)
    return layer
  }

  func backward() -> ReferenceLSTM<Double> {
    var layer = forward()
    layer.backward(x: x, dy: dy, daT: daT, dcT: dcT)
    return layer
  }

  var loss: Double {
    let layer = forward()
    let state = lanes * shape.hidden
    let outputs = zip(layer.a[state...], dy).reduce(0) { $0 + $1.0 * $1.1 }
    let last = zip(layer.a[(timesteps * state)...], daT).reduce(0) { $0 + $1.0 * $1.1 }
    return zip(layer.c[(timesteps * state)...], dcT).reduce(outputs + last) { $0 + $1.0 * $1.1 }
  }

  /// The largest relative difference between `gradient` and central differences of the loss over one array.
  func worstError(_ gradient: [Double], _ values: WritableKeyPath<GradientCase, [Double]>) -> Double {
    var worst = 0.0
    for i in gradient.indices {
      var (up, down) = (self, self)
      let step = 1e-5
      up[keyPath: values][i] += step
      down[keyPath: values][i] -= step
      let numeric = (up.loss - down.loss) / (2 * step)
      worst = max(worst, abs(numeric - gradient[i]) / max(1, abs(numeric)))
    }
    return worst
  }
}

@Suite struct ReferenceGradientTests {
  /// T, B, D and H all different, so that no transposed matrix passes.
  static let cases = [
    GradientCase(timesteps: 5, lanes: 3, inputs: 4, hidden: 6),
    GradientCase(timesteps: 1, lanes: 2, inputs: 3, hidden: 4),
    GradientCase(timesteps: 7, lanes: 1, inputs: 2, hidden: 3),
  ]

  @Test(arguments: 0..<3)
  func everyGradientAgreesWithCentralDifferences(index: Int) {
    let one = ReferenceGradientTests.cases[index]
    let layer = one.backward()
    #expect(one.worstError(layer.dW, \.weights) < 1e-8)
    #expect(one.worstError(layer.dx, \.x) < 1e-8)
    #expect(one.worstError(layer.da0, \.a0) < 1e-8)
    #expect(one.worstError(layer.dc0, \.c0) < 1e-8)
  }

  /// The widely copied notebook prints dΓu and dΓf with parentheses missing: the part that comes through da is
  /// multiplied by the gate's factor Γ⊙(1 − Γ), but dcNext is not. Such gradients must not pass.
  @Test func gradientsWithoutTheParenthesesOfTheNotebookFail() {
    let one = ReferenceGradientTests.cases[0]
    let wrong = MistakenLSTM.weightGradient(one, mistake: .missingParentheses)
    #expect(one.worstError(wrong, \.weights) > 1e-2)
    #expect(one.worstError(MistakenLSTM.weightGradient(one, mistake: nil), \.weights) < 1e-8)
  }

  /// A loop that hands neither da nor dc from step to step is not back-propagation through time. Its gradients must not
  /// pass.
  @Test func gradientsThatDoNotTravelThroughTimeFail() {
    let one = ReferenceGradientTests.cases[0]
    let wrong = MistakenLSTM.weightGradient(one, mistake: .nothingThroughTime)
    #expect(one.worstError(wrong, \.weights) > 1e-2)
  }

  @Test func twelveTimestepsAreThreeTimesFourWithCarriedState() {
    let whole = GradientCase(timesteps: 12, lanes: 3, inputs: 4, hidden: 5)
    let truth = whole.forward()
    var (a, c, states) = (whole.a0, whole.c0, whole.a0)
    for window in 0..<3 {
      var part = ReferenceLSTM<Double>(shape: whole.shape, timesteps: 4, lanes: 3, weights: whole.weights)
      part.forward(x: Array(whole.x[window * 48..<(window + 1) * 48]), a0: a, c0: c)
      states += part.a[15...]
      (a, c) = (Array(part.a[60...]), Array(part.c[60...]))
    }
    #expect(states == truth.a && c == Array(truth.c[180...]))
  }
}
