import Configuration
import Foundation
import Problems
import Sequences
import Tasks
import Testing

/// An input as people bring it: files, the settings to read them with, and what a careful user expects of it. Each stands
/// for a kind that once ended silently wrong, or with an error that misled.
struct FieldCase: CustomTestStringConvertible, Sendable {
  enum Outcome: Sendable {
    /// Bad data, or a bad configuration where `exit` says so; message and hint have all of these words.
    case refused([String], exit: ExitCode = .badData)
    case read(Reading)
  }

  /// What comes of data that are read. What is nil is not looked at.
  struct Reading: Sendable {
    /// Each of these words is in a remark or its hint. Of none, nothing is remarked.
    var told: [String] = []
    /// Sequences, rows or tokens, held-out ones included.
    var count: Int?
    var classes: [String]?
    var vocabulary: Int?
    /// The columns of a table.
    var columns: [String]?
    /// The mean of each column over the training rows.
    var mean: [Double]?
    /// Of each column over the training rows.
    var deviation: [Double]?
    /// The words or characters of the vocabulary, without `<unk>`, sorted.
    var entries: [String]?
  }

  let name: String
  let files: [String: [UInt8]]
  /// `KEY=VALUE`; a value that begins with `./` is a path in the folder of the files.
  let settings: [String]
  let outcome: Outcome

  var testDescription: String { name }

  private init(_ name: String, _ files: [String: [UInt8]], _ settings: [String], _ outcome: Outcome) {
    (self.name, self.files, self.settings, self.outcome) = (name, files, settings, outcome)
  }

  /// A table of numbers in t.csv or another file.
  static func table(
    _ name: String, _ text: String, file: String = "t.csv", _ settings: String..., outcome: Outcome
  ) -> FieldCase {
    FieldCase(
      name, [file: Array(text.utf8)],
      ["task=forecasting", "batch.steps=2", "data.path=./\(file)"] + settings, outcome)
  }

  /// A table of texts and labels.
  static func labels(
    _ name: String, _ text: String, file: String = "t.csv", _ settings: String..., outcome: Outcome
  ) -> FieldCase {
    FieldCase(name, [file: Array(text.utf8)], ["task=classification", "data.path=./\(file)"] + settings, outcome)
  }

  /// A file of tagged words, nothing of it held out.
  static func tagged(
    _ name: String, _ text: String, file: String = "t.txt", _ settings: String..., outcome: Outcome
  ) -> FieldCase {
    FieldCase(
      name, [file: Array(text.utf8)], ["task=tagging", "data.validation=0", "data.path=./\(file)"] + settings, outcome)
  }

  /// Files of any task.
  static func files(
    _ name: String, _ files: [String: [UInt8]], _ settings: String..., outcome: Outcome
  ) -> FieldCase {
    FieldCase(name, files, settings, outcome)
  }

  /// As above, of settings in a list.
  static func files(
    _ name: String, _ files: [String: [UInt8]], _ settings: [String], outcome: Outcome
  ) -> FieldCase {
    FieldCase(name, files, settings, outcome)
  }

  /// Reads the files as `train` does and compares what comes with what is expected.
  func check() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "field-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for (file, bytes) in files {
      let url = URL(filePath: "\(folder)/\(file)")
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(bytes).write(to: url)
    }
    let overrides = try settings.map {
      try Configuration.Override(set: $0.replacing("=./", with: "=\(folder)/"))
    }
    do {
      let data = try Configuration.Given(overrides: overrides).resolved().learningTask.data()
      guard case .read(let reading) = outcome else {
        Issue.record("\(name): expected an error, got data: \(data.account.remarks)")
        return
      }
      try check(reading, data)
    } catch let problem as Problem {
      guard case .refused(let words, let exit) = outcome else { throw problem }
      #expect(problem.exit == exit, "\(problem)")
      for word in words { #expect(problem.description.contains(word), "expected \"\(word)\", got \(problem)") }
    }
  }

  private func check(_ reading: Reading, _ data: RunData) throws {
    let account = data.account
    let remarks = account.remarks.map { "\($0.what) (\($0.places.joined(separator: ", "))) \($0.hint ?? "")" }
    for word in reading.told {
      #expect(remarks.contains { $0.contains(word) }, "expected \"\(word)\" among \(remarks)")
    }
    if reading.told.isEmpty { #expect(remarks.isEmpty) }
    if let count = reading.count {
      #expect(account.counts.first.map { $0.training + $0.heldOut } == count)
    }
    if let classes = reading.classes { #expect(account.classes.map(\.name) == classes) }
    if let vocabulary = reading.vocabulary { #expect(account.vocabulary == vocabulary) }
    let fitted = Data(data.identity.vocabulary)
    if reading.columns != nil || reading.mean != nil || reading.deviation != nil {
      let encoding = try ForecastEncoding(json: fitted, name: name)
      if let columns = reading.columns { #expect(encoding.columns == columns) }
      if let mean = reading.mean { #expect(encoding.normalization.mean == mean) }
      if let deviation = reading.deviation {
        let found = encoding.normalization.deviation
        #expect(zip(found, deviation).allSatisfy { abs($0 - $1) < 1e-9 * abs($1) }, "\(found)")
      }
    }
    if let entries = reading.entries {
      let vocabulary =
        try (try? ClassifierEncoding(json: fitted, name: name))?.vocabulary ?? Vocabulary(json: fitted, name: name)
      #expect(vocabulary.words.sorted() == entries.sorted())
    }
  }
}

extension Vocabulary {
  /// The entries as text, without that of unknown ones.
  fileprivate var words: [String] {
    (0..<Int32(count)).filter { $0 != unknown }.map { decode([$0]) }
  }
}
