/// Which encoding bytes that are no UTF-8 text seem to have: a guess, for a hint alone.
package enum TextEncoding {
  /// UTF-16 or UTF-32, by a byte order mark, or by where bytes are 0: every second one, or three of four.
  package static func wide(_ beginning: some Collection<UInt8>) -> String? {
    let bytes = Array(beginning.prefix(FileKind.beginningBytes))
    if bytes.starts(with: [0xFF, 0xFE, 0, 0]) || bytes.starts(with: [0, 0, 0xFE, 0xFF]) { return "UTF-32" }
    if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) { return "UTF-16" }
    var zeros = [0, 0, 0, 0]
    for (place, byte) in bytes.enumerated() where byte == 0 { zeros[place % 4] += 1 }
    let (all, quarter) = (zeros.reduce(0, +), Double(bytes.count) / 4)
    guard bytes.count >= 4, all > 0 else { return nil }
    // Characters beyond ASCII have a byte more, those beyond U+FFFF a third.
    func isMostly(_ place: Int) -> Bool { Double(zeros[place]) >= 0.9 * quarter }
    if isMostly(2), isMostly(3), !isMostly(0) { return "UTF-32LE" }
    if isMostly(0), isMostly(1), !isMostly(3) { return "UTF-32BE" }
    func isUsual(_ places: [Int], _ share: Double) -> Bool {
      places.allSatisfy { Double(zeros[$0]) >= share * quarter }
        && Double(places.reduce(0) { $0 + zeros[$1] }) >= 0.95 * Double(all)
    }
    // Of texts outside of Latin only blanks and ends of lines have a zero.
    if isUsual([1, 3], 0.02) { return "UTF-16LE" }
    return isUsual([0, 2], 0.02) ? "UTF-16BE" : nil
  }

  /// How to make UTF-8 of text in an encoding of eight bits, or with damaged characters; `offset` is the first wrong byte.
  package static func remedy(_ beginning: some Collection<UInt8>, wrongAt offset: Int) -> String {
    let high = beginning.count { $0 >= 0x80 }
    if beginning.prefix(offset).contains(where: { $0 >= 0x80 }) {
      return "it is UTF-8 but for damaged characters: iconv -c -f UTF-8 -t UTF-8 FILE > NEW leaves them out"
    }
    // Of a text in Latin letters less than one in ten stands outside of ASCII.
    if high * 4 > beginning.count {
      return "convert it from its encoding, one of iconv -l: iconv -f ENCODING -t UTF-8 FILE > NEW"
    }
    return "if it was written on Windows or is Latin-1: iconv -f WINDOWS-1252 -t UTF-8 FILE > NEW"
  }
}
