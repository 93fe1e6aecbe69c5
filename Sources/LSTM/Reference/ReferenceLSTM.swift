import ExactMath

// One LSTM layer, forward and backward, exactly as the equations stand: the page to read first. Nothing is packed,
// fused or reordered; in Double it is the truth for gradients, in Float it makes the bits that the fast path makes.
//
// Notation. Andrew Ng's course writes (features, examples); everything here is its transpose, row-major, time first:
//
//   x [T, B, D]   a, c [T, B, H]   A = [x, aPrev] [B, D + H]   W [D + H, 4H]   b [4H]   Z [B, 4H]
//
// The course stacks [aPrev, x]; here x stands first, because x·Wx of all timesteps is known before the loop over t
// begins, and every sum below runs in the order of its index. u: update, f: forget, o: output gate, c̃: candidate;
// the columns of W, b and Z are in the order of `Gate`. d… are derivatives of the loss; dZ those of the
// pre-activations Z (the course writes dΓ).
//
// A gradient of a weight is one sum over all timesteps and lanes, t descending and lanes ascending: the order in which
// back-propagation makes the terms.

/// What the forward pass of a layer leaves for the backward pass, and the results of both.
package struct ReferenceLSTM<Scalar: ReferenceScalar> {
  /// D and H.
  package let shape: LSTMShape
  /// T.
  package let timesteps: Int
  /// B.
  package let lanes: Int
  /// W [D + H, 4H] with b [4H] as its last row.
  package let weights: [Scalar]

  /// Γu, Γf, Γo, c̃ after the forward pass; dZ after the backward pass. [T, B, 4H].
  package private(set) var gates: [Scalar]
  /// Hidden states: a⟨0⟩, the initial one, then those of the T timesteps. [T + 1, B, H].
  package private(set) var a: [Scalar]
  /// Cell states, likewise. [T + 1, B, H].
  package private(set) var c: [Scalar]

  /// Gradient of W and, as the last row, b. [D + H + 1, 4H].
  package private(set) var dW: [Scalar]
  /// Gradient of the inputs. [T, B, D].
  package private(set) var dx: [Scalar]
  /// Gradient of the initial hidden state. [B, H].
  package private(set) var da0: [Scalar]
  /// Gradient of the initial cell state. [B, H].
  package private(set) var dc0: [Scalar]

  /// A layer at rest.
  /// - Precondition: `weights` holds (D + H + 1)·4H numbers.
  package init(shape: LSTMShape, timesteps: Int, lanes: Int, weights: [Scalar]) {
    precondition(weights.count == shape.parameterCount, "weights of another shape")
    self.shape = shape
    self.timesteps = timesteps
    self.lanes = lanes
    self.weights = weights
    let state = lanes * shape.hidden
    gates = Array(repeating: 0, count: timesteps * lanes * shape.columns)
    a = Array(repeating: 0, count: (timesteps + 1) * state)
    c = Array(repeating: 0, count: (timesteps + 1) * state)
    dW = Array(repeating: 0, count: shape.parameterCount)
    dx = Array(repeating: 0, count: timesteps * lanes * shape.inputs)
    da0 = Array(repeating: 0, count: state)
    dc0 = Array(repeating: 0, count: state)
  }

  /// Forward over all timesteps, from a⟨0⟩ and c⟨0⟩. x [T, B, D]; a0, c0 [B, H].
  package mutating func forward(x: [Scalar], a0: [Scalar], c0: [Scalar]) {
    let (D, H) = (shape.inputs, shape.hidden)
    a.replaceSubrange(0..<lanes * H, with: a0)
    c.replaceSubrange(0..<lanes * H, with: c0)
    for t in 0..<timesteps {
      for lane in 0..<lanes {
        let row = t * lanes + lane
        var z = Array(weights[(D + H) * 4 * H..<(D + H + 1) * 4 * H])
        for n in 0..<4 * H {
          // (F1) Z = A·W + b
          for k in 0..<D { z[n].addProduct(x[row * D + k], weights[k * 4 * H + n]) }
          for k in 0..<H { z[n].addProduct(a[row * H + k], weights[(D + k) * 4 * H + n]) }
        }
        for j in 0..<H {
          // (F2) Γu, Γf, Γo = σ(Zu, Zf, Zo)
          let u = Scalar.sigmoid(z[Gate.update.rawValue * H + j])
          let f = Scalar.sigmoid(z[Gate.forget.rawValue * H + j])
          let o = Scalar.sigmoid(z[Gate.output.rawValue * H + j])
          // (F3) c̃ = tanh(Zc)
          let candidate = Scalar.hyperbolicTangent(z[Gate.candidate.rawValue * H + j])
          // (F4) c = Γu⊙c̃ + Γf⊙cPrev
          let cNow = u * candidate + f * c[row * H + j]
          // (F5) a = Γo⊙tanh(c)
          a[(row + lanes) * H + j] = o * Scalar.hyperbolicTangent(cNow)
          c[(row + lanes) * H + j] = cNow
          setGates(row, j, u, f, o, candidate)
        }
      }
    }
  }

  /// Backward over all timesteps. x as in the forward pass; dy [T, B, H] is what reaches each a from outside the
  /// layer, daT and dcT [B, H] what reaches the last a and c from behind the sequence.
  package mutating func backward(x: [Scalar], dy: [Scalar], daT: [Scalar], dcT: [Scalar]) {
    let (D, H) = (shape.inputs, shape.hidden)
    dW = Array(repeating: 0, count: shape.parameterCount)
    var dcNext = dcT
    for t in stride(from: timesteps - 1, through: 0, by: -1) {
      for lane in 0..<lanes {
        let row = t * lanes + lane
        for j in 0..<H {
          // da = from the output at t + from step t+1
          var da = dy[row * H + j]
          if t == timesteps - 1 { da += daT[lane * H + j] } else { addProductWithW(&da, row + lanes, D + j) }
          let (u, f, o, candidate) = gates(row, j)
          let tanhC = Scalar.hyperbolicTangent(c[(row + lanes) * H + j])
          let cPrev = c[row * H + j]
          // (B1) dc = dcNext + da⊙Γo⊙(1 − tanh²c)
          let dc = dcNext[lane * H + j] + da * o * (1 - tanhC * tanhC)
          // (B2) dzO = da⊙tanh(c)⊙Γo⊙(1 − Γo)
          let dzO = da * tanhC * o * (1 - o)
          // (B3) dzC = dc⊙Γu⊙(1 − c̃²)
          let dzC = dc * u * (1 - candidate * candidate)
          // (B4) dzU = dc⊙c̃⊙Γu⊙(1 − Γu)
          let dzU = dc * candidate * u * (1 - u)
          // (B5) dzF = dc⊙cPrev⊙Γf⊙(1 − Γf)
          let dzF = dc * cPrev * f * (1 - f)
          // (B9) dcPrev = dc⊙Γf
          dcNext[lane * H + j] = dc * f
          setGates(row, j, dzU, dzF, dzO, dzC)
        }
      }
      for lane in 0..<lanes { accumulateWeightGradient(x: x, row: t * lanes + lane) }
    }
    dc0 = dcNext
    for lane in 0..<lanes {
      for j in 0..<H {
        // (B8) [dx, daPrev] = dZ·Wᵀ, the columns of daPrev at t = 0
        da0[lane * H + j] = 0
        if timesteps > 0 {
          addProductWithW(&da0[lane * H + j], lane, D + j)
        } else {
          da0[lane * H + j] = daT[lane * H + j]
        }
      }
    }
    for row in 0..<timesteps * lanes {
      for k in 0..<D {
        // (B8) [dx, daPrev] = dZ·Wᵀ, the columns of dx
        dx[row * D + k] = 0
        addProductWithW(&dx[row * D + k], row, k)
      }
    }
  }

  /// One row's terms of (B6) and (B7).
  private mutating func accumulateWeightGradient(x: [Scalar], row: Int) {
    let (D, H) = (shape.inputs, shape.hidden)
    for n in 0..<4 * H {
      let dz = gates[row * 4 * H + n]
      // (B6) dW = Σ_t Aᵀ·dZ
      for k in 0..<D { dW[k * 4 * H + n].addProduct(x[row * D + k], dz) }
      for k in 0..<H { dW[(D + k) * 4 * H + n].addProduct(a[row * H + k], dz) }
      // (B7) db = Σ_t Σ_batch dZ
      dW[(D + H) * 4 * H + n] += dz
    }
  }

  /// sum += Σ_n dZ[row, n] · W[k, n], n ascending: one element of dZ·Wᵀ.
  private func addProductWithW(_ sum: inout Scalar, _ row: Int, _ k: Int) {
    let columns = shape.columns
    for n in 0..<columns { sum.addProduct(gates[row * columns + n], weights[k * columns + n]) }
  }

  private func gates(_ row: Int, _ j: Int) -> (u: Scalar, f: Scalar, o: Scalar, candidate: Scalar) {
    let (H, first) = (shape.hidden, row * shape.columns + j)
    return (
      gates[first + Gate.update.rawValue * H], gates[first + Gate.forget.rawValue * H],
      gates[first + Gate.output.rawValue * H], gates[first + Gate.candidate.rawValue * H]
    )
  }

  private mutating func setGates(_ row: Int, _ j: Int, _ u: Scalar, _ f: Scalar, _ o: Scalar, _ candidate: Scalar) {
    let (H, first) = (shape.hidden, row * shape.columns + j)
    gates[first + Gate.update.rawValue * H] = u
    gates[first + Gate.forget.rawValue * H] = f
    gates[first + Gate.output.rawValue * H] = o
    gates[first + Gate.candidate.rawValue * H] = candidate
  }
}
