// What a task's data can be: all that the table of keys must know of tasks, but for their numbers.

extension Configuration.Task {
  /// Where its sequences can come from.
  var sources: [Configuration.Data.Source] {
    switch self {
    case .reber, .temporalOrder, .adding, .multiplication, .copy: [.generated]
    case .languageModel: [.text]
    case .classification: [.classFiles, .table, .series, .audio]
    case .tagging: [.conll]
    case .forecasting: [.numbers]
    case .pianoRoll: [.pianoRolls]
    }
  }

  /// What a timestep can be, the usual first.
  func tokens(of source: Configuration.Data.Source) -> [Configuration.Data.Tokens] {
    switch self {
    case .reber, .temporalOrder, .copy: [.symbols]
    case .languageModel: [.characters, .bytes, .words]
    case .tagging: [.words]
    case .adding, .multiplication, .forecasting, .pianoRoll: [.numbers]
    case .classification: source.isNumeric ? [.numbers] : [.words, .characters, .bytes]
    }
  }
}

extension Configuration.Task {
  /// Whether the program makes the sequences itself.
  var isGenerated: Bool { sources == [.generated] }

  /// Whether the data themselves say what is held out.
  var dataHoldOut: Bool { self == .pianoRoll }

  /// What `data.path` must name.
  var pathContents: String {
    switch self {
    case .languageModel: "a text"
    case .tagging: "words with labels"
    case .forecasting: "a table of numbers"
    case .pianoRoll: "a file of piano rolls"
    default: "labelled sequences"
    }
  }

  /// Whether sequences say by themselves how long a window must be.
  var knowsLengths: Bool {
    [.classification, .tagging, .temporalOrder, .adding, .multiplication, .copy, .pianoRoll].contains(self)
  }
}

extension Configuration {
  /// What `data.source` is where it was not given: for labelled sequences what the names of files say.
  var usualSource: Data.Source {
    guard task == .classification else { return task.sources[0] }
    if data.path.hasSuffix(".ts") { return .series }
    if [".csv", ".tsv", ".tab"].contains(where: data.path.hasSuffix) { return .table }
    return [".wav", ".flac"].contains(where: data.files.hasSuffix) ? .audio : .classFiles
  }
}

extension Configuration.Data {
  /// Whether sequences are held out by name or for a cross-validation.
  var holdsOutOtherwise: Bool { !heldOut.isEmpty || folds > 0 }
}
