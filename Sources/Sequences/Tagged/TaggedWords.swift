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
  /// Reads the form of the CoNLL shared tasks: a word and its label on each line, in two of its columns, and blank lines
  /// between sequences. Columns stand between tabs where lines have them, else between white space, and each line has as
  /// many as the first. CoNLL-U is known by its columns.
  ///
  /// Lines end with LF or CRLF; a byte order mark at the beginning is passed over, and so are, with a remark, comments,
  /// lines `-DOCSTART-`, and what CoNLL-U has besides words. A file that is empty, not UTF-8, or has a line of fewer or
  /// more columns is an error with exit code 65.
  package static func conll(
    path: String, columns: TaggedColumns = TaggedColumns(), account: DataAccount = DataAccount()
  ) throws(Problem) -> TaggedWords {
    account.addFile()
    return try conll(bytes: TextFile.read(path), columns: columns, name: path, account: account)
  }

  /// As above, for the bytes of a file that errors call `name`.
  package static func conll(
    bytes: [UInt8], columns: TaggedColumns = TaggedColumns(), name: String, account: DataAccount = DataAccount()
  ) throws(Problem) -> TaggedWords {
    try TaggedReader(bytes, columns, needsLabels: true, name: name, account).sequences()
  }

  /// Words alone, of all these files: lines of one word, or the column of the words of files with labels.
  /// - Parameter hasBlanks: Whether words may have blanks in them, so that a line without tabs is one word.
  package static func unlabelled(
    of files: [ClassifierEncoding.File], columns: TaggedColumns = TaggedColumns(), hasBlanks: Bool = false,
    account: DataAccount = DataAccount()
  ) throws(Problem) -> TaggedWords {
    var all = TaggedWords(width: 1, classes: [""])
    for file in files {
      let words = try TaggedReader(
        file.bytes, columns, needsLabels: false, hasBlanks: hasBlanks, name: file.name, account
      ).sequences()
      for index in 0..<words.count { all.append(words[index], label: 0, name: words.names[index]) }
    }
    return all
  }
}
