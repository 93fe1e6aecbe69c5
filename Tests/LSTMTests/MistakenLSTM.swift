import ExactMath
import LSTM

/// A second, deliberately plain backward pass over the caches of a forward pass, into which known mistakes can be put.
/// Without a mistake it is correct, so a test that rejects a mutation rejects the mutation alone.
enum MistakenLSTM {
  enum Mistake {
    /// dzU and dzF as a widely copied notebook prints them: dcNext⊙c̃ + Γo(1 − tanh²c)⊙c̃⊙da⊙Γu⊙(1 − Γu).
    case missingParentheses
    /// Each timestep sees only its own dy; nothing comes from t + 1.
    case nothingThroughTime
  }

  static func weightGradient(_ one: GradientCase, mistake: Mistake?) -> [Double] {
    let layer = one.forward()
    let (D, H, B) = (one.shape.inputs, one.shape.hidden, one.lanes)
    var dW = [Double](repeating: 0, count: one.shape.parameterCount)
    var (daNext, dcNext) = (one.daT, one.dcT)
    for t in stride(from: one.timesteps - 1, through: 0, by: -1) {
      var daPrev = [Double](repeating: 0, count: B * H)
      for lane in 0..<B {
        let row = t * B + lane
        var dZ = [Double](repeating: 0, count: 4 * H)
        for j in 0..<H {
          let gate = { (g: Gate) in layer.gates[row * 4 * H + g.rawValue * H + j] }
          let (u, f, o, candidate) = (gate(.update), gate(.forget), gate(.output), gate(.candidate))
          let (c, cPrev) = (layer.c[(row + B) * H + j], layer.c[row * H + j])
          let tanhC = Double.hyperbolicTangent(c)
          let da = one.dy[row * H + j] + daNext[lane * H + j]
          let through = da * o * (1 - tanhC * tanhC)
          let dc = dcNext[lane * H + j] + through
          dZ[Gate.output.rawValue * H + j] = da * tanhC * o * (1 - o)
          dZ[Gate.candidate.rawValue * H + j] = dc * u * (1 - candidate * candidate)
          if mistake == .missingParentheses {
            let carried = dcNext[lane * H + j]
            dZ[Gate.update.rawValue * H + j] = carried * candidate + through * candidate * u * (1 - u)
            dZ[Gate.forget.rawValue * H + j] = carried * cPrev + through * cPrev * f * (1 - f)
          } else {
            dZ[Gate.update.rawValue * H + j] = dc * candidate * u * (1 - u)
            dZ[Gate.forget.rawValue * H + j] = dc * cPrev * f * (1 - f)
          }
          dcNext[lane * H + j] = dc * f
        }
        for n in 0..<4 * H {
          for k in 0..<D { dW[k * 4 * H + n] += one.x[row * D + k] * dZ[n] }
          for k in 0..<H {
            dW[(D + k) * 4 * H + n] += layer.a[row * H + k] * dZ[n]
            daPrev[lane * H + k] += dZ[n] * one.weights[(D + k) * 4 * H + n]
          }
          dW[(D + H) * 4 * H + n] += dZ[n]
        }
      }
      daNext = daPrev
      if mistake == .nothingThroughTime {
        (daNext, dcNext) = ([Double](repeating: 0, count: B * H), [Double](repeating: 0, count: B * H))
      }
    }
    return dW
  }
}
