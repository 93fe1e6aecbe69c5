import Tiles

// What `Tiles` defines, compiled for AVX-512. Nothing here may run before the processor has been asked whether it has
// it: see `InstructionSet`. Every function that this module emits is one of these: a shared one, chosen by the linker,
// could be called from elsewhere (Launch/check-instructions).

/// A product, in the tiles of AVX-512.
public func compute(_ product: PanelProduct) { product.computeInThirtyTwoRegisters() }

/// A piece of a weight gradient, in the tiles of AVX-512.
public func compute(_ tiles: GradientTiles) { tiles.computeInThirtyTwoRegisters() }

/// `sigmoids`.
public func applySigmoid(_ y: UnsafeMutablePointer<Float>, count: Int) { sigmoids(y, count: count) }

/// `hyperbolicTangents`.
public func applyHyperbolicTangent(_ y: UnsafeMutablePointer<Float>, count: Int) { hyperbolicTangents(y, count: count) }

/// `exponentials`.
public func applyExponential(_ y: UnsafeMutablePointer<Float>, minus shift: Float, count: Int) {
  exponentials(y, minus: shift, count: count)
}

/// Operations of twelve chains of sixteen floats.
public func runMultiplyAdds(rounds: Int, factor: Float) -> Float {
  multiplyAdds(Tile<6, 2>.self, rounds: rounds, factor: factor)
}
