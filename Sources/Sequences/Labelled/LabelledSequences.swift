import Problems

/// Sequences of different lengths with one label each, back to back in one array: numbers (`Double` or `Float`, D to a timestep),
/// tokens (`Int32`, one to a timestep) or the bytes of texts (`UInt8`).
package struct LabelledSequences<Element: Sendable & Equatable>: Sendable, Equatable {
  /// D, elements of a timestep.
  package let width: Int
  /// [Σ lengths, D] row-major: one sequence behind the other.
  package private(set) var elements: [Element] = []
  /// The class of each sequence, an index into `classes`.
  package private(set) var labels: [Int32] = []
  /// What each sequence is called: a file, or a file and a line.
  package private(set) var names: [String] = []
  /// The names of the classes.
  package let classes: [String]
  /// Where each sequence begins, in timesteps; one more than sequences.
  private var starts = [0]

  /// No sequences yet, of D = `width`, labelled with one of `classes`.
  init(width: Int, classes: [String]) {
    precondition(width >= 1, "a timestep has at least one element")
    self.width = width
    self.classes = classes
  }

  mutating func append(_ sequence: some Collection<Element>, label: Int32, name: String) {
    precondition(sequence.count % width == 0, "a sequence is whole timesteps")
    elements.append(contentsOf: sequence)
    starts.append(starts[starts.count - 1] + sequence.count / width)
    labels.append(label)
    names.append(name)
  }

  // MARK: Reading

  /// How many sequences there are.
  package var count: Int { labels.count }

  /// The timesteps of each sequence.
  package var lengths: [Int] { (0..<count).map { length(of: $0) } }

  /// The timesteps of one sequence.
  package func length(of index: Int) -> Int { starts[index + 1] - starts[index] }

  /// The elements of one sequence, [T, D] row-major.
  package subscript(index: Int) -> ArraySlice<Element> {
    elements[starts[index] * width..<starts[index + 1] * width]
  }

  /// How many sequences each class has.
  package var classCounts: [Int] {
    labels.reduce(into: [Int](repeating: 0, count: classes.count)) { $0[Int($1)] += 1 }
  }

  // MARK: Deriving

  /// The sequences at `indices`, in that order, with the same classes.
  package func selecting(_ indices: some Sequence<Int>) -> LabelledSequences {
    var chosen = LabelledSequences(width: width, classes: classes)
    for index in indices { chosen.append(self[index], label: labels[index], name: names[index]) }
    return chosen
  }

  /// Each sequence made into another, such as a text into tokens or a clip into features; labels and names stay.
  package func map<Other>(
    width: Int, _ transform: (ArraySlice<Element>, _ name: String) throws(Problem) -> [Other]
  ) throws(Problem) -> LabelledSequences<Other> {
    var mapped = LabelledSequences<Other>(width: width, classes: classes)
    for index in 0..<count {
      mapped.append(try transform(self[index], names[index]), label: labels[index], name: names[index])
    }
    return mapped
  }
}

/// Sequences of numbers as they were measured, [T, D] each.
package typealias MeasuredValues = LabelledSequences<Double>
/// Sequences of numbers in single precision, [T, D] each.
package typealias LabelledValues = LabelledSequences<Float>
/// Sequences of tokens.
package typealias LabelledTokens = LabelledSequences<Int32>
/// Texts: a timestep is a byte.
package typealias LabelledTexts = LabelledSequences<UInt8>

extension LabelledSequences where Element == Float {
  /// The same numbers, of which each Float is a Double.
  func measured() throws(Problem) -> MeasuredValues {
    try map(width: width) { values, _ in values.map(Double.init) }
  }
}
