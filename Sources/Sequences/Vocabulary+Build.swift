extension Vocabulary {
  /// The vocabulary of a training text: `<unk>`, then what occurs in it, the most frequent first and equally frequent
  /// ones in the order of their UTF-8 bytes.
  /// - Parameters:
  ///   - kind: Anything but `symbols`, which no text has.
  ///   - maximum: The most entries, `<unk>` and all; the rarest are left out. 0 keeps all. Bytes are always 256.
  ///   - part: Which part of the text `bytes` are, for an error.
  ///   - name: What an error calls the text.
  public static func build(
    from bytes: [UInt8], kind: TokenKind, maximum: Int = 0, part: String = "text", name: String
  ) throws(SequenceError) -> Vocabulary {
    var counted: [(entry: ExactString, count: Int)]
    switch kind {
    case .bytes: return .bytes
    case .characters: counted = try countCharacters(bytes, name: name)
    case .words: counted = try countWords(bytes, name: name)
    case .symbols: preconditionFailure("symbols belong to a generated task, not to a text")
    }
    guard !counted.isEmpty else {
      let expected = kind == .words ? "at least one other than \(unknownText)" : "at least one"
      throw .data(
        "no \(kind) in the \(part) — expected \(expected), got none (\(name))",
        hint: part == "text" ? nil : shortPartHint)
    }
    counted.sort { ($1.count, $0.entry) < ($0.count, $1.entry) }
    let room = (maximum > 0 ? min(maximum, maximumCount) : maximumCount) - 1
    if maximum == 0 && counted.count > room {
      throw .data(
        "too many different \(kind) — expected at most \(room), got \(counted.count) (\(name))",
        hint: "set data.vocabulary to the number of entries to keep, such as 10000")
    }
    return Vocabulary(valid: kind, entries: [ExactString(unknownText)] + counted.prefix(room).map(\.entry))
  }

  /// What to change where a part of a text is too short.
  static let shortPartHint =
    "give a longer text, or change how much of it is held out with data.validation (0 for none)"

  private static func countCharacters(
    _ bytes: [UInt8], name: String
  ) throws(SequenceError) -> [(entry: ExactString, count: Int)] {
    var counts = [Int](repeating: 0, count: 0x11_0000)
    try UTF8Text.forEachScalar(in: bytes, name: name) { counts[Int($0)] += 1 }
    return counts.indices.filter { counts[$0] > 0 }.map {
      (ExactString(String(Unicode.Scalar(UInt32($0))!)), counts[$0])
    }
  }

  private static func countWords(
    _ bytes: [UInt8], name: String
  ) throws(SequenceError) -> [(entry: ExactString, count: Int)] {
    var counts: [ExactString: Int] = [:]
    try UTF8Text.forEachWord(in: bytes, name: name) { counts[$0, default: 0] += 1 }
    counts[ExactString(unknownText)] = nil  // it is entry 0 whether or not the text spells it
    return counts.map { ($0.key, $0.value) }
  }
}
