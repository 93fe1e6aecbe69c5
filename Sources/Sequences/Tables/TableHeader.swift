import Problems

/// The lines that name the columns of a table.
struct TableHeader {
  private let form: TableForm.Header

  init(_ form: TableForm.Header) { self.form = form }

  /// The names, after which the scanner stands before the first row.
  func read(_ scanner: inout TableScanner, _ account: DataAccount) throws(Problem) -> [String] {
    switch form {
    case .none:
      var ahead = scanner
      let first = try record(&ahead)
      return first.indices.map(String.init)
    case .lines(let count):
      var names = try record(&scanner)
      for _ in 1..<max(1, count) {
        let next = try record(&scanner)
        guard next.count == names.count else {
          throw .data(
            "ragged header — expected \(counted(names.count, "field")) on each of its \(count) lines, got "
              + "\(next.count) (\(scanner.name))", hint: "data.header says how many lines name the columns")
        }
        names = zip(names, next).map { $0.isEmpty ? $1 : $1.isEmpty ? $0 : "\($0) \($1)" }
      }
      return names
    case .recognised:
      let commented = try comments(&scanner, account)
      let names = if let commented { commented } else { try record(&scanner) }
      guard !names.allSatisfy({ NumberText.value($0) != nil }) else {
        throw .data(
          "numbers for names of columns — expected a first line with the names of the columns, got "
            + "\(listed(names.map(quoted))) (\(scanner.name))",
          hint:
            "data.header=none reads a table without names: its columns are called 0, 1, …; data.header=1 takes the first "
            + "line for names nevertheless")
      }
      return names
    }
  }

  private func record(_ scanner: inout TableScanner) throws(Problem) -> [String] {
    var fields: [TableScanner.Field] = []
    guard try scanner.record(&fields) != nil else {
      throw .data("table is empty — expected a line with the names of the columns, got none (\(scanner.name))")
    }
    return fields.map(scanner.text)
  }

  /// Passes over comments before the header. The last of them may be the header: where it has as many fields as the
  /// line below it, at least two, its names are returned.
  private func comments(_ scanner: inout TableScanner, _ account: DataAccount) throws(Problem) -> [String]? {
    let mark = UInt8(ascii: "#")
    var header: [String]?
    while scanner.place < scanner.bytes.count, scanner.bytes[scanner.place] == mark {
      let line = scanner.line
      var (ahead, behind) = (scanner, scanner)
      ahead.skip(mark)
      behind.skipLine()
      let isEmpty = ahead.isAtEndOfLine
      let (names, below) = (try? record(&ahead), behind)
      if !isEmpty, behind.place < behind.bytes.count, behind.bytes[behind.place] != mark, let names, names.count >= 2,
        try record(&behind).count == names.count, !names.allSatisfy({ NumberText.value($0) != nil })
      {
        account.remark("the names of the columns stand behind #", at: "\(scanner.name), line \(line)")
        header = names
      } else {
        account.remark("comment is passed over", at: "\(scanner.name), line \(line)")
      }
      scanner = below
    }
    return header
  }
}
