import Files
import Problems

extension LabelledSequences where Element == UInt8 {
  /// Reads texts and their labels from two columns of the CSV or TSV file at `path`. A column that is not there, a row
  /// without text or label, and a label that is none of `classes` (where they are given) are errors with exit code 65.
  package static func table(
    path: String, form: TableForm = TableForm(), textColumn: String, labelColumn: String, classes: [String]? = nil,
    account: DataAccount = DataAccount()
  ) throws(Problem) -> LabelledTexts {
    account.addFile()
    return try table(
      bytes: TextFile.read(path, as: "table"), form: form, textColumn: textColumn, labelColumn: labelColumn,
      classes: classes, name: path, account: account)
  }

  /// As above, for the bytes of a file that errors call `name`.
  package static func table(
    bytes: [UInt8], form: TableForm = TableForm(), textColumn: String, labelColumn: String, classes: [String]? = nil,
    name: String,
    account: DataAccount = DataAccount()
  ) throws(Problem) -> LabelledTexts {
    try texts(DelimitedText(bytes, form: form, name: name, account: account), textColumn, labelColumn, classes, account)
  }

  private static func texts(
    _ table: DelimitedText, _ textColumn: String, _ labelColumn: String, _ classes: [String]?,
    _ account: DataAccount
  ) throws(Problem) -> LabelledTexts {
    let (text, label) = (
      try table.index(of: textColumn, key: "data.textColumn"), try table.index(of: labelColumn, key: "data.labelColumn")
    )
    guard text != label else {
      throw .configuration(
        "texts and labels in one column — expected two columns, got \(quoted(textColumn)) for both (\(table.name))",
        hint: "data.textColumn and data.labelColumn say which")
    }
    var collection = LabelledCollection<UInt8>(
      width: 1, hint: "data.labelColumn says which column has the classes, here \(quoted(labelColumn))")
    try table.forEachRow { _, line, scanner, fields throws(Problem) in
      for (column, index) in [(textColumn, text), (labelColumn, label)] where fields[index].start == fields[index].end {
        throw .data(
          "empty field — expected something in column \(quoted(column)), got none (\(table.name), line \(line))")
      }
      collection.append(
        scanner.content(fields[text]), label: scanner.text(fields[label]), name: "\(table.name):\(line)")
    }
    return try collection.labelled(classes: classes, source: table.name)
  }
}
