import Crypto
import Files
import Glibc
import Problems

/// Makes a token file of a recipe in memory that does not depend on the length of the text: the text is read once to
/// count the vocabulary, where it is not known, and once for the tokens; before that once more to count the ends of its
/// lines, where they are words and a share of the text is held out.
struct TokenFileBuilder {
  let recipe: TextRecipe
  /// Bytes of the text that are read at once.
  let pieceBytes: Int

  /// Writes the file, header and all, and returns the header; `name` is what an error calls it. Errors of the text are
  /// those that `ReferenceCorpus` has, and one with exit code 74 where it changes meanwhile.
  func build(_ descriptor: CInt, name: String) throws -> TokenFileHeader {
    let states = try recipe.states()
    try expectContent(states[0], recipe.path)
    let text = scan(recipe.path)
    let (cut, part) = try cut(text, size: states[0].size)
    let vocabulary = try vocabulary(of: text, cut: cut, part: part)

    let writer = try TokenFileWriter(descriptor, width: TokenWidth(vocabulary: vocabulary.count), name: name)
    var (header, contents) = (TokenFileHeader(), SHA256())
    let counts = try write(text, vocabulary, cut: cut, to: writer, &contents)
    (header.training, header.validation) = (counts.before.tokens, counts.behind.tokens)
    header.unknown = (counts.before.unknown, counts.behind.unknown)
    try expectTwo(header.training + header.validation, part: "text", recipe.path)
    try expectTwo(header.training, part: part, recipe.path)
    switch recipe.validation {
    case .none: break
    case .fraction: try expectTwo(header.validation, part: "validation part of the text", recipe.path)
    case .file(let other):
      try expectContent(states[1], other)
      let counts = try write(scan(other), vocabulary, cut: Int.max, to: writer, &contents).before
      (header.validation, header.unknown.validation) = (counts.tokens, counts.unknown)
      try expectTwo(header.validation, part: "text", other)
    }
    header.width = TokenWidth(vocabulary: vocabulary.count)
    let json = Array(try vocabulary.json())
    guard json.count <= TokenFileHeader.mostVocabularyBytes else {
      throw Problem.data(
        "vocabulary is too large — expected at most \(TokenFileHeader.mostVocabularyBytes) bytes, got \(json.count) "
          + "(\(recipe.path))", hint: "limit its entries with data.vocabulary")
    }
    header.vocabularyBytes = json.count
    try writer.write(bytes: json)
    try writer.flush()
    header.checksum = writer.checksum
    header.recipe = try recipe.digest()
    header.contents = Array(contents.finalize())
    header.tokens = try TokenFile.tokensSHA256(descriptor, header, name)
    guard try recipe.states() == states else { throw Problem.changedText(recipe.path) }
    let bytes = header.bytes
    guard pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else { throw Problem.unwritable(name) }
    return header
  }

  private func scan(_ path: String) -> TextScan {
    TextScan(path: path, kind: recipe.kind, lineEnds: recipe.lineEnds, pieceBytes: pieceBytes)
  }

  /// The byte whose token is the first that is held out, behind the text where no part of it is, and what an error calls
  /// the text before it.
  private func cut(_ text: TextScan, size: Int) throws(Problem) -> (place: Int, part: String) {
    guard case .fraction(let share) = recipe.validation else { return (Int.max, "text") }
    let length = try text.byteCount(size: size)
    let place = Int((Double(length) * (1 - share)).rounded(.down))
    return (place, place == length ? "text" : "training part of the text")
  }

  // MARK: The first pass

  private func vocabulary(of text: TextScan, cut: Int, part: String) throws(Problem) -> Vocabulary {
    switch recipe.numbers {
    case .known(let vocabulary): return vocabulary
    case .counted(.bytes, _): return .bytes
    case .counted(let kind, let maximum):
      let (entries, tokens) = kind == .words ? try countWords(text, cut) : try countCharacters(text, cut)
      // Before the vocabulary, which would blame the wrong part.
      try expectTwo(tokens, part: "text", recipe.path)
      return try Vocabulary(
        counted: entries, kind: kind, maximum: maximum, part: part, name: recipe.path)
    }
  }

  /// What occurs in the training part, and how many tokens the whole text has.
  private typealias Counts = (entries: [Vocabulary.Counted], tokens: Int)

  private func countCharacters(_ text: TextScan, _ cut: Int) throws(Problem) -> Counts {
    var (counts, tokens) = (Vocabulary.noCharacters, 0)
    try text.forEachPiece { (bytes, offset) throws(Problem) in
      UTF8Text.decode(bytes) { scalar, _, to in
        tokens += 1
        if offset + to <= cut { counts[Int(scalar)] += 1 }
      }
    }
    return (Vocabulary.characters(counts), tokens)
  }

  private func countWords(_ text: TextScan, _ cut: Int) throws(Problem) -> Counts {
    var (counts, tokens, words) = ([ExactString: Int](), 0, WordScan())
    func add(_ word: ExactString, _ end: Int) {
      tokens += 1
      if end <= cut { counts[word, default: 0] += 1 }
    }
    try text.forEachPiece { (bytes, offset) throws(Problem) in words.add(bytes, offset, add) }
    words.finish(add)
    return (Vocabulary.words(counts), tokens)
  }

  // MARK: The second pass

  /// Writes the tokens of a text and counts those before the cut and those behind it.
  private func write(
    _ text: TextScan, _ vocabulary: Vocabulary, cut: Int, to writer: TokenFileWriter, _ contents: inout SHA256
  ) throws(Problem) -> (before: DataAccount.Unknown, behind: DataAccount.Unknown) {
    var (tokens, words, all, before, hash) = ([Int32](), WordScan(), 0, 0, SHA256())
    var unknown = (before: 0, behind: 0)
    func add(_ word: ExactString, _ end: Int) {
      tokens.append(vocabulary.number(ofWord: word) ?? 0)
      if end <= cut { before += 1 }
    }
    func flush() throws(Problem) {
      // What has been counted as before the cut so far stands first.
      let first = tokens[..<max(0, min(tokens.count, before - all))]
      if let number = vocabulary.unknown {
        unknown.before += first.count { $0 == number }
        unknown.behind += tokens[first.endIndex...].count { $0 == number }
      }
      all += tokens.count
      try writer.write(tokens)
      tokens.removeAll(keepingCapacity: true)
    }
    func read(_ bytes: [UInt8]) { bytes.withUnsafeBytes { hash.update(bufferPointer: $0) } }
    try text.forEachPiece(raw: read) { (bytes, offset) throws(Problem) in
      switch recipe.kind {
      case .bytes:
        tokens += bytes.map { Int32($0) }
        before += max(0, min(bytes.count, cut - offset))
      case .characters: before += append(bytes, vocabulary, cut: cut - offset, to: &tokens)
      case .words: words.add(bytes, offset, add)
      case .symbols: preconditionFailure("symbols belong to a generated task, not to a text")
      }
      try flush()
    }
    words.finish(add)
    try flush()
    hash.finalize().withUnsafeBytes { contents.update(bufferPointer: $0) }
    return (
      DataAccount.Unknown(tokens: before, unknown: unknown.before),
      DataAccount.Unknown(tokens: all - before, unknown: unknown.behind)
    )
  }

  /// Appends the characters of a piece and returns how many of them end before the cut.
  private func append(_ bytes: [UInt8], _ vocabulary: Vocabulary, cut: Int, to tokens: inout [Int32]) -> Int {
    var before = 0
    tokens.reserveCapacity(bytes.count)
    UTF8Text.decode(bytes) { scalar, _, to in
      tokens.append(vocabulary.number(ofScalar: scalar) ?? 0)
      before += to <= cut ? 1 : 0
    }
    return before
  }

  // MARK: Texts that are too short

  private func expectContent(_ state: FileState, _ path: String) throws(Problem) {
    guard state.size > 0 else {
      throw .data("text is empty — expected at least 2 tokens, got an empty file (\(path))")
    }
  }

  /// One token has no target, so no loss.
  private func expectTwo(_ count: Int, part: String, _ path: String) throws(Problem) {
    guard count >= 2 else {
      throw .data(
        "\(part) is too short — expected at least 2 tokens, got \(count) (\(path))",
        hint: part == "text" ? "give a longer text" : Vocabulary.shortPartHint)
    }
  }
}

extension Problem {
  static func changedText(_ path: String) -> Problem {
    .file(
      "text has changed while it was read — expected the same from beginning to end, got another size, inode or time "
        + "(\(path))", hint: "start again when nobody writes to it")
  }
}
