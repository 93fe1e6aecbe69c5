import Files
import Problems

/// What one text is of the files of a class.
package enum TextUnit: String, Sendable, CaseIterable {
  /// Each line of a file.
  case lines
  /// A whole file.
  case files
}

extension LabelledSequences where Element == UInt8 {
  /// Reads a folder of files that are named for their class, each line of a file one text, or each file. `pattern` says
  /// which files, and which part of a name is the class: `{class}.txt` takes `Greek.txt` for the texts of class Greek,
  /// `rt-polarity.{class}` takes `rt-polarity.pos` for those of class pos.
  ///
  /// Lines end with LF or CRLF; a byte order mark at the beginning of a file and lines of nothing but white space are
  /// passed over, and of a whole file the ends of lines at its end. Files that are not UTF-8 are errors with exit code
  /// 65, unless tokens are bytes.
  package static func classFiles(
    folder: String, pattern: NamePattern, unit: TextUnit = .lines, tokens kind: TokenKind, classes: [String]? = nil,
    account: DataAccount = DataAccount()
  ) throws(Problem) -> LabelledTexts {
    var collection = LabelledCollection<UInt8>(width: 1)
    let listing = try forEachClassFile(in: folder, pattern, account) { path, file, label throws(Problem) in
      let bytes = try TextFile.read(path)
      if kind != .bytes { try UTF8Text.validate(bytes, name: path, offersBytes: true) }
      let before = collection.count
      switch unit {
      case .files:
        if let text = wholeText(of: bytes) { collection.append(text, label: label, name: file) }
      case .lines:
        try LineEnds.expectFeeds(bytes, name: path)
        forEachLine(of: bytes, blank: { tellBlank($0, of: file, account) }) { line, text in
          collection.append(Array(text), label: label, name: "\(file):\(line)")
        }
      }
      guard collection.count > before else {
        throw .data(
          "text file has no lines — expected at least one text for class \(quoted(label)), got none (\(path))",
          hint: "leave the file out")
      }
    }
    let texts = try collection.labelled(classes: classes, source: folder, passedOver: listing.passedOver)
    // Where a class has several files each may well be a document.
    if unit == .lines, listing.files.count > texts.classes.count, texts.count > listing.files.count {
      account.remark(
        "a class has several files, and each line of them is a text: \(listing.files.count) files are \(texts.count) texts",
        hint: "data.texts=files makes each file one text")
    }
    return texts
  }
}

/// Tells that a line of nothing but white space was passed over.
func tellBlank(_ line: Int, of name: String, _ account: DataAccount) {
  account.remark("line of nothing but white space is passed over", at: "\(name), line \(line)")
}

/// A file as one text: line feeds for CRLF, without a byte order mark, and without white space at the end; nil where
/// nothing is left.
func wholeText(of bytes: [UInt8]) -> [UInt8]? {
  var text = Array(bytes.dropFirst(TextFile.lengthOfByteOrderMark(bytes)))
  if text.contains(UInt8(ascii: "\r")) {
    text = text.indices.filter {
      text[$0] != UInt8(ascii: "\r") || $0 + 1 == text.count || text[$0 + 1] != UInt8(ascii: "\n")
    }.map { text[$0] }
  }
  while let last = text.last, isBlank(last) { text.removeLast() }
  return text.isEmpty ? nil : text
}

/// White space of ASCII.
private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

/// Calls `body` with the path, the path relative to the folder, and the class of each file of a folder that fits a
/// pattern with `{class}` in it, and tells of the others.
@discardableResult
func forEachClassFile(
  in folder: String, _ pattern: NamePattern, _ account: DataAccount,
  _ body: (_ path: String, _ file: String, _ label: String) throws(Problem) -> Void
) throws(Problem) -> FileFolder.Listing {
  guard pattern.namesClass else {
    throw .configuration(
      "pattern of file names says no class — expected one with {class}, such as {class}.txt or {class}/*.wav, got "
        + quoted(pattern.text))
  }
  let listing = try FileFolder.listing(of: folder, pattern)
  let hint = "data.files=\(pattern.text) says which files are read"
  for file in listing.others { account.remark("file passed over: it does not fit the pattern", at: file, hint: hint) }
  for inner in listing.deeper {
    account.remark("folder passed over: the pattern says fewer folders than lead there", at: inner, hint: hint)
  }
  for inner in listing.empty { account.remark("folder without files", at: inner) }
  for file in listing.files {
    account.addFile()
    try body("\(folder)/\(file)", file, pattern.className(in: file)!)
  }
  return listing
}

/// Calls `body` with the number, from 1, and the bytes of each line without its end, and `blank` with the numbers of
/// lines of nothing but white space; the end of the last line begins no other.
func forEachLine(
  of bytes: [UInt8], blank: (_ number: Int) -> Void = { _ in },
  _ body: (_ number: Int, _ line: ArraySlice<UInt8>) -> Void
) {
  let text = bytes.dropFirst(TextFile.lengthOfByteOrderMark(bytes))
  var (start, number) = (text.startIndex, 0)
  while start < text.endIndex {
    let end = text[start...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
    let line = text[start..<end]
    (start, number) = (end + 1, number + 1)
    let trimmed = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    if trimmed.allSatisfy(isBlank) { blank(number) } else { body(number, trimmed) }
  }
}
