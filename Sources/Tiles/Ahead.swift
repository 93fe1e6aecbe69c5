import CProcessor

// Memory that comes into the cache while a tile is summed, so that what follows need not wait for it. All at once it
// would be in the way of the tile's own loads, so a little is asked for every fourth term.

/// Some lines one behind the other, and again `stride` floats on.
public struct Ahead {
  @usableFromInline var place: UnsafePointer<Float>
  @usableFromInline let stride: Int
  @usableFromInline let lines: Int
  @usableFromInline var places: Int

  /// `places` of `lines` lines each.
  @inlinable @inline(__always)
  init(_ place: UnsafePointer<Float>, stride: Int, lines: Int, places: Int) {
    (self.place, self.stride, self.lines, self.places) = (place, stride, lines, places)
  }

  /// Asks for the next place, if there is one.
  @inlinable @inline(__always)
  mutating func advance() {
    guard places > 0 else { return }
    for line in 0..<lines { processor_prefetch(place + line &* vectorWidth) }
    place += stride
    places &-= 1
  }
}

/// Terms of the panels of a packed matrix that are read next: one each time, or four where a tile has no time for that.
public struct PanelsAhead {
  @usableFromInline var place: UnsafePointer<Float>
  @usableFromInline let stride: Int
  @usableFromInline let isQuick: Bool
  @usableFromInline var times: Int

  /// Some terms of the panels from `start` on, `stride` floats apart, during `count` terms of a tile.
  @inlinable @inline(__always)
  init(_ start: UnsafePointer<Float>, stride: Int, terms: Range<Int>, during count: Int) {
    (place, self.stride) = (start + terms.lowerBound &* vectorWidth, stride)
    isQuick = 4 &* terms.count > count
    times = isQuick ? (terms.count &+ 3) / 4 : terms.count
  }

  /// None.
  @inlinable @inline(__always)
  init(none place: UnsafePointer<Float>) { (self.place, stride, isQuick, times) = (place, 0, false, 0) }

  /// Asks for what is next of `panels` panels.
  @inlinable @inline(__always)
  mutating func advance(panels: Int) {
    guard times > 0 else { return }
    if isQuick {
      for panel in 0..<panels {
        for term in 0..<4 { processor_prefetch(place + (panel &* stride &+ term &* vectorWidth)) }
      }
      place += 4 &* vectorWidth
    } else {
      for panel in 0..<panels { processor_prefetch(place + panel &* stride) }
      place += vectorWidth
    }
    times &-= 1
  }
}

/// What comes during one tile.
public struct TileAhead {
  @usableFromInline var lines: Ahead
  @usableFromInline var panels: PanelsAhead

  /// Both.
  @inlinable @inline(__always)
  init(_ lines: Ahead, _ panels: PanelsAhead) { (self.lines, self.panels) = (lines, panels) }

  /// Asks for what is next of both, of `count` panels.
  @inlinable @inline(__always)
  mutating func advance(panels count: Int) {
    lines.advance()
    panels.advance(panels: count)
  }
}
