import Problems

/// Names of columns with commas between them; one with a comma in it stands in double quotes, in which two quotes are one.
package enum ColumnList {
  /// The names; none of an empty list. A quote that is not closed, or text behind a closing one, is an error with exit
  /// code 78.
  package static func names(_ list: String) throws(Problem) -> [String] {
    if list.isEmpty { return [] }
    let bytes = Array(list.utf8)
    return try bytes.withUnsafeBufferPointer { (bytes) throws(Problem) in
      var scanner = TableScanner(bytes, separator: .comma, name: "data.columns")
      var fields: [TableScanner.Field] = []
      do throws(Problem) {
        _ = try scanner.record(&fields)
        return fields.map(scanner.text)
      } catch {
        throw .configuration(
          "impossible value of data.columns — expected names with commas between them, got \(quoted(list))",
          hint: "a name with commas or quotes in it stands in double quotes, and each quote in it is doubled")
      }
    }
  }
}
