import Problems

/// A line of a file of tagged words.
struct TaggedLine {
  /// From 1.
  let number: Int
  /// Without its end.
  let text: ArraySlice<UInt8>

  /// What stands between columns.
  enum Separator {
    case tabs
    /// Unicode white space, any number of it.
    case blanks
    /// Nothing: the line is one word.
    case nothing
  }

  /// Between tabs empty fields and blanks count; between blanks there are none.
  func fields(_ separator: Separator) -> [ArraySlice<UInt8>] {
    switch separator {
    case .tabs: return text.split(separator: 0x09, omittingEmptySubsequences: false)
    case .nothing: return [text]
    case .blanks:
      if text.allSatisfy({ $0 < 0x80 }) { return text.split { UTF8Text.isWhitespace(UInt32($0)) } }
      let bytes = Array(text)
      var (fields, start): ([ArraySlice<UInt8>], Int) = ([], 0)
      UTF8Text.decode(bytes) { scalar, from, to in
        guard UTF8Text.isWhitespace(scalar) else { return }
        if from > start { fields.append(bytes[start..<from]) }
        start = to
      }
      if bytes.count > start { fields.append(bytes[start...]) }
      return fields
    }
  }

  var hasTab: Bool { text.contains(0x09) }

  /// Whether it begins with `#`.
  var isMarked: Bool { text.first == UInt8(ascii: "#") }

  /// Whether it has the form of a comment: `#` alone or before a blank, or `#begin` or `#end` of a document.
  var looksLikeComment: Bool {
    guard isMarked else { return false }
    let rest = text.dropFirst()
    return rest.isEmpty || UTF8Text.isWhitespace(UInt32(rest.first!)) || rest.starts(with: "begin document".utf8)
      || rest.starts(with: "end document".utf8)
  }

  /// Whether its first column is `-DOCSTART-`, which marks a document in files of the CoNLL shared tasks.
  var startsDocument: Bool {
    guard text.starts(with: TaggedLine.documentStart.utf8) else { return false }
    return text.dropFirst(TaggedLine.documentStart.utf8.count).first.map { UTF8Text.isWhitespace(UInt32($0)) } ?? true
  }

  static let documentStart = "-DOCSTART-"
}

/// The first column of CoNLL-U: `7` numbers a word, `7-8` a range of words that are written as one, `7.1` a node that is
/// not in the text.
enum UniversalID: Equatable {
  case word(Int)
  case range, emptyNode

  /// Nil for what is none.
  init?(_ field: ArraySlice<UInt8>) {
    let parts = field.split(maxSplits: 1, omittingEmptySubsequences: false) {
      $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
    }
    let isNumber = parts.allSatisfy { part in
      !part.isEmpty && part.count <= 9 && part.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
    guard isNumber, let number = Int(String(decoding: parts[0], as: UTF8.self)) else { return nil }
    if parts.count == 1 {
      self = .word(number)
    } else {
      self = field[parts[0].endIndex] == UInt8(ascii: "-") ? .range : .emptyNode
    }
  }
}
