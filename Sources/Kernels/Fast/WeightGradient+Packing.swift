extension WeightGradient {
  /// Rows of A that are packed for all columns before the next ones: they stay in the first-level cache.
  private static let packedRows = 32

  /// Packs a column block of A: columns `at` ..< `at` + `columns` are those of `source` [T·B, stride], times `scale`.
  package func packInput(
    _ source: UnsafePointer<Float>, stride: Int, columns: Int, at first: Int, scale: Float = 1
  ) {
    for chunk in pass.chunks {
      for start in Swift.stride(from: chunk.lowerBound, to: chunk.upperBound, by: WeightGradient.packedRows) {
        let places = start..<min(start + WeightGradient.packedRows, chunk.upperBound)
        var column = 0
        while column < columns {
          let (block, offset) = (first + column).quotientAndRemainder(dividingBy: blockColumns)
          let run = min(columns - column, blockColumns - offset)
          let to = input(chunk, block: block) + (start - chunk.lowerBound) * blockColumns + offset
          if run == blockColumns && scale == 1 {
            packBlock(source + column, stride: stride, places: places, to: to)
          } else {
            packRuns(source + column, stride: stride, places: places, count: run, scale: scale, to: to)
          }
          column &+= run
        }
      }
    }
  }

  /// A block of twelve columns of A in a chunk.
  func input(_ chunk: Range<Int>, block: Int) -> UnsafeMutablePointer<Float> {
    inputs.pointer + (chunk.lowerBound * blockCount + block * chunk.count) * blockColumns
  }

  /// Twelve columns of some rows.
  private func packBlock(
    _ source: UnsafePointer<Float>, stride: Int, places: Range<Int>, to: UnsafeMutablePointer<Float>
  ) {
    pass.order.withUnsafeBufferPointer { order in
      var to = UnsafeMutableRawPointer(to)
      for place in places {
        let row = UnsafeRawPointer(source + Int(order[place]) * stride)
        to.storeBytes(of: row.loadUnaligned(as: SIMD8<Float>.self), as: SIMD8<Float>.self)
        to.storeBytes(
          of: row.loadUnaligned(fromByteOffset: 32, as: SIMD4<Float>.self), toByteOffset: 32, as: SIMD4<Float>.self)
        to += blockColumns * MemoryLayout<Float>.stride
      }
    }
  }

  /// Fewer columns of some rows, or scaled ones.
  private func packRuns(
    _ source: UnsafePointer<Float>, stride: Int, places: Range<Int>, count: Int, scale: Float,
    to: UnsafeMutablePointer<Float>
  ) {
    pass.order.withUnsafeBufferPointer { order in
      for place in places {
        let row = source + Int(order[place]) * stride
        for i in 0..<count { to[(place - places.lowerBound) * blockColumns + i] = scale * row[i] }
      }
    }
  }

  /// Packs a column of ones: its row of dW is db = Σ dZ.
  package func packOnes(at column: Int) { fillColumn(column, with: 1) }

  func fillColumn(_ column: Int, with value: Float) {
    let (block, offset) = column.quotientAndRemainder(dividingBy: blockColumns)
    for chunk in pass.chunks {
      let to = input(chunk, block: block) + offset
      for i in 0..<chunk.count { to[i * blockColumns] = value }
    }
  }

  /// Packs some panels of dZ.
  func packPanels(_ dZ: UnsafePointer<Float>, stride: Int, count: Int) {
    pass.order.withUnsafeBufferPointer { order in
      for chunk in pass.chunks {
        let to = panels.pointer + chunk.lowerBound * count * vectorWidth
        for place in chunk {
          let row = dZ + Int(order[place]) * stride
          for panel in 0..<count {
            Vector(row + panel * vectorWidth).store(
              to + (panel * chunk.count + place - chunk.lowerBound) * vectorWidth)
          }
        }
      }
    }
  }
}
