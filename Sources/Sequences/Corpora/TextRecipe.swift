import Crypto
import Files
import Glibc
import Problems

/// What text becomes tokens, and how. Two corpora of one recipe and the same bytes are the same.
package struct TextRecipe: Sendable {
  /// Where the tokens' numbers come from.
  package enum Numbers: Sendable {
    /// The training part of the text, by frequency: at most this many entries, 0 for all.
    case counted(TokenKind, maximum: Int)
    /// A vocabulary that is known already.
    case known(Vocabulary)
  }

  /// What is held out of training.
  package enum Validation: Sendable, Equatable {
    /// Nothing.
    case none
    /// This share of the text, 0 < share < 1, at its end.
    case fraction(Double)
    /// The text of another file.
    case file(String)
  }

  /// The text.
  package let path: String
  /// Where the tokens' numbers come from.
  package let numbers: Numbers
  /// Whether the end of a line is the word `<eos>`.
  package let lineEnds: Bool
  /// What is held out of training.
  package let validation: Validation

  /// A recipe; files are not looked at.
  /// - Precondition: of a text with a known vocabulary nothing is held out.
  package init(path: String, numbers: Numbers, lineEnds: Bool = false, validation: Validation = .none) {
    if case .fraction(let share) = validation {
      precondition(share > 0 && share < 1, "a share of the text lies between 0 and 1")
    }
    if case .known = numbers { precondition(validation == .none, "all tokens of such a text are for one use") }
    (self.path, self.numbers, self.lineEnds, self.validation) = (path, numbers, lineEnds, validation)
  }

  /// What one token is.
  var kind: TokenKind {
    switch numbers {
    case .counted(let kind, _): kind
    case .known(let vocabulary): vocabulary.kind
    }
  }

  /// The files that are read, the text first.
  var files: [String] {
    if case .file(let other) = validation { [path, other] } else { [path] }
  }

  /// The states of the files; errors as `TextFile.read` has them.
  func states() throws(Problem) -> [FileState] {
    var states: [FileState] = []
    for file in files { states.append(try TextFile.state(file)) }
    return states
  }

  /// SHA-256 over everything but the files' contents; their places are in it without links, so that a relative path
  /// is not taken for another one.
  func digest() throws(Problem) -> [UInt8] {
    var hash = SHA256()
    func add(_ text: String) { Array((text + "\0").utf8).withUnsafeBytes { hash.update(bufferPointer: $0) } }
    add("\(lineEnds)")
    switch numbers {
    case .counted(let kind, let maximum): add("counted \(kind.rawValue) \(maximum)")
    case .known(let vocabulary):
      // Each with its length, for an entry may have any character within: two vocabularies never give the same bytes.
      add("known \(vocabulary.kind.rawValue) \(vocabulary.entries.count)")
      for entry in vocabulary.entries { add("\(entry.text.utf8.count) \(entry.text)") }
    }
    if case .fraction(let share) = validation { add("fraction \(share)") } else { add("whole") }
    for file in files {
      guard let place = realpath(file, nil) else {
        throw Problem("text file cannot be read", code: errno, at: Place(file))
      }
      if let form = try unusualForm(file) { add(form) }
      // As bytes: a path that is not UTF-8 must not be repaired into another one.
      hash.update(bufferPointer: UnsafeRawBufferPointer(start: place, count: strlen(place) + 1))
      free(place)
    }
    return Array(hash.finalize())
  }

  /// What earlier versions read otherwise: their token files of such a text are none of this recipe. Nil for other texts.
  private func unusualForm(_ file: String) throws(Problem) -> String? {
    guard kind != .bytes else { return nil }
    let beginning = try TextFile.beginning(of: file)
    if TextFile.lengthOfByteOrderMark(beginning) > 0 { return "byte order mark passed over" }
    if beginning.contains(0) || FileKind(beginning) != nil { return "no text" }
    return lineEnds && beginning.contains(UInt8(ascii: "\r")) ? "carriage returns counted" : nil
  }
}
