// What comes into the cache while tiles are summed. With sixteen registers only the columns of A do: a tile has a
// quarter of the sums, and lasts as long.
extension GradientTiles {
  /// Rows of dZ that are packed once these tiles are done, `panels` panels of them.
  public struct NextRows {
    @usableFromInline let start: UnsafePointer<Float>
    @usableFromInline let stride: Int
    @usableFromInline let count: Int
    @usableFromInline let panels: Int

    /// `count` rows from `start` on, `stride` floats apart.
    @inlinable
    public init(_ start: UnsafePointer<Float>, stride: Int, count: Int, panels: Int) {
      (self.start, self.stride, self.count, self.panels) = (start, stride, count, panels)
    }
  }

  /// Of the next block of A, which may lie in memory, the lines that come into the cache during one of a block's tiles:
  /// its share of them, as far as it has terms for.
  @inlinable @inline(__always)
  func nextColumns(_ chunk: Chunk, _ place: Place, share: Int, of shares: Int) -> Ahead {
    let floats = chunk.rows.count &* blockColumns / shares
    return Ahead(
      columns(of: chunk, block: place.block &+ 1) + floats &* share, stride: vectorWidth, lines: 1,
      places: (floats &+ vectorWidth &- 1) / vectorWidth)
  }

  /// The rows of the gradient that a tile writes after a chunk, if it does.
  @inlinable @inline(__always)
  func gradientRows(_ chunk: Chunk, _ place: Place) -> Ahead {
    guard let destination = chunk.destination else { return Ahead(a, stride: 0, lines: 0, places: 0) }
    return Ahead(
      destination + offset(place, row: 0, panel: 0), stride: rowStride, lines: place.panels, places: blockColumns)
  }

  /// A tile's share of the rows that are packed next, which it asks for with a chunk after which it writes its sums.
  @inlinable @inline(__always)
  func nextRows(_ chunk: Chunk, _ place: Place) -> Ahead {
    guard chunk.destination != nil else { return Ahead(a, stride: 0, lines: 0, places: 0) }
    let (tile, tiles) = (
      (place.block &- blocks.lowerBound) &* tilesOfBlock &+ place.panel / 2, blocks.count &* tilesOfBlock
    )
    let (first, end) = (tile &* next.count / tiles, (tile &+ 1) &* next.count / tiles)
    return Ahead(
      next.start + first &* next.stride, stride: next.stride, lines: next.panels,
      places: end &- first)
  }
}
