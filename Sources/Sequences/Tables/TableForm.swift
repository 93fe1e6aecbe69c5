import Problems

/// How a table in text form is written: what a user says of it, and nil for what is recognised.
package struct TableForm: Sendable, Equatable {
  /// What stands between fields.
  package enum Separator: String, Sendable, CaseIterable {
    case comma, semicolon, tab, bar
    /// Any number of blanks and tabs.
    case blanks

    /// Nil for blanks, of which several are one separator.
    var byte: UInt8? {
      switch self {
      case .comma: UInt8(ascii: ",")
      case .semicolon: UInt8(ascii: ";")
      case .tab: UInt8(ascii: "\t")
      case .bar: UInt8(ascii: "|")
      case .blanks: nil
      }
    }

    /// As it is called in a sentence.
    var name: String { self == .blanks ? rawValue : "\(rawValue)s" }
  }

  /// What stands between a number's whole part and its fraction.
  package enum Decimal: String, Sendable, CaseIterable { case point, comma }

  /// What stands between thousands of a number.
  package enum Thousands: String, Sendable, CaseIterable { case none, comma, point, blank, apostrophe }

  /// Which lines name the columns.
  package enum Header: Sendable, Equatable {
    /// The first; numbers alone are no names.
    case recognised
    /// None: columns are called 0, 1, …
    case none
    /// So many, whose fields are put together.
    case lines(Int)
  }

  package var separator: Separator?
  package var decimal: Decimal?
  package var thousands = Thousands.none
  package var header = Header.recognised
  /// What lines begin with that are no rows; "" for comments before the header alone, which begin with #.
  package var comment = ""
  /// Texts that stand for no value, besides nothing, NA and their kin.
  package var holes: [String] = []
  /// Rows at the end that are none of the data.
  package var footer = 0

  /// All is recognised.
  package init() {}

  /// All but what stands between fields is recognised.
  package init(separator: Separator?) { self.separator = separator }

  /// The separator that the name of a file promises: tabs for .tsv and .tab, commas for .csv, in any case.
  static func separator(ofName name: String) -> Separator? {
    let lower = name.lowercased()
    if lower.hasSuffix(".tsv") || lower.hasSuffix(".tab") { return .tab }
    return lower.hasSuffix(".csv") ? .comma : nil
  }
}
