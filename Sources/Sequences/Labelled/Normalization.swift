import Problems

/// Mean and standard deviation of each column, fitted on training data only: a held-out value must not tell the model
/// anything before it is predicted. Stored with the model, since new data need the same numbers.
package struct Normalization: Sendable, Equatable, Codable {
  /// The mean of each column, [D].
  package let mean: [Double]
  /// The standard deviation (divided by n) of each column, [D]; 1 for a column that is constant, which so becomes zero.
  package let deviation: [Double]

  /// Fits the columns of `values`, [rows, D] row-major, rows ≥ 1, all finite.
  package init<Value: BinaryFloatingPoint>(fitting values: [Value], width: Int) {
    precondition(width >= 1 && !values.isEmpty && values.count % width == 0, "values are whole rows, at least one")
    let rows = Double(values.count / width)
    func mean(_ term: (_ column: Int, _ value: Double) -> Double) -> [Double] {
      var sums = [Double](repeating: 0, count: width)
      for row in stride(from: 0, to: values.count, by: width) {
        for column in 0..<width { sums[column] += term(column, Double(values[row + column])) }
      }
      return sums.map { $0 / rows }
    }
    let means = mean { _, value in value }
    // The squares of deviations, not of values: no cancellation where the mean is large.
    let variances = mean { column, value in (value - means[column]) * (value - means[column]) }
    self.mean = means
    deviation = means.indices.map { column in
      let deviation = variances[column].squareRoot()
      if deviation > means[column].magnitude * 1e-12 { return deviation }
      // Near the rounding error of the mean a deviation may be noise of the summation: only values that differ have one.
      let first = Double(values[column])
      let isConstant = stride(from: column, to: values.count, by: width).allSatisfy { Double(values[$0]) == first }
      return isConstant || deviation == 0 ? 1 : deviation
    }
  }

  /// Whether it could come from a fit: as many deviations as means, all finite, deviations above 0.
  var isUsable: Bool {
    mean.count == deviation.count && mean.allSatisfy(\.isFinite) && deviation.allSatisfy { $0.isFinite && $0 > 0 }
  }

  /// (value − mean) / deviation for `values`, [rows, D] row-major. A value so far off that the result is no finite
  /// Float is an error with exit code 65.
  package func normalized<Value: BinaryFloatingPoint>(
    _ values: [Value], name: String
  ) throws(Problem) -> [Float] {
    precondition(values.count % mean.count == 0, "values are whole rows")
    var result = [Float](repeating: 0, count: values.count)
    for place in values.indices {
      let column = place % mean.count
      result[place] = Float((Double(values[place]) - mean[column]) / deviation[column])
      guard result[place].isFinite else {
        throw .data(
          "value out of all proportion — expected one near the training data's mean \(mean[column]), deviation "
            + "\(deviation[column]), got \(values[place]) in column \(column + 1) (\(name))")
      }
    }
    return result
  }

  /// The values that `normalized` came from, as near as Float has them.
  package func restored(_ values: [Float]) -> [Float] {
    values.enumerated().map { place, value in
      Float(Double(value) * deviation[place % mean.count] + mean[place % mean.count])
    }
  }
}

extension LabelledSequences where Element: BinaryFloatingPoint {
  /// Mean and deviation over all timesteps of all sequences.
  package func normalization() -> Normalization { Normalization(fitting: elements, width: width) }

  /// The sequences, normalized.
  package func normalized(by normalization: Normalization) throws(Problem) -> LabelledValues {
    try map(width: width) { values, name throws(Problem) in
      try normalization.normalized(Array(values), name: name)
    }
  }
}
