import Problems

/// A command to be pasted into a shell.
struct ShellCommand {
  /// The program and its arguments.
  let words: [String]

  init(_ words: [String]) { self.words = words }

  /// The command as one line for bash or zsh.
  var line: String { words.map(ShellCommand.quoted).joined(separator: " ") }

  /// A path as an argument that no command takes for an option.
  static func path(_ path: String) -> String { path.hasPrefix("-") ? "./" + path : path }

  /// A word as a shell reads it: plain where no character has a meaning of its own.
  private static func quoted(_ word: String) -> String {
    let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./=,:@%+".unicodeScalars)
    if !word.isEmpty, word.first != "=", word.unicodeScalars.allSatisfy(plain.contains) { return word }
    guard word.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
      return "'" + word.replacing("'", with: "'\\''") + "'"
    }
    let escaped = word.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "'"), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7F: String(UnicodeScalar(byte))
      default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }
    }
    return "$'" + escaped.joined() + "'"
  }
}
