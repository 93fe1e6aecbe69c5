import Files
import Problems

/// Reads the sequences of one file of tagged words.
struct TaggedReader {
  private let lines: [TaggedLine]
  private let form: TaggedForm
  private let columns: TaggedColumns
  private let name: String
  private let account: DataAccount
  /// A space that is no tab, and so may stand in a word.
  private static let blank: UInt8 = 0x20

  init(
    _ bytes: [UInt8], _ columns: TaggedColumns, needsLabels: Bool, hasBlanks: Bool = false, name: String,
    _ account: DataAccount
  ) throws(Problem) {
    try UTF8Text.validate(bytes, name: name)
    try LineEnds.expectFeeds(bytes, name: name)
    var lines: [TaggedLine] = []
    forEachLine(of: bytes) { lines.append(TaggedLine(number: $0, text: $1)) }
    form = try TaggedForm(
      of: lines, columns, needsLabels: needsLabels, hasBlanks: hasBlanks, name: name, account)
    (self.lines, self.columns, self.name, self.account) = (lines, columns, name, account)
  }

  /// What stands between blank lines.
  func sequences() throws(Problem) -> TaggedWords {
    var all = TaggedWords(width: 1, classes: [""])
    var sequence = Sequence()
    var (previous, suspicion) = (0, Suspicion())
    func end() {
      guard !sequence.words.isEmpty else { return }
      suspicion.see(sequence.words)
      all.append(sequence.words, label: 0, name: "\(name):\(sequence.line)")
      sequence = Sequence()
    }
    for line in lines where line.number != form.header?.number {
      // Blank lines are none of these, which leaves a gap in the numbers.
      if line.number > previous + 1 { end() }
      previous = line.number
      if line.startsDocument {
        end()
        tellDocument(line)
        continue
      }
      if try isComment(line, begins: sequence.words.isEmpty) {
        account.remark("comment is passed over", at: place(line))
        continue
      }
      if let header = form.header, line.text == header.text { throw repeated(line) }
      guard let word = try word(of: line, &sequence) else { continue }
      if sequence.words.isEmpty { sequence.line = line.number }
      sequence.words.append(word)
    }
    end()
    guard all.count > 0 else { throw .data("no sequences — expected at least one line, got none (\(name))") }
    if columns.word.isEmpty, form.idColumn == nil, form.width >= 3 { try suspicion.check(all, name) }
    return all
  }

  /// A sequence that is being read.
  private struct Sequence {
    var words: [TaggedWord] = []
    /// Where it begins.
    var line = 0
    /// The number of its last word, where words have numbers.
    var number = 0
  }

  private func place(_ line: TaggedLine) -> String { "\(name), line \(line.number)" }

  private func tellDocument(_ line: TaggedLine) {
    account.remark("\(TaggedLine.documentStart) is left out: it marks a document and is no word", at: place(line))
  }

  // MARK: Comments

  /// Whether a line is a comment. One that may be a word as well is an error.
  private func isComment(_ line: TaggedLine, begins: Bool) throws(Problem) -> Bool {
    if !columns.comment.isEmpty { return line.text.starts(with: columns.comment.utf8) }
    guard line.isMarked else { return false }
    if form.idColumn != nil { return true }
    guard begins, line.looksLikeComment else { return false }
    let fields = form.fields(line)
    guard fields.count == form.width else { return true }
    // Where nothing but the end of a column stands behind it, # is a word.
    if form.separator != .blanks || form.width == 1, fields[0].elementsEqual("#".utf8) { return false }
    throw .data(
      "comment or word — expected a sequence that begins with a word, got \(quoted(text(line.text))) (\(place(line)))",
      hint:
        "data.comment='# ' passes over lines that begin so; with another beginning, such as data.comment=%%, # is a "
        + "word"
    )
  }

  // MARK: Words

  /// The word of a line; nil where it is passed over.
  private func word(of line: TaggedLine, _ sequence: inout Sequence) throws(Problem) -> TaggedWord? {
    let fields = form.fields(line)
    guard fields.count == form.width else { throw ragged(fields.count, line) }
    if let column = form.idColumn {
      switch UniversalID(fields[column]) {
      case nil:
        throw .data(
          "malformed CoNLL-U — expected a number such as 1, 1-2 or 1.1 in its column ID, got "
            + "\(quoted(text(fields[column]))) (\(place(line)))")
      case .range:
        account.remark("range of words written as one, such as 1-2, is passed over: its words follow", at: place(line))
        return nil
      case .emptyNode:
        account.remark("node that is not in the text, such as 1.1, is passed over", at: place(line))
        return nil
      case .word(let number): try count(number, line, &sequence)
      }
    }
    let word = try field(fields, form.word, "word", "data.wordColumn", line)
    if word.elementsEqual(TaggedLine.documentStart.utf8) {
      tellDocument(line)
      return nil
    }
    if form.separator != .blanks, word.contains(TaggedReader.blank) {
      account.remark("word with a blank in it", at: place(line))
    }
    let quote = UInt8(ascii: "\"")
    if word.count >= 3, word.first == quote, word.last == quote {
      account.remark("word in double quotes: they are a part of it", at: place(line))
    }
    guard let column = form.label else { return TaggedWord(exact(word)) }
    let label = try field(fields, column, "label", "data.labelColumn", line)
    if form.idColumn != nil, label.elementsEqual("_".utf8) {
      account.remark("the label \"_\", which stands for none in CoNLL-U, is a class like others", at: place(line))
    }
    return TaggedWord(exact(word), label: exact(label))
  }

  private func count(_ number: Int, _ line: TaggedLine, _ sequence: inout Sequence) throws(Problem) {
    guard sequence.words.isEmpty || number > sequence.number else {
      throw .data(
        "malformed CoNLL-U — expected word \(sequence.number + 1), got \(number) (\(place(line)))",
        hint: "a blank line stands between sequences")
    }
    if number != sequence.number + 1 {
      account.remark("word whose number does not follow the one before: words seem to be missing", at: place(line))
    }
    sequence.number = number
  }

  /// A field that must hold something, without blanks at its ends.
  private func field(
    _ fields: [ArraySlice<UInt8>], _ column: Int, _ what: String, _ key: String, _ line: TaggedLine
  ) throws(Problem) -> ArraySlice<UInt8> {
    var field = fields[column]
    if field.first == TaggedReader.blank || field.last == TaggedReader.blank {
      field = field.drop { $0 == TaggedReader.blank }
      while field.last == TaggedReader.blank { field.removeLast() }
      account.remark("blanks at the ends of a field are left out", at: place(line))
    }
    guard !text(field).unicodeScalars.allSatisfy(\.properties.isWhitespace) else {
      throw .data(
        "empty field — expected a \(what) in column \(column + 1), got none (\(place(line)))",
        hint: "\(key) says which column has the \(what)s")
    }
    return field
  }

  private func text(_ field: ArraySlice<UInt8>) -> String { String(decoding: field, as: UTF8.self) }
  private func exact(_ field: ArraySlice<UInt8>) -> ExactString { ExactString(text(field)) }

  private func ragged(_ got: Int, _ line: TaggedLine) -> Problem {
    let between = form.separator == .tabs ? " between tabs" : ""
    return .data(
      "columns of a line — expected \(form.width)\(between) as in the first line, got \(got) (\(place(line)))",
      hint: line.isMarked
        ? "where it is a comment, data.comment='#' passes over lines that begin so"
        : "columns stand between tabs or blanks, sequences between blank lines; data.comment says what lines begin with "
          + "that are none of their words")
  }

  private func repeated(_ line: TaggedLine) -> Problem {
    .data(
      "header repeated — expected words below the names of the columns, got the names again (\(place(line)))",
      hint: "files that were put together have each its header: leave all but the first out")
  }
}

/// Signs that the first column holds no words: it counts them, or it is the same everywhere, as the name of a document.
private struct Suspicion {
  private var counts = true
  private var isConstant = true
  private var first: ExactString?

  mutating func see(_ words: [TaggedWord]) {
    first = first ?? words[0].word
    if isConstant { isConstant = words.allSatisfy { $0.word == first! } }
    if counts, let begin = Int(words[0].text), begin == 0 || begin == 1 {
      counts = words.indices.allSatisfy { words[$0].text == String(begin + $0) }
    } else {
      counts = false
    }
  }

  func check(_ all: TaggedWords, _ name: String) throws(Problem) {
    guard all.elements.count >= 3, counts || isConstant else { return }
    throw .data(
      "no words — expected words in the first column, got "
        + (counts ? "numbers that count the lines of each sequence" : "\(quoted(first!.text)) on every line")
        + " (\(name))",
      hint: "data.wordColumn=2 takes the words from the second column; data.wordColumn=1 takes these for words")
  }
}
