import Files
import Problems

/// A word of a text, and its label.
package struct TaggedWord: Sendable, Equatable {
  let word: ExactString
  let label: ExactString

  /// A word of a sequence that has no labels.
  init(_ word: ExactString, label: ExactString = ExactString("")) { (self.word, self.label) = (word, label) }

  /// As it stands in the file.
  package var text: String { word.text }
}

/// A timestep as a model reads it: the number of a word, and of its label, `noTarget` for none.
package struct TaggedToken: Sendable, Hashable {
  /// An entry of the vocabulary.
  package let token: Int32
  /// An index into the labels.
  package let label: Int32
}

/// Texts whose words have a label each: all of one class, for what is labelled are their words.
package typealias TaggedWords = LabelledSequences<TaggedWord>
/// The same as numbers.
package typealias TaggedTokens = LabelledSequences<TaggedToken>

extension LabelledSequences where Element == TaggedWord {
  /// Reads the form of the CoNLL shared tasks: a word on each line, which is its first column; its label, which is the
  /// last; and blank lines between sequences. Columns stand between white space, and each line has as many as the first.
  ///
  /// Lines end with LF or CRLF; a byte order mark at the beginning is passed over. A file that is empty, not UTF-8, or
  /// has a line of fewer or more columns is an error with exit code 65.
  package static func conll(path: String, account: DataAccount = DataAccount()) throws(Problem) -> TaggedWords {
    account.addFile()
    return try conll(bytes: TextFile.read(path), name: path, account: account)
  }

  /// As above, for the bytes of a file that errors call `name`.
  package static func conll(
    bytes: [UInt8], name: String, account: DataAccount = DataAccount()
  ) throws(Problem) -> TaggedWords {
    var columns: Int?
    return try sequences(of: bytes, name: name) { fields, place throws(Problem) in
      guard fields.count >= 2, fields.count == columns ?? fields.count else {
        let expected = columns.map { "\($0) as in the first line" } ?? "a word and its label, at least 2"
        throw .data("columns of a line — expected \(expected), got \(fields.count) (\(place))")
      }
      columns = fields.count
      return TaggedWord(fields[0], label: fields[fields.count - 1])
    }
  }

  /// Words alone, of all these files: the first column of each line, whatever stands behind it.
  package static func unlabelled(
    of files: [ClassifierEncoding.File], account: DataAccount = DataAccount()
  ) throws(Problem) -> TaggedWords {
    var all = TaggedWords(width: 1, classes: [""])
    for file in files {
      let words = try sequences(of: file.bytes, name: file.name) { fields, place throws(Problem) in
        guard let word = fields.first else {
          throw .data("line without a word — expected at least one, got none (\(place))")
        }
        return TaggedWord(word)
      }
      for index in 0..<words.count { all.append(words[index], label: 0, name: words.names[index]) }
    }
    return all
  }

  /// What stands between blank lines, each line as `read` understands its columns.
  private static func sequences(
    of bytes: [UInt8], name: String, _ read: ([ExactString], _ place: String) throws(Problem) -> TaggedWord
  ) throws(Problem) -> TaggedWords {
    try UTF8Text.validate(bytes, name: name, hint: "convert the file to UTF-8")
    var lines: [(number: Int, text: [UInt8])] = []
    forEachLine(of: bytes) { lines.append(($0, Array($1))) }
    var (all, sequence) = (TaggedWords(width: 1, classes: [""]), [TaggedWord]())
    for (index, line) in lines.enumerated() {
      var fields: [ExactString] = []
      try UTF8Text.forEachWord(in: line.text, name: name) { fields.append($0) }
      sequence.append(try read(fields, "\(name), line \(line.number)"))
      // Blank lines are passed over, which leaves a gap in the numbers.
      if index + 1 == lines.count || lines[index + 1].number > line.number + 1 {
        all.append(sequence, label: 0, name: "\(name):\(line.number - sequence.count + 1)")
        sequence = []
      }
    }
    guard all.count > 0 else { throw .data("no sequences — expected at least one line, got none (\(name))") }
    return all
  }
}
