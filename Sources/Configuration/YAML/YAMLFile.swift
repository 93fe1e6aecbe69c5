import Foundation
import Problems
import Yams

extension Configuration {
  /// No configuration comes near this; a file that does is another file given by mistake.
  package static let maximumBytes = 1 << 20
}

/// Reading YAML as a list of dotted keys and scalars, refusing all of YAML that a configuration does not need.
enum YAMLFile {
  /// The text of a file: exit code 74 where it cannot be read, 78 where it cannot be a configuration.
  static func read(_ path: String) throws(Problem) -> String {
    func unreadable(_ got: String) -> Problem {
      Problem(.inputOutput, "configuration cannot be read — expected a readable file, got \(got) (\(path))")
    }
    let url = URL(fileURLWithPath: path).resolvingSymlinksInPath()
    guard !path.isEmpty, let attributes = try? FileManager.default.attributesOfItem(atPath: url.path) else {
      throw unreadable("no such file")
    }
    guard attributes[.type] as? FileAttributeType == .typeRegular else {
      throw unreadable(attributes[.type] as? FileAttributeType == .typeDirectory ? "a directory" : "no regular file")
    }
    let size = (attributes[.size] as? NSNumber)?.intValue ?? 0
    guard size <= Configuration.maximumBytes else {
      throw Problem(
        .badConfiguration,
        "configuration is too large — expected at most \(Configuration.maximumBytes) bytes, got \(size) (\(path))")
    }
    guard let bytes = try? Foundation.Data(contentsOf: url) else { throw unreadable("a file without permission") }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Problem(.badConfiguration, "configuration is not text — expected UTF-8, got other bytes (\(path))")
    }
    return text
  }

  /// The values of a YAML text in their order.
  static func values(in text: String, name: String) throws(Problem) -> [Configuration.Override] {
    guard text.utf8.count <= Configuration.maximumBytes else {
      throw Problem(
        .badConfiguration,
        "configuration is too large — expected at most \(Configuration.maximumBytes) bytes, got \(text.utf8.count) (\(name))"
      )
    }
    try refuseAnchors(text, name: name)
    let root: Node?
    do {
      root = try compose(yaml: text, .default, .default, .utf8)
    } catch {
      throw malformed(error, name: name)
    }
    guard let root, !isNull(root) else { return [] }
    guard case .mapping(let mapping) = root else {
      throw Problem(
        .badConfiguration, "configuration is not a mapping — expected keys and values, got \(kind(root)) (\(name))")
    }
    var values: [Configuration.Override] = []
    try collect(mapping, prefix: "", name: name, into: &values)
    var seen: Set<String> = []
    for value in values where !seen.insert(value.key).inserted {
      throw Problem(.badConfiguration, "key \(value.key) is given twice — expected it once (\(value.origin))")
    }
    return values
  }

  /// Anchors are refused before the text is parsed: a few lines of anchors within anchors stand for billions of values.
  /// An anchor is a `&` at the start of a word, so never one right behind a letter or digit.
  private static func refuseAnchors(_ text: String, name: String) throws(Problem) {
    func isLetter(_ byte: UInt8) -> Bool { "a"..."z" ~= byte.lower || "0"..."9" ~= byte.lower }
    func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    let bytes = Array(text.utf8)
    for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "&") {
      let startsWord = index == 0 || !isLetter(bytes[index - 1])
      guard startsWord, index + 1 < bytes.count, !isSpace(bytes[index + 1]) else { continue }
      let line = bytes[..<index].count { $0 == UInt8(ascii: "\n") } + 1
      throw Problem(
        .badConfiguration, "YAML anchors are not accepted — expected no word that begins with & (\(name), line \(line))"
      )
    }
  }

  private static func collect(
    _ mapping: Node.Mapping, prefix: String, name: String, into values: inout [Configuration.Override]
  ) throws(Problem) {
    for (keyNode, node) in mapping {
      let origin = keyNode.mark.map { "\(name), line \($0.line)" } ?? name
      guard case .scalar(let keyScalar) = keyNode else {
        throw Problem(.badConfiguration, "key is not a name — expected a name, got \(kind(keyNode)) (\(origin))")
      }
      let key = prefix + keyScalar.string
      let isSection = ConfigurationKey.isSection(key)
      switch node {
      case .mapping(let inner) where isSection: try collect(inner, prefix: key + ".", name: name, into: &values)
      case .scalar where isSection && isNull(node): continue  // a section whose keys are all commented out
      case .scalar(let scalar) where !isNull(node):
        let isQuoted = scalar.style != .plain && scalar.style != .any
        values.append(.init(key: key, scalar: Scalar(text: scalar.string, isQuoted: isQuoted), origin: origin))
      default:
        let known = try ConfigurationKey.named(key, value: kind(node), origin: origin)
        throw Problem(
          .badConfiguration,
          "impossible value of \(known.name) — expected \(known.expected), got \(kind(node)) (\(origin))")
      }
    }
  }

  private static func isNull(_ node: Node) -> Bool {
    guard case .scalar(let scalar) = node, scalar.style == .plain || scalar.style == .any else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
  }

  private static func kind(_ node: Node) -> String {
    switch node {
    case .scalar(let scalar): isNull(node) ? "nothing" : scalar.string
    case .mapping: "a mapping"
    case .sequence: "a list"
    case .alias: "an alias"
    }
  }

  /// The parser's own words, on one line and with the place.
  private static func malformed(_ error: any Error, name: String) -> Problem {
    let problem =
      switch error as? YamlError {
      case .scanner(_, let problem, let mark, _)?, .parser(_, let problem, let mark, _)?,
        .composer(_, let problem, let mark, _)?:
        "\"\(problem)\" at line \(mark.line)"
      case .reader(let problem, _, _, _)?: "\"\(problem)\""
      case .duplicatedKeysInMapping(let keys, let context)?:
        "the key \(keys.joined(separator: ", ")) twice at line \(context.mark.line)"
      default: "\(error)"
      }
    return Problem(.badConfiguration, "configuration is malformed — expected YAML, got \(problem) (\(name))")
  }
}

extension UInt8 {
  /// An ASCII letter as a lower-case character; other bytes as themselves.
  fileprivate var lower: Character { Character(Unicode.Scalar((65...90).contains(self) ? self + 32 : self)) }
}
