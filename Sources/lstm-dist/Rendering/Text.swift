@preconcurrency import Glibc
import Launching

/// Prints a line on standard output. All that a command prints goes this way.
func printLine(_ line: String) { StandardOutput.print(line) }

/// Writes a line to stderr.
func printError(_ line: String) { fputs(line + "\n", stderr) }

/// Columns of text, each as wide as its widest cell; all but the first aligned to the right.
func table(_ header: [String], _ rows: [[String]]) -> String {
  let lines = [header] + rows
  let widths = header.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
  return lines.map { line in
    zip(line, widths).enumerated().map { column, cell in
      let space = String(repeating: " ", count: cell.1 - cell.0.count)
      return column == 0 ? cell.0 + space : space + cell.0
    }.joined(separator: "  ")
  }.joined(separator: "\n")
}

/// Text that may hold what a file or a user brought, as one line that does nothing to a terminal: control characters as
/// `\u{…}`, and its middle left out where it is longer than 2,000 characters.
func singleLine(_ text: String) -> String {
  var scalars = Array(text.unicodeScalars)
  if scalars.count > 2000 { scalars.replaceSubrange(1200..<scalars.count - 800, with: " … ".unicodeScalars) }
  return scalars.reduce(into: "") { line, scalar in
    let isControl = scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
    if isControl { line += "\\u{\(String(scalar.value, radix: 16))}" } else { line.unicodeScalars.append(scalar) }
  }
}
