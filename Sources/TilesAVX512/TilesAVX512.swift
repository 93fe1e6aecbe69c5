import Tiles

// What `Tiles` defines, compiled for AVX-512. Nothing here may run before the processor has been asked whether it has
// it: see `InstructionSet`. Every function that this module emits is one of these: a shared one, chosen by the linker,
// could be called from elsewhere (Launch/check-instructions). Each kind of tile has a function of its own: of larger
// ones the compiler keeps sums in memory.

/// A product, in the tiles of AVX-512.
public func compute(_ product: PanelProduct) {
  var panel = computeFourPanels(product)
  while panel < product.panels {
    if panel + 2 <= product.panels { computeTwoPanels(product, panel) } else { computeOnePanel(product, panel) }
    panel += 2
  }
}

@inline(never)
private func computeFourPanels(_ product: PanelProduct) -> Int { product.computeFourPanelsInThirtyTwoRegisters() }

@inline(never)
private func computeTwoPanels(_ product: PanelProduct, _ panel: Int) {
  product.computeInThirtyTwoRegisters(InlineArray<2, Vector>.self, panel: panel)
}

@inline(never)
private func computeOnePanel(_ product: PanelProduct, _ panel: Int) {
  product.computeInThirtyTwoRegisters(InlineArray<1, Vector>.self, panel: panel)
}

/// Tiles of a weight gradient, in those of AVX-512.
public func compute(_ tiles: GradientTiles) {
  tiles.forEachTile { place, chunk in
    if place.panels == 2 { computeTwoPanels(tiles, chunk, place) } else { computeOnePanel(tiles, chunk, place) }
  }
}

@inline(never)
private func computeTwoPanels(_ tiles: GradientTiles, _ chunk: GradientTiles.Chunk, _ place: GradientTiles.Place) {
  tiles.computeBlock(Tile<6, 2>.self, chunk, place)
}

@inline(never)
private func computeOnePanel(_ tiles: GradientTiles, _ chunk: GradientTiles.Chunk, _ place: GradientTiles.Place) {
  tiles.computeBlock(Tile<6, 1>.self, chunk, place)
}

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
