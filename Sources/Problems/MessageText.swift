/// Text of foreign origin, fit for one line of an error: in quotation marks, control characters escaped, cut where it is
/// longer than 60 characters.
package func quoted(_ text: String) -> String {
  let shown = text.unicodeScalars.prefix(60).map { scalar in
    // Terminals and editors break lines at these two.
    scalar == "\u{2028}" || scalar == "\u{2029}"
      ? "\\u{\(String(scalar.value, radix: 16))}" : scalar.escaped(asASCII: false)
  }
  return "\"\(shown.joined())\(text.unicodeScalars.count > 60 ? "…" : "")\""
}

/// Text as it is, and where its bytes are not UTF-8, those outside ASCII as `\xff`.
package func escaped(_ bytes: some Sequence<UInt8>) -> String {
  let bytes = Array(bytes)
  if let text = String(validating: bytes, as: UTF8.self) { return text }
  return bytes.map { 0x20 <= $0 && $0 < 0x7f ? String(UnicodeScalar($0)) : "\\x" + hexadecimal($0) }.joined()
}

/// Two lowercase hexadecimal digits.
package func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

/// Sixteen lowercase hexadecimal digits.
package func hexadecimal(_ word: UInt64) -> String {
  let digits = String(word, radix: 16)
  return String(repeating: "0", count: 16 - digits.count) + digits
}

/// `count` things in words: "1 byte", "2 bytes".
package func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

/// The first 20 names of a list.
package func listed(_ names: [String]) -> String {
  names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", … (\(names.count) in all)" : "")
}
