import Problems

/// How a file of tagged words is written: what stands between its columns, and which of them are read.
struct TaggedForm {
  let separator: TaggedLine.Separator
  /// Columns of each line.
  let width: Int
  /// Empty columns behind those, which no line fills.
  let surplus: Int
  /// The line that names the columns; nil where there is none.
  let header: TaggedLine?
  /// The index of the column that numbers words; nil where none does.
  let idColumn: Int?
  /// The index of the column of the words.
  let word: Int
  /// The index of that of the labels; nil where none are read.
  let label: Int?

  private static let universal = [
    "ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC",
  ]
  private static let wordNames: Set = ["word", "words", "token", "tokens", "form", "text"]
  private static let labelNames: Set = [
    "label", "labels", "tag", "tags", "pos", "upos", "xpos", "ner", "ner_tag", "ner_tags", "bio", "iob", "entity",
    "chunk",
  ]

  /// The form of a file.
  /// - Parameters:
  ///   - lines: All that are not blank.
  ///   - needsLabels: Words alone will do where it is false.
  ///   - hasBlanks: Whether words may have blanks in them where a line is a word alone.
  init(
    of lines: [TaggedLine], _ columns: TaggedColumns, needsLabels: Bool, hasBlanks: Bool, name: String,
    _ account: DataAccount
  ) throws(Problem) {
    let words = lines.filter {
      (columns.comment.isEmpty ? !$0.isMarked : !$0.text.starts(with: columns.comment.utf8)) && !$0.startsDocument
    }
    let sample = words.isEmpty ? lines : words
    guard let first = sample.first else {
      throw .data("no sequences — expected at least one line, got none (\(name))")
    }
    let separator = TaggedForm.separator(
      of: sample, needsLabels: needsLabels, hasBlanks: hasBlanks, name: name, account)
    let surplus = separator == .tabs ? TaggedForm.emptyColumns(sample) : 0
    if surplus > 0 {
      account.remark("\(counted(surplus, "column")) at the end without values passed over", at: name)
    }
    let firstFields = first.fields(separator).dropLast(surplus).map { String(decoding: $0, as: UTF8.self) }
    let width = firstFields.count
    guard width >= (needsLabels ? 2 : 1) else {
      throw .data(
        "columns of a line — expected a word and its label, at least 2, got \(width) (\(name), line \(first.number))",
        hint: "columns stand between tabs or blanks, sequences between blank lines")
    }
    let hasSlashes = sample.allSatisfy { line in
      line.fields(separator).allSatisfy { $0.dropFirst().contains(UInt8(ascii: "/")) }
    }
    guard width == 1 || !hasSlashes else {
      throw .data(
        "labels behind slashes — expected a word and its label in two columns, got \(quoted(firstFields[0])) "
          + "(\(name), line \(first.number))",
        hint: "a line for each word: sed 's/$/ /; s,/\\([^/ ]*\\) , \\1\\n,g' FILE > NEW")
    }
    (self.separator, self.width, self.surplus) = (separator, width, surplus)

    if let names = TaggedForm.universalNames(lines, sample, separator, width) {
      header = nil
      idColumn = names.firstIndex(of: "ID")
      let columnOf = Columns(names: names, width: width, file: name)
      word = try columnOf.index(columns.word, key: "data.wordColumn", usual: names.firstIndex(of: "FORM") ?? 0)
      let usual = names.firstIndex(of: "UPOS") ?? width - 1
      label = needsLabels ? try columnOf.index(columns.label, key: "data.labelColumn", usual: usual) : nil
      let read = [(columns.word, "words", word)] + (label.map { [(columns.label, "labels", $0)] } ?? [])
      if read.contains(where: { $0.0.isEmpty }) {
        let parts = read.map { "\($1) are column \($2 + 1), \(names[$2])" }
        account.remark(
          "read as CoNLL-U: " + parts.joined(separator: ", "), at: name,
          hint: needsLabels ? "data.wordColumn and data.labelColumn name others" : nil)
      }
    } else {
      idColumn = nil
      let isAlone = !needsLabels && width == 1
      // Words to predict may stand there without the header that training had.
      let isHeader =
        columns.hasNames
        ? needsLabels || firstFields.contains(columns.word) || firstFields.contains(columns.label)
        : TaggedForm.isHeader(firstFields, sample, separator, surplus)
      header = isHeader ? first : nil
      let columnOf = Columns(names: isHeader ? firstFields : nil, width: width, file: name)
      word = isAlone ? 0 : try columnOf.index(columns.word, key: "data.wordColumn", usual: 0)
      label = needsLabels ? try columnOf.index(columns.label, key: "data.labelColumn", usual: width - 1) : nil
      if isHeader {
        account.remark("the line that names the columns is no word", at: "\(name), line \(first.number)")
      }
    }
    guard word != label else {
      throw .configuration(
        "words and labels in one column — expected two columns, got column \(word + 1) for both (\(name))",
        hint: "data.wordColumn and data.labelColumn say which")
    }
    if !needsLabels, width > 1 {
      account.remark("words are column \(word + 1) of \(width): the others are passed over", at: name)
    }
  }

  /// The fields of a line, without those that no line fills.
  func fields(_ line: TaggedLine) -> [ArraySlice<UInt8>] {
    let fields = line.fields(separator)
    return surplus == 0 || fields.count <= width ? fields : fields.dropLast(surplus)
  }

  // MARK: Recognition

  /// Tabs, where lines have them and as many each; else blanks, where by those the lines have as many columns each.
  private static func separator(
    of lines: [TaggedLine], needsLabels: Bool, hasBlanks: Bool, name: String, _ account: DataAccount
  ) -> TaggedLine.Separator {
    guard lines.contains(where: \.hasTab) else { return !needsLabels && hasBlanks ? .nothing : .blanks }
    func width(_ separator: TaggedLine.Separator) -> Int? {
      let first = lines[0].fields(separator).count
      return lines.allSatisfy { $0.fields(separator).count == first } ? first : nil
    }
    if width(.tabs) != nil { return .tabs }
    if let columns = width(.blanks), columns >= 2 {
      account.remark("tabs and blanks alike stand between columns: lines have not as many tabs each", at: name)
      return .blanks
    }
    return lines[0].hasTab ? .tabs : .blanks
  }

  /// How many columns at the end are empty on each line.
  private static func emptyColumns(_ lines: [TaggedLine]) -> Int {
    lines.reduce(Int.max) { least, line in
      least == 0 ? 0 : min(least, line.text.reversed().prefix { $0 == 0x09 || $0 == 0x20 }.count { $0 == 0x09 })
    }
  }

  /// The names of CoNLL-U's columns, or those that a first line `# global.columns =` says; nil for another form.
  private static func universalNames(
    _ lines: [TaggedLine], _ sample: [TaggedLine], _ separator: TaggedLine.Separator, _ width: Int
  ) -> [String]? {
    let mark = "# global.columns ="
    if let line = lines.first, line.text.starts(with: mark.utf8) {
      let names = TaggedLine(number: line.number, text: line.text.dropFirst(mark.utf8.count)).fields(.blanks)
      if names.count == width { return names.map { String(decoding: $0, as: UTF8.self) } }
    }
    guard width == universal.count else { return nil }
    return sample.prefix(20).allSatisfy { $0.fields(separator).first.map { UniversalID($0) != nil } ?? false }
      ? universal : nil
  }

  /// Whether the first line has usual names of columns, the last of which is no label of a line unlike it.
  private static func isHeader(
    _ first: [String], _ lines: [TaggedLine], _ separator: TaggedLine.Separator, _ surplus: Int
  ) -> Bool {
    guard first.count >= 2, lines.count >= 2,
      first.contains(where: { wordNames.contains($0.lowercased()) }), labelNames.contains(first.last!.lowercased())
    else { return false }
    return !lines.dropFirst().contains { line in
      line.text != lines[0].text
        && line.fields(separator).dropLast(surplus).last?.elementsEqual(first.last!.utf8) == true
    }
  }
}

/// The columns of a file, by number or name.
private struct Columns {
  /// Nil where no line names them.
  let names: [String]?
  let width: Int
  let file: String

  func index(_ value: String, key: String, usual: Int) throws(Problem) -> Int {
    if value.isEmpty { return usual }
    if let number = Int(value) {
      guard (1...width).contains(number) else {
        throw missing("a number from 1 to \(width) for \(key)", "\(number)", "\(key) takes a number from 1, or a name")
      }
      return number - 1
    }
    let found = (names ?? []).indices.filter { ExactString(names![$0]) == ExactString(value) }
    guard found.count == 1 else {
      let isAlike = names?.contains { $0.lowercased() == value.lowercased() } == true && found.isEmpty
      throw missing(
        "one \(quoted(value))", listed((names ?? []).map(quoted)),
        isAlike
          ? "capitals count"
          : "\(key) takes a number from 1, or a name that the first line has")
    }
    return found[0]
  }

  private func missing(_ expected: String, _ got: String, _ hint: String) -> Problem {
    .data("missing column — expected \(expected), got \(got) (\(file))", hint: hint)
  }
}
