import Files
import Foundation
import Problems

/// What one token is.
package enum TokenKind: String, Codable, Sendable, CaseIterable {
  /// Unicode scalars of UTF-8 text.
  case characters
  /// Bytes of any file: always 256 entries, so nothing is unknown.
  case bytes
  /// What stands between Unicode white space in UTF-8 text. White space itself is not kept.
  case words
  /// The symbols of a generated task, such as the Reber grammar.
  case symbols
}

/// The tokens that a model knows, and their numbers.
///
/// Entry 0 of `characters` and `words` is `<unk>`, which stands for everything that the training text did not contain
/// (and, where a maximum was asked for, for its rarest entries): the loss over any text and the reading of any prompt
/// are so always defined. Two consequences: a text with 65 different characters gives 66 entries, and a perplexity over
/// words is that of the text *after* rare words became `<unk>`; it can be compared only between equal vocabularies.
/// A word spelled `<unk>` in the text is this entry too, as corpora prepared in that way expect.
package struct Vocabulary: Sendable, Equatable {
  /// What one token is.
  package let kind: TokenKind
  /// Entries by token number; none are stored for `bytes`.
  let entries: [ExactString]
  /// The number of a character, by scalar value; empty unless `kind` is `characters` or `symbols`.
  private let scalarNumbers: ScalarTable
  /// The number of a word; empty unless `kind` is `words`.
  private let wordNumbers: [ExactString: Int32]

  /// The text of entry 0 of `characters` and `words`.
  package static let unknownText = "<unk>"
  /// No vocabulary has more entries: there are about 1.1 million Unicode scalars, and a softmax over more is hopeless.
  package static let maximumCount = 1 << 21
  /// The 256 bytes.
  package static let bytes = Vocabulary(valid: .bytes, entries: [])

  /// K, the number of entries.
  package var count: Int { kind == .bytes ? 256 : entries.count }
  /// The number of `<unk>`, nil where nothing can be unknown. A sampler leaves it out.
  package var unknown: Int32? { kind == .characters || kind == .words ? 0 : nil }

  /// A vocabulary of generated symbols, numbered in the order given: one different scalar each.
  package init(symbols: String) throws(Problem) {
    try self.init(kind: .symbols, entries: symbols.unicodeScalars.map { String($0) })
  }

  /// A vocabulary from stored entries. They are checked: anything that `build` could not have made is an error with
  /// exit code 65.
  package init(kind: TokenKind, entries: [String]) throws(Problem) {
    let exact = entries.map(ExactString.init)
    try Vocabulary.check(kind, exact)
    self.init(valid: kind, entries: exact)
  }

  init(valid kind: TokenKind, entries: [ExactString]) {
    self.kind = kind
    self.entries = entries
    let named = kind == .symbols ? entries[...] : entries.dropFirst()
    switch kind {
    case .characters, .symbols:
      scalarNumbers = ScalarTable(named)
      wordNumbers = [:]
    case .words:
      scalarNumbers = ScalarTable([])
      wordNumbers = Dictionary(uniqueKeysWithValues: named.indices.map { (entries[$0], Int32($0)) })
    case .bytes:
      scalarNumbers = ScalarTable([])
      wordNumbers = [:]
    }
  }

  /// Equality of kind and entries; the look-up tables follow from them.
  package static func == (a: Vocabulary, b: Vocabulary) -> Bool { a.kind == b.kind && a.entries == b.entries }

  // MARK: Tokens

  /// The token of a character; nil for one that it does not know.
  @inline(__always)
  func number(ofScalar scalar: UInt32) -> Int32? { scalarNumbers[scalar] }

  /// Whether a word has a blank in it, as those of a tagger may.
  package var hasBlanks: Bool { kind == .words && entries.contains { $0.text.utf8.contains(0x20) } }

  /// The token of a word; nil for one that it does not know. Entry 0 is spelled `<unk>`.
  func number(ofWord word: ExactString) -> Int32? {
    wordNumbers[word] ?? (kind == .words && word == ExactString(Vocabulary.unknownText) ? 0 : nil)
  }

  /// The tokens of a text. Only symbols that a task does not have are an error; other tokens outside the vocabulary
  /// become `<unk>`.
  package func encode(_ text: String) throws(Problem) -> [Int32] {
    try encode(bytes: Array(text.utf8), name: "text")
  }

  /// The tokens of the bytes of a text; `name` is what an error calls it.
  package func encode(bytes: [UInt8], name: String) throws(Problem) -> [Int32] {
    if kind == .bytes { return bytes.map { Int32($0) } }
    var tokens: [Int32] = []
    if kind == .words {
      try UTF8Text.forEachWord(in: bytes, name: name) { tokens.append(wordNumbers[$0] ?? 0) }
      return tokens
    }
    let absent: Int32 = kind == .symbols ? -1 : 0
    tokens.reserveCapacity(bytes.count)
    try UTF8Text.forEachScalar(in: bytes, name: name) { tokens.append(scalarNumbers[$0] ?? absent) }
    if kind == .symbols, let place = tokens.firstIndex(of: absent) {
      throw .data(
        "symbol \(place + 1) is not one of the task's — expected \(entries.map(\.text).joined(separator: " ")), got "
          + "\"\(String(decoding: bytes.prefix(80), as: UTF8.self))\" (\(name))")
    }
    return tokens
  }

  /// The text of tokens: words joined by spaces, bytes that are not UTF-8 and unknown characters shown as U+FFFD.
  /// - Precondition: every token is one of 0 ..< `count`.
  package func decode(_ tokens: some Sequence<Int32>) -> String {
    switch kind {
    case .bytes: String(decoding: tokens.map { UInt8($0) }, as: UTF8.self)
    case .characters: tokens.map { $0 == unknown ? "\u{FFFD}" : entries[Int($0)].text }.joined()
    case .symbols: tokens.map { entries[Int($0)].text }.joined()
    case .words: tokens.map { entries[Int($0)].text }.joined(separator: " ")
    }
  }
}

// MARK: - JSON

extension Vocabulary: Codable {
  private enum CodingKeys: String, CodingKey { case kind, entries }

  /// Writes the kind and, other than for `bytes`, the entries in the order of their numbers.
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind, forKey: .kind)
    try container.encode(entries.map(\.text), forKey: .entries)
  }

  /// Reads and checks what `encode(to:)` wrote.
  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    try self.init(
      kind: container.decode(TokenKind.self, forKey: .kind),
      entries: container.decode([String].self, forKey: .entries))
  }

  /// The vocabulary as one JSON object, the same bytes for the same vocabulary.
  package func json() throws -> Data { try SortedJSON.data(self) }

  /// The vocabulary in a JSON object; `name` is what an error calls the file. Exit code 65 for anything malformed.
  package init(json: Data, name: String) throws(Problem) {
    self = try SortedJSON.read(json, what: "vocabulary", keys: "kind and entries", name: name)
  }

  /// Throws unless `entries` could be those of a vocabulary of this kind.
  private static func check(_ kind: TokenKind, _ entries: [ExactString]) throws(Problem) {
    guard entries.count <= maximumCount else {
      throw .data("vocabulary — expected at most \(maximumCount) entries, got \(entries.count)")
    }
    guard Set(entries).count == entries.count else {
      throw .data("vocabulary — expected different entries, got one twice")
    }
    switch kind {
    case .bytes:
      guard entries.isEmpty else { throw .data("vocabulary of bytes — expected no entries, got \(entries.count)") }
    case .symbols:
      guard !entries.isEmpty, entries.allSatisfy({ $0.text.unicodeScalars.count == 1 }) else {
        throw .data("vocabulary of symbols — expected at least one entry, all of one scalar")
      }
    case .characters, .words:
      guard entries.first?.text == unknownText, entries.count > 1 else {
        throw .data("vocabulary of \(kind) — expected \(unknownText) and at least one more entry")
      }
      let fits = entries.dropFirst().allSatisfy { entry in
        kind == .characters ? entry.text.unicodeScalars.count == 1 : isWord(entry.text)
      }
      guard fits else { throw .data("vocabulary of \(kind) — expected single \(kind), got something else") }
    }
  }

  /// Words of a tagger may have blanks in them.
  private static func isWord(_ text: String) -> Bool {
    !text.unicodeScalars.allSatisfy { $0.properties.isWhitespace }
  }
}
