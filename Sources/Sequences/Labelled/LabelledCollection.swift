import Problems

/// Sequences as a reader finds them, labelled by names; once all are there, the names become numbers.
struct LabelledCollection<Element: Sendable & Equatable> {
  private let width: Int
  /// How a user names the labels.
  private let hint: String
  private var sequences: [(elements: [Element], label: ExactString, name: String)] = []

  init(width: Int, hint: String = "data.files says which part of a file's name is the class") {
    (self.width, self.hint) = (width, hint)
  }

  var count: Int { sequences.count }

  mutating func append(_ elements: [Element], label: String, name: String) {
    sequences.append((elements, ExactString(label), name))
  }

  /// The sequences with numbered labels. Without `classes` the data define them: the labels found, in the order of
  /// their UTF-8 bytes, so that the order of files or lines changes no number. With `classes`, those of a trained
  /// model, any other label is an error.
  /// - Parameter passedOver: Files that were not read, which may be the other class where only one is found.
  func labelled(
    classes: [String]?, source: String, passedOver: [String] = []
  ) throws(Problem) -> LabelledSequences<Element> {
    guard !sequences.isEmpty else {
      throw .data("no sequences — expected at least one, got none (\(source))")
    }
    let known = if let classes { classes } else { try classesFound(source, passedOver) }
    let numbers = Dictionary(zip(known.map(ExactString.init), Int32(0)...)) { first, _ in first }
    var result = LabelledSequences<Element>(width: width, classes: known)
    for sequence in sequences {
      guard let label = numbers[sequence.label] else {
        throw .data(
          "unknown class — expected one of \(listed(ClassNames.shown(known))), got \(quoted(sequence.label.text)) "
            + "(\(sequence.name))",
          hint: ClassNames.hint(unknown: sequence.label.text, among: known)
            ?? "a model knows only the classes of its training data")
      }
      result.append(sequence.elements, label: label, name: sequence.name)
    }
    return result
  }

  private func classesFound(_ source: String, _ passedOver: [String]) throws(Problem) -> [String] {
    let counts = sequences.reduce(into: [ExactString: Int]()) { $0[$1.label, default: 0] += 1 }
    try ClassNames.check(counts, of: "sequence", source: source, hint: hint)
    let found = counts.keys.sorted().map(\.text)
    guard found.count >= 2 else {
      throw .data(
        "one class only — expected at least 2 classes, got \(quoted(found[0])) for all \(sequences.count) sequences "
          + "(\(source))",
        hint: passedOver.isEmpty
          ? "there is nothing to tell apart: give data of more classes"
          : "data.files says which files are read; these do not fit: \(listed(passedOver.map(quoted)))")
    }
    return found
  }
}
