import Files
import Problems

/// A file of texts to predict, which may be a table: by its name, or by what its first line names.
struct PredictedTable {
  private let file: ClassifierEncoding.File
  private let form: TableForm
  private let account: DataAccount

  init(_ file: ClassifierEncoding.File, _ form: TableForm, _ account: DataAccount) {
    (self.file, self.form, self.account) = (file, form, account)
  }

  /// The table and the index of its column of texts; nil for a file with a text on each line. Without `column` the model
  /// learned lines of texts: a table then has a column "text". What a file without the name of a table is taken for is told.
  func column(_ column: String?) throws(Problem) -> (DelimitedText, index: Int)? {
    let text = column ?? "text"
    guard !file.bytes.isEmpty else { return nil }
    if TableForm.separator(ofName: file.name) != nil || (column != nil && form.header == .none) {
      let table = try DelimitedText(file.bytes, form: form, name: file.name, account: account)
      if column == nil { try checkNames(table, text) }
      return (table, try table.index(of: text, key: "data.textColumn"))
    }
    guard let separator = separator(naming: text, alone: column != nil) else {
      if column != nil {
        try refuseTable(without: text)
        account.remark(
          "taken for texts, one on each line: no first line with the column \(quoted(text))", at: file.name)
      }
      return nil
    }
    account.remark("taken for a table: its first line names the column \(quoted(text))", at: file.name)
    var form = form
    form.separator = separator
    let table = try DelimitedText(file.bytes, form: form, name: file.name, account: account)
    return (table, try table.index(of: text, key: "data.textColumn"))
  }

  /// A model of lines knows no column but "text".
  private func checkNames(_ table: DelimitedText, _ text: String) throws(Problem) {
    guard !table.columns.contains(text) else {
      account.remark("taken for a table: texts are its column \(quoted(text))", at: file.name)
      return
    }
    throw .data(
      "table without a column of texts — expected one called \(quoted(text)), got \(listed(table.columns.map(quoted))) "
        + "(\(file.name))",
      hint: "a file with a text on each line has a name that does not end in .csv, .tsv or .tab")
  }

  /// The separator by which the header names a column.
  /// - Parameter alone: Whether that may be all that it names.
  private func separator(naming column: String, alone: Bool) -> TableForm.Separator? {
    let candidates = form.separator.map { [$0] } ?? TableForm.Separator.allCases
    return candidates.first { separator in
      guard let names = names(by: separator), names.count >= (alone ? 1 : 2) else { return false }
      guard names.contains(where: { ExactString($0) == ExactString(column) }) else { return false }
      // Between blanks every text has words: a table has as many on each line.
      return separator != .blanks || form.separator == .blanks || hasRows(by: separator)
    }
  }

  /// What the header names; nil where it is malformed.
  private func names(by separator: TableForm.Separator) -> [String]? {
    file.bytes.withUnsafeBufferPointer { bytes in
      let (quiet, beginning) = (DataAccount(), TextFile.lengthOfByteOrderMark(file.bytes))
      let (_, place, line) = form.recognised(bytes, from: beginning, name: file.name, quiet)
      var scanner = TableScanner(bytes, separator: separator, name: file.name, place: place, line: line)
      scanner.comment = Array(form.comment.utf8)
      return try? TableHeader(form.header).read(&scanner, quiet)
    }
  }

  /// Whether there are at least two lines, with as many fields each, two or more.
  private func hasRows(by separator: TableForm.Separator) -> Bool {
    guard let end = file.bytes.firstIndex(of: UInt8(ascii: "\n")),
      file.bytes[end...].contains(where: { $0 > UInt8(ascii: " ") })
    else { return false }
    let beginning = TextFile.lengthOfByteOrderMark(file.bytes)
    return file.bytes.withUnsafeBufferPointer {
      TableForm.width(UnsafeBufferPointer(rebasing: $0[beginning...]), separator).map { $0 >= 2 } ?? false
    }
  }

  /// Throws where the first line is the header of a table all the same.
  private func refuseTable(without column: String) throws(Problem) {
    for separator in form.separator.map({ [$0] }) ?? TableForm.Separator.allCases where separator != .blanks {
      guard let names = names(by: separator) else { continue }
      if names.contains(where: { $0.lowercased() == column.lowercased() }) {
        // The error says what else it differs in.
        _ = try DelimitedText.index(of: column, in: names, file.name, key: "data.textColumn")
      }
      let areNames = names.allSatisfy { name in
        !name.isEmpty
          && name.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || "_-0123456789".unicodeScalars.contains($0)
          }
      }
      guard names.count >= 2, areNames, Set(names).count == names.count, hasRows(by: separator) else { continue }
      throw .data(
        "table without a column of texts — expected one called \(quoted(column)), got \(listed(names.map(quoted))) "
          + "(\(file.name))",
        hint: "name it as in training, or give the texts alone, one on each line")
    }
  }
}
