import ExactMath

/// Pieces that mean something to one of the readers.
private let pieces: [[UInt8]] =
  [
    "{", "}", "[", "]", "\"", ":", ",", "-", "\\u", "\\ud800", "99999999999999999999", "1e9", "null", "[[[[", "\"\"",
    "\n",
    "\r", "\r\n", "\t", "@data", "@", "#", "?", "NA", "nan", "1e999", "true", " ", "data", "fmt ", "=", "*", "{class}",
    "&a",
    "*a", "- ", "? ", "!!str ", "|\n", "'", "<<: ", "%", "0", "-1", "\u{1B}[31m", "\u{2028}", "é",
  ]
  .map { Array($0.utf8) } + [
    [0], [0xFF], [0xFF, 0xFF, 0xFF, 0xFF], [0xEF, 0xBB, 0xBF], [0x80], [0, 0, 0, 0x80], [0xED, 0xA0, 0x80],
  ]

/// `original` with one to eight changes; half of them within its first 120 bytes, where headers are.
func mutated(_ original: [UInt8], _ draws: inout PhiloxSequence) -> [UInt8] {
  var bytes = original
  for _ in 0...draws.below(8) {
    let end = draws.below(2) == 0 ? min(120, bytes.count) : bytes.count
    let start = draws.below(end + 1)
    let piece = pieces[draws.below(pieces.count)]
    switch draws.below(8) {
    case 0: bytes.insert(contentsOf: piece, at: start)
    case 1: bytes.removeSubrange(start..<min(start + 1 + draws.below(8), bytes.count))
    case 2: bytes.replaceSubrange(start..<min(start + piece.count, bytes.count), with: piece)
    case 3 where start < bytes.count: bytes[start] = UInt8(truncatingIfNeeded: draws.next())
    case 4 where start < bytes.count: bytes[start] ^= 1 << UInt8(draws.below(8))
    case 5: bytes.insert(contentsOf: bytes[start..<min(start + 20, bytes.count)], at: start)
    case 6 where start < bytes.count && (48..<58).contains(bytes[start]): bytes[start] = UInt8(48 + draws.below(10))
    default: if draws.below(8) == 0 { bytes.removeSubrange(start...) }
    }
  }
  return bytes
}
