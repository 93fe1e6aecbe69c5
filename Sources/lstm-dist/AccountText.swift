import ArgumentParser
import Configuration
import Problems
import Sequences

/// How much a command says of the data that it read.
struct DataOptions: ParsableArguments {
  @Flag(help: "Says everything that was noticed of the data.") var verbose = false

  /// Remarks beyond these are counted.
  private static let mostRemarks = 5

  /// Prints what was not taken as it stands.
  func tell(_ account: DataAccount) {
    let shown = verbose ? account.remarks[...] : account.remarks.prefix(DataOptions.mostRemarks)
    for remark in shown {
      printNotice(remark.text)
      if let hint = remark.hint { printError("hint: \(singleLine(hint))") }
    }
    let others = account.remarks.count - shown.count
    if others > 0 { printNotice("\(others) more of the data; --verbose shows them") }
  }
}

/// How the files are written that a saved model reads.
struct ReadingOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "How the files are written, where otherwise than the run's own: data.separator, data.decimal and the like.",
      valueName: "key=value"))
  var set: [String] = []

  func overrides() throws(Problem) -> [Configuration.Override] {
    try set.map { text throws(Problem) in try Configuration.Override(set: text) }
  }
}

extension DataAccount.Remark {
  /// One line, without the hint.
  var text: String {
    guard let first = places.first else { return what }
    if count == 1 { return "\(what) (\(first))" }
    return "\(what): \(count) times (\(places.joined(separator: ", "))\(count > places.count ? ", …" : ""))"
  }
}

extension DataAccount {
  /// What was read, in one line; nil where nothing was counted, as of generated sequences.
  var summary: String? {
    var parts: [String] = []
    for count in counts {
      let all = counted(count.training + count.heldOut, count.unit)
      parts.append(
        count.heldOut == 0
          ? "\(all) to train on, nothing held out" : "\(all), \(count.training) to train on, \(count.heldOut) held out")
    }
    if files > 1 { parts.insert(counted(files, "file"), at: 0) }
    if !classes.isEmpty { parts.append(classText) }
    if let vocabulary { parts.append("vocabulary \(vocabulary)") }
    if let text = unknownText { parts.append(text) }
    return parts.isEmpty ? nil : "data: " + parts.joined(separator: "; ")
  }

  /// The classes with their sizes, where they are few.
  private var classText: String {
    let sizes = classes.map { $0.training + $0.heldOut }
    if classes.count <= 10 {
      return "classes "
        + zip(classes, sizes).map { "\(quoted($0.name)) \($1)" }.joined(separator: ", ")
    }
    return "\(classes.count) classes of \(sizes.min()!) to \(sizes.max()!)"
  }

  private var unknownText: String? {
    let parts = [(unknown.training, "training"), (unknown.heldOut, "held-out")].compactMap { part, name in
      part.flatMap { $0.unknown == 0 ? nil : "\(percentage($0.share)) of the \(name) tokens" }
    }
    return parts.isEmpty ? nil : "unknown " + parts.joined(separator: ", ")
  }
}
