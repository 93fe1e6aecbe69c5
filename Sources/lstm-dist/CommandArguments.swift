import MPI

/// What a command was called with, as ranks compare it: every rank of a job must do the same.
struct CommandArguments {
  /// The words of the command line behind the program's name.
  let words: [String]

  /// Those of this process.
  static let ofThisProcess = CommandArguments(words: Array(CommandLine.arguments.dropFirst()))

  /// The command's name alone.
  var command: [World.Claim] { [("the command", words.first ?? "")] }

  /// The command, and for each option what stands between it and the next one.
  var all: [World.Claim] {
    var values: [(name: String, value: [String])] = []
    for word in words.dropFirst() {
      if word.hasPrefix("--") {
        let parts = word.split(separator: "=", maxSplits: 1).map(String.init)
        values.append((parts[0], Array(parts.dropFirst())))
      } else if values.isEmpty {
        values.append(("the arguments", [word]))
      } else {
        values[values.count - 1].value.append(word)
      }
    }
    // Words as a shell reads them, so that no two lists of words have the same text.
    var claims = command
    for (name, value) in values {
      let text = value.isEmpty ? "given" : ShellCommand(value).line
      if let place = claims.firstIndex(where: { $0.name == name }) {
        claims[place].value += " \(name) \(text)"
      } else {
        claims.append((name, text))
      }
    }
    return claims
  }
}
