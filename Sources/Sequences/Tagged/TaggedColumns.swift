/// Which columns of a file of tagged words are read, and which of its lines are comments. What is empty is recognised.
package struct TaggedColumns: Sendable, Equatable {
  /// The column of the words: its number from 1, or its name. The first, and FORM of CoNLL-U.
  package let word: String
  /// The column of the labels, likewise. The last, and UPOS of CoNLL-U.
  package let label: String
  /// What lines begin with that are comments; where it is given, no other line is one.
  package let comment: String

  package init(word: String = "", label: String = "", comment: String = "") {
    (self.word, self.label, self.comment) = (word, label, comment)
  }

  /// Whether a column is given by a name, which a line of the file must have.
  var hasNames: Bool { [word, label].contains { !$0.isEmpty && Int($0) == nil } }
}
