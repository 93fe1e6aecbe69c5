import Problems

/// A pattern for the names of files in a folder, such as `{class}.txt`, `{class}/*.wav` or `{class}_*.wav`: `*` stands
/// for one or more characters other than `/`, and so does `{class}`, which says that they are the name of the class.
/// Both take as little as possible. Capitals count, except in the suffix of the name, which programs write in either:
/// `*.wav` takes `1.WAV` too.
package struct NamePattern: Sendable, Equatable {
  private enum Part: Equatable {
    case literal([UInt8])
    case anything(isClass: Bool)
  }

  /// The pattern as it was given.
  package let text: String
  /// The parts of each component of the path.
  private let components: [[Part]]

  /// Reads a pattern; one with empty components, or with more than one `{class}`, is an error with exit code 78.
  package init(_ text: String) throws(Problem) {
    self.text = text
    components = text.split(separator: "/", omittingEmptySubsequences: false).map(NamePattern.parts)
    let classes = components.joined().count { $0 == .anything(isClass: true) }
    guard classes <= 1, components.allSatisfy({ !$0.isEmpty }) else {
      throw .configuration(
        "pattern of file names — expected a relative path with * and at most one {class}, such as {class}/*.wav, got "
          + quoted(text))
    }
  }

  private static func parts(of component: Substring) -> [Part] {
    var parts: [Part] = []
    var rest = Array(component.utf8)[...]
    let marker = Array("{class}".utf8)
    var literal: [UInt8] = []
    func endLiteral() {
      if !literal.isEmpty { parts.append(.literal(literal)) }
      literal = []
    }
    while let byte = rest.first {
      if rest.starts(with: marker) || byte == UInt8(ascii: "*") {
        endLiteral()
        parts.append(.anything(isClass: byte != UInt8(ascii: "*")))
        rest = rest.dropFirst(byte == UInt8(ascii: "*") ? 1 : marker.count)
      } else {
        literal.append(byte)
        rest = rest.dropFirst()
      }
    }
    endLiteral()
    return parts
  }

  /// How many folders deep the files lie: 0 for files in the folder itself.
  package var depth: Int { components.count - 1 }

  /// True if the pattern says where the class stands.
  package var namesClass: Bool { components.joined().contains(.anything(isClass: true)) }

  /// True if a path relative to the folder fits.
  package func matches(_ path: String) -> Bool { match(path) != nil }

  /// What `{class}` stands for in a path; nil for one that does not fit. Empty where the pattern has no `{class}`.
  package func className(in path: String) -> String? { match(path) }

  private func match(_ path: String) -> String? {
    let pieces = path.split(separator: "/", omittingEmptySubsequences: false)
    guard pieces.count == components.count else { return nil }
    var name = ""
    for (index, (parts, piece)) in zip(components, pieces).enumerated() {
      guard let found = NamePattern.match(Array(piece.utf8), parts, isFile: index == components.count - 1) else {
        return nil
      }
      if !found.isEmpty { name = String(decoding: found, as: UTF8.self) }
    }
    return name
  }

  /// What the class is in one component, empty where it has none; nil where the component does not fit. The first place
  /// where a literal fits is the right one for all but the last, which must end the name: nothing is tried twice.
  private static func match(_ name: [UInt8], _ parts: [Part], isFile: Bool) -> [UInt8]? {
    var place = 0
    var found: [UInt8] = []
    var open: (start: Int, isClass: Bool, least: Int)?
    for (index, part) in parts.enumerated() {
      switch part {
      case .anything(let isClass):
        // Two wildcards beside each other: the first takes one character.
        if let before = open {
          guard before.start < name.count else { return nil }
          // A character ends before the next byte that continues none, or two classes would share a part of one.
          let end = name[(before.start + 1)...].firstIndex { $0 & 0xC0 != 0x80 } ?? name.count
          if before.isClass { found = Array(name[before.start..<end]) }
          place = end
        }
        open = (place, isClass, place + 1)
      case .literal(let literal):
        let isLast = index == parts.count - 1
        guard
          let start = find(
            literal, in: name, from: place, open: open?.least, last: isLast, endsName: isLast && isFile)
        else { return nil }
        if let before = open, before.isClass { found = Array(name[before.start..<start]) }
        place = start + literal.count
        open = nil
      }
    }
    if let last = open {
      guard last.start < name.count else { return nil }
      return last.isClass ? Array(name[last.start...]) : found
    }
    return place == name.count ? found : nil
  }

  /// A byte of a name, letters of ASCII as small ones.
  private static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }

  /// Where a literal stands: at `from` exactly, or behind an open wildcard anywhere from `open` on, at the end if it is
  /// the last part.
  private static func find(
    _ literal: [UInt8], in name: [UInt8], from: Int, open: Int?, last: Bool, endsName: Bool
  ) -> Int? {
    let latest = name.count - literal.count
    let first = open ?? from
    guard first <= latest else { return nil }
    let suffix = endsName ? literal.lastIndex(of: UInt8(ascii: ".")) ?? literal.count : literal.count
    func fits(_ start: Int) -> Bool {
      let found = name[start..<start + literal.count]
      return found.prefix(suffix).elementsEqual(literal[..<suffix])
        && found.dropFirst(suffix).elementsEqual(literal[suffix...]) { lowercased($0) == lowercased($1) }
    }
    if open == nil { return fits(first) ? first : nil }
    return last ? (fits(latest) ? latest : nil) : (first...latest).first(where: fits)
  }
}
