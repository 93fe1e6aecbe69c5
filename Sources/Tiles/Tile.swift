import CProcessor

/// A block of a product held in registers: `rows` × 16·`panels` elements, as [row][panel].
///
/// Six rows of one panel fill the sixteen registers of AVX2: twelve for the sums, two for a row of the packed matrix,
/// one for the element that multiplies it. AVX-512 has twice as many registers of twice the width, and a sum of its own
/// for each of eight multiply-adds under way.
public typealias Tile<let rows: Int, let panels: Int> = InlineArray<rows, InlineArray<panels, Vector>>

/// Rows of the tallest tile on sixteen registers.
@inlinable
public var tileRows: Int { 6 }

/// Columns of the blocks in which a weight gradient packs A: rows of the tallest tile on thirty-two registers.
@inlinable
public var blockColumns: Int { 12 }

extension InlineArray where Element: ~Copyable {
  /// A tile of zeros.
  @inlinable @inline(__always)
  public static func zeros<let panels: Int>() -> Self where Element == InlineArray<panels, Vector> {
    Self(repeating: InlineArray<panels, Vector>(repeating: .zero))
  }
}

/// Memory that comes into the cache while a tile is summed, so that what follows need not wait for it: some lines one
/// behind the other, and again so many floats on. All at once they would be in the way of the tile's own loads, so one
/// such place is asked for every fourth term.
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

/// The panels of a packed matrix that come next, on their way into the cache while tiles of the panels before them are
/// summed. Where several tiles are, each asks for its share of the terms, one in a turn of four; a single tile asks for
/// all of them.
public struct PanelsAhead {
  @usableFromInline var place: UnsafePointer<Float>
  @usableFromInline let panelStride: Int
  @usableFromInline let isAll: Bool
  @usableFromInline var turns: Int

  /// The panels at `place`, so many floats apart: terms `first` ..< `first` + `count`, or all of `count`.
  @inlinable @inline(__always)
  init(_ place: UnsafePointer<Float>, panelStride: Int, first: Int, count: Int, isAll: Bool) {
    self.place = place + first &* vectorWidth
    (self.panelStride, self.isAll) = (panelStride, isAll)
    turns = isAll ? count &>> 2 : count
  }

  /// None.
  @inlinable @inline(__always)
  init() { (place, panelStride, isAll, turns) = (UnsafePointer(bitPattern: 64)!, 0, false, 0) }

  /// Asks for what is next of so many panels.
  @inlinable @inline(__always)
  mutating func advance(panels: Int) {
    guard turns > 0 else { return }
    if isAll {
      for p in 0..<panels {
        for term in 0..<4 { processor_prefetch(place + (p &* panelStride &+ term &* vectorWidth)) }
      }
      place += 4 &* vectorWidth
    } else {
      for p in 0..<panels { processor_prefetch(place + p &* panelStride) }
      place += vectorWidth
    }
    turns &-= 1
  }
}

/// sums[i][p] += Σ_k a[k · termStride + i · rowStride] · w[p · panelStride + 16k ..< … + 16], k ascending, one chain of
/// fused multiply-adds for each element.
///
/// Four terms a turn of the loop: where another thread of the same core takes half of its decoders the loop's own
/// instructions count, and one term a turn was seen to cost a tenth of the speed.
@inlinable @inline(__always)
func addTerms<let rows: Int, let panels: Int>(
  _ sums: inout Tile<rows, panels>, a: UnsafePointer<Float>, rowStride: Int, termStride: Int,
  w: UnsafePointer<Float>, panelStride: Int, count: Int, ahead: Ahead, panelsAhead: PanelsAhead = PanelsAhead()
) {
  var (a, w, turns, rest) = (a, w, count &>> 2, count & 3)
  var (ahead, panelsAhead) = (ahead, panelsAhead)
  while turns > 0 {
    ahead.advance()
    panelsAhead.advance(panels: panels)
    addTerm(&sums, a, rowStride, w, panelStride)
    addTerm(&sums, a + termStride, rowStride, w + vectorWidth, panelStride)
    addTerm(&sums, a + 2 &* termStride, rowStride, w + 2 &* vectorWidth, panelStride)
    addTerm(&sums, a + 3 &* termStride, rowStride, w + 3 &* vectorWidth, panelStride)
    a += 4 &* termStride
    w += 4 &* vectorWidth
    turns &-= 1
  }
  while rest > 0 {
    addTerm(&sums, a, rowStride, w, panelStride)
    a += termStride
    w += vectorWidth
    rest &-= 1
  }
}

/// One term of every sum of a tile.
@inlinable @inline(__always)
func addTerm<let rows: Int, let panels: Int>(
  _ sums: inout Tile<rows, panels>, _ a: UnsafePointer<Float>, _ rowStride: Int, _ w: UnsafePointer<Float>,
  _ panelStride: Int
) {
  var row = InlineArray<panels, Vector>(repeating: .zero)
  for p in 0..<panels { row[p] = Vector(w + p &* panelStride) }
  for i in 0..<rows {
    let x = Vector(repeating: a[i &* rowStride])
    for p in 0..<panels { sums[i][p] = sums[i][p].addingProduct(x, row[p]) }
  }
}
