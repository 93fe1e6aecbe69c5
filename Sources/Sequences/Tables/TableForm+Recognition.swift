import Files
import Problems

extension TableForm {
  /// Lines that are looked at to recognise a separator.
  private static let sample = 50

  /// What stands between the fields of a table, and where its first line begins. Said with `separator`; or by a line
  /// `sep=;` as Excel reads it; or the separator that the name of the file promises, where the first lines have the same
  /// number of fields by it; or else the only one by which they have. Another one than promised is told.
  /// - Parameter beginning: Behind a byte order mark.
  func recognised(
    _ bytes: UnsafeBufferPointer<UInt8>, from beginning: Int, name: String, _ account: DataAccount
  ) -> (separator: Separator, place: Int, line: Int) {
    let promised = TableForm.separator(ofName: name) ?? .comma
    if let (said, place) = TableForm.separatorLine(bytes, from: beginning) {
      account.remark(
        "line \"sep=\" is passed over: it says that \(said.name) stand between fields", at: "\(name), line 1")
      return (separator ?? said, place, 2)
    }
    if let separator { return (separator, beginning, 1) }
    let sample = TableForm.firstLines(bytes, from: beginning)
    let widths = Dictionary(
      uniqueKeysWithValues: Separator.allCases.map { ($0, TableForm.width(sample, $0, comment)) })
    let fitting = Separator.allCases.filter { (widths[$0] ?? nil).map { $0 >= 2 } == true }
    if fitting.isEmpty || fitting.contains(promised) { return (promised, beginning, 1) }
    // Blanks may stand within fields: they separate only where nothing else does.
    guard let only = fitting.count == 1 ? fitting[0] : fitting.filter({ $0 != .blanks }).only else {
      return (promised, beginning, 1)
    }
    account.remark("\(only.name) stand between the fields", at: name)
    return (only, beginning, 1)
  }

  /// A line `sep=` and one character at the beginning.
  private static func separatorLine(
    _ bytes: UnsafeBufferPointer<UInt8>, from beginning: Int
  ) -> (Separator, place: Int)? {
    let mark = Array("sep=".utf8)
    guard bytes.count > beginning + 5, bytes[beginning..<beginning + 4].elementsEqual(mark),
      let said = Separator.allCases.first(where: { $0.byte == bytes[beginning + 4] })
    else { return nil }
    var place = beginning + 5
    if bytes[place] == UInt8(ascii: "\r") { place += 1 }
    guard place < bytes.count, bytes[place] == UInt8(ascii: "\n") else { return nil }
    return (said, place + 1)
  }

  /// The first whole lines; a table shorter than that is all of them.
  private static func firstLines(_ bytes: UnsafeBufferPointer<UInt8>, from beginning: Int) -> UnsafeBufferPointer<UInt8>
  {
    var (end, lines) = (beginning, 0)
    while end < bytes.count, lines < sample {
      if bytes[end] == UInt8(ascii: "\n") { lines += 1 }
      end += 1
    }
    return UnsafeBufferPointer(rebasing: bytes[beginning..<end])
  }

  /// The fields that all records have by a separator; nil where they differ. Comments do not count, nor does a record
  /// within quotes that the sample cuts off.
  static func width(
    _ sample: UnsafeBufferPointer<UInt8>, _ separator: Separator, _ comment: String = ""
  ) -> Int? {
    var scanner = TableScanner(sample, separator: separator, name: "")
    scanner.comment = Array(comment.utf8)
    var (fields, width): ([TableScanner.Field], Int?) = ([], nil)
    while true {
      do {
        guard try scanner.record(&fields) != nil else { return width }
      } catch {
        return scanner.place == sample.count ? width : nil
      }
      if let first = fields.first, first.start < sample.count, sample[first.start] == UInt8(ascii: "#") { continue }
      guard fields.count == width ?? fields.count else { return nil }
      width = fields.count
    }
  }
}

extension Array {
  /// The element of an array of one.
  fileprivate var only: Element? { count == 1 ? self[0] : nil }
}
