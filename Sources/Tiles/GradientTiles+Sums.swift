extension GradientTiles {
  /// What a tile's chains begin with.
  @inlinable @inline(__always)
  func started<let width: Int>(
    _: Tile<6, width>.Type, _ chunk: Chunk, _ place: Place, half: Int, panel: Int
  ) -> Tile<6, width> {
    var sums: Tile<6, width> = .zeros()
    let level = place.sums(level: chunk.level, half: half, panel: panel)
    if chunk.continuing {
      for i in 0..<6 {
        for p in 0..<width { sums[i][p] = level[p &* blockColumns &+ i] }
      }
    }
    return sums
  }

  /// Adds a tile's sums to the levels below, and puts them down: where they go if all of the tile goes there, or on the
  /// stack.
  @inlinable @inline(__always)
  func finish<let width: Int>(_ tile: Tile<6, width>, _ chunk: Chunk, _ place: Place, half: Int, panel: Int) {
    var (sums, level) = (tile, place.sums(level: chunk.level, half: half, panel: panel))
    for _ in 0..<chunk.merges {
      level -= place.panels &* blockColumns
      for i in 0..<6 {
        for p in 0..<width { sums[i][p] = level[p &* blockColumns &+ i] + sums[i][p] }
      }
    }
    if let destination = chunk.destination, isWhole(place) {
      let to = destination + offset(place, row: half &* tileRows, panel: panel)
      for i in 0..<6 {
        for p in 0..<width { sums[i][p].store(to + (i &* rowStride &+ p &* vectorWidth)) }
      }
      return
    }
    for i in 0..<6 {
      for p in 0..<width { level[p &* blockColumns &+ i] = sums[i][p] }
    }
  }

  /// Reads the sums from which a tile's chains go on, to its stack.
  @inlinable @inline(__always)
  func readSource(_ chunk: Chunk, _ place: Place) {
    guard let source = chunk.source else { return }
    forEachRow(of: place, onLevel: chunk.level) { sums, offset, columns in
      sums.pointee = Vector(source + offset, columns: columns)
    }
  }

  /// Writes the sums of a tile of which not all goes to a gradient, from its stack.
  @inlinable @inline(__always)
  func writeDestination(_ chunk: Chunk, _ place: Place) {
    guard let destination = chunk.destination, !isWhole(place) else { return }
    forEachRow(of: place, onLevel: chunk.level &- chunk.merges) { sums, offset, columns in
      sums.pointee.store(destination + offset, columns: columns)
    }
  }

  /// Calls `body` with the sums of each of a tile's rows and panels on a level of its stack, their place in a gradient,
  /// and how many columns they have there.
  @inlinable @inline(__always)
  func forEachRow(
    of place: Place, onLevel level: Int,
    _ body: (_ sums: UnsafeMutablePointer<Vector>, _ offset: Int, _ columns: Int) -> Void
  ) {
    for panel in 0..<place.panels {
      let sums = place.sums(level: level, half: 0, panel: panel)
      for row in 0..<Swift.min(blockColumns, rowCount(from: place)) {
        body(
          sums + row, offset(place, row: row, panel: panel),
          Swift.min(vectorWidth, columnCount(from: place) &- panel &* vectorWidth))
      }
    }
  }

  /// Where a row of a tile stands in a gradient, from a panel on.
  @inlinable @inline(__always)
  func offset(_ place: Place, row: Int, panel: Int) -> Int {
    (place.block &* blockColumns &+ row) &* rowStride
      &+ (panels.lowerBound &+ place.panel &+ panel) &* vectorWidth
  }

  /// Whether all of a tile goes to a gradient.
  @inlinable @inline(__always)
  func isWhole(_ place: Place) -> Bool {
    rowCount(from: place) >= blockColumns && columnCount(from: place) >= place.panels &* vectorWidth
  }

  /// Rows of the gradient from a tile's first one on.
  @inlinable @inline(__always)
  func rowCount(from place: Place) -> Int { depth &- place.block &* blockColumns }

  /// Columns of the gradient from a tile's first one on.
  @inlinable @inline(__always)
  func columnCount(from place: Place) -> Int { columns &- (panels.lowerBound &+ place.panel) &* vectorWidth }
}
