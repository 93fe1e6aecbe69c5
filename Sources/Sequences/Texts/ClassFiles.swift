import Files
import Problems

extension LabelledSequences where Element == UInt8 {
  /// Reads a folder with one file for each class, each line of a file one text. `pattern` says which files, and which
  /// part of a name is the class: `{class}.txt` takes `Greek.txt` for the texts of class Greek, `rt-polarity.{class}`
  /// takes `rt-polarity.pos` for those of class pos.
  ///
  /// Lines end with LF or CRLF; a byte order mark at the beginning of a file and lines of nothing but white space are
  /// passed over. Files that are not UTF-8 are errors with exit code 65, unless tokens are bytes.
  package static func classFiles(
    folder: String, pattern: NamePattern, tokens kind: TokenKind, classes: [String]? = nil,
    account: DataAccount = DataAccount()
  ) throws(Problem) -> LabelledTexts {
    var collection = LabelledCollection<UInt8>(width: 1)
    try forEachClassFile(in: folder, pattern, account) { path, file, label throws(Problem) in
      let bytes = try TextFile.read(path)
      if kind != .bytes { try UTF8Text.validate(bytes, name: path) }
      let before = collection.count
      forEachLine(of: bytes) { line, text in
        collection.append(Array(text), label: label, name: "\(file):\(line)")
      }
      guard collection.count > before else {
        throw .data(
          "text file has no lines — expected at least one text for class \(quoted(label)), got none (\(path))")
      }
    }
    return try collection.labelled(classes: classes, source: folder)
  }
}

/// Calls `body` with the path, the path relative to the folder, and the class of each file of a folder that fits a
/// pattern with `{class}` in it.
func forEachClassFile(
  in folder: String, _ pattern: NamePattern, _ account: DataAccount,
  _ body: (_ path: String, _ file: String, _ label: String) throws(Problem) -> Void
) throws(Problem) {
  guard pattern.namesClass else {
    throw .configuration(
      "pattern of file names says no class — expected one with {class}, such as {class}.txt or {class}/*.wav, got "
        + quoted(pattern.text))
  }
  for file in try FileFolder.files(in: folder, matching: pattern) {
    account.addFile()
    try body("\(folder)/\(file)", file, pattern.className(in: file)!)
  }
}

/// Calls `body` with the number, from 1, and the bytes of each line that is not blank, without its end.
func forEachLine(of bytes: [UInt8], _ body: (_ number: Int, _ line: ArraySlice<UInt8>) -> Void) {
  let text = bytes.dropFirst(TextFile.lengthOfByteOrderMark(bytes))
  for (index, line) in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
    let trimmed = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    if trimmed.contains(where: { $0 != 0x20 && !(0x09...0x0D).contains($0) }) { body(index + 1, trimmed) }
  }
}
