import Problems

extension Vocabulary {
  /// The vocabulary of a training text: `<unk>`, then what occurs in it, the most frequent first and equally frequent
  /// ones in the order of their UTF-8 bytes.
  /// - Parameters:
  ///   - kind: Anything but `symbols`, which no text has.
  ///   - maximum: The most entries, `<unk>` and all; the rarest are left out. 0 keeps all. Bytes are always 256.
  ///   - part: Which part of the text `bytes` are, for an error.
  ///   - name: What an error calls the text.
  package static func build(
    from bytes: [UInt8], kind: TokenKind, maximum: Int = 0, part: String = "text", name: String
  ) throws(Problem) -> Vocabulary {
    let counted: [Counted]
    switch kind {
    case .bytes: return .bytes
    case .characters:
      var counts = noCharacters
      try UTF8Text.forEachScalar(in: bytes, name: name) { counts[Int($0)] += 1 }
      counted = characters(counts)
    case .words:
      var counts: [ExactString: Int] = [:]
      try UTF8Text.forEachWord(in: bytes, name: name) { counts[$0, default: 0] += 1 }
      counted = words(counts)
    case .symbols: preconditionFailure("symbols belong to a generated task, not to a text")
    }
    return try Vocabulary(counted: counted, kind: kind, maximum: maximum, part: part, name: name)
  }

  /// The vocabulary of words that may have blanks in them; errors as above.
  static func build(
    ofWords words: some Sequence<ExactString>, maximum: Int, name: String
  ) throws(Problem) -> Vocabulary {
    let counts = words.reduce(into: [ExactString: Int]()) { $0[$1, default: 0] += 1 }
    return try Vocabulary(counted: self.words(counts), kind: .words, maximum: maximum, part: "text", name: name)
  }

  /// An entry and how often it occurs.
  typealias Counted = (entry: ExactString, count: Int)

  /// For each scalar how often it occurs: never.
  static var noCharacters: [Int] { [Int](repeating: 0, count: 0x11_0000) }

  /// The entries of characters counted by their scalars.
  static func characters(_ counts: [Int]) -> [Counted] {
    counts.indices.filter { counts[$0] > 0 }.map { (ExactString(String(Unicode.Scalar(UInt32($0))!)), counts[$0]) }
  }

  /// The entries of counted words, without the one that is entry 0 whether or not the text spells it.
  static func words(_ counts: [ExactString: Int]) -> [Counted] {
    let unknown = ExactString(unknownText)
    return counts.filter { $0.key != unknown }.map { ($0.key, $0.value) }
  }

  /// The vocabulary of counted characters or words; errors as `build` has them.
  init(counted: [Counted], kind: TokenKind, maximum: Int, part: String, name: String) throws(Problem) {
    guard !counted.isEmpty else {
      let expected = kind == .words ? "at least one other than \(Vocabulary.unknownText)" : "at least one"
      throw .data(
        "no \(kind) in the \(part) — expected \(expected), got none (\(name))",
        hint: part == "text" ? nil : Vocabulary.shortPartHint)
    }
    let room = (maximum > 0 ? min(maximum, Vocabulary.maximumCount) : Vocabulary.maximumCount) - 1
    if maximum == 0 && counted.count > room {
      throw .data(
        "too many different \(kind) — expected at most \(room), got \(counted.count) (\(name))",
        hint: "set data.vocabulary to the number of entries to keep, such as 10000")
    }
    let sorted = counted.sorted { ($1.count, $0.entry) < ($0.count, $1.entry) }
    self.init(valid: kind, entries: [ExactString(Vocabulary.unknownText)] + sorted.prefix(room).map(\.entry))
  }

  /// What to change where a part of a text is too short.
  static let shortPartHint =
    "give a longer text, or change how much of it is held out with data.validation (0 for none)"
}
