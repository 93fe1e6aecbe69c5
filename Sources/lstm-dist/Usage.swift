import Configuration

/// What the argument parser does not do with the words of a command line.
enum Usage {
  /// The words with negative numbers joined to the option before them, of which they are the value: the parser takes
  /// them for options.
  static func withNegativeValues(_ words: [String]) -> [String] {
    var joined: [String] = []
    for word in words {
      if let option = joined.last, option.hasPrefix("--"), !option.contains("="), option != "--",
        word.wholeMatch(of: /-(\d|\.\d).*/) != nil
      {
        joined[joined.count - 1] = "\(option)=\(word)"
      } else {
        joined.append(word)
      }
    }
    return joined
  }

  /// An error of the parser, and what may have been meant: a key of the configuration that was written as an option, or
  /// a command.
  static func suggesting(_ message: String) -> String {
    var lines = message.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    if let found = lines[0].wholeMatch(of: /(Unknown option '--([^']+)').*/),
      let key = Configuration.key(meantBy: String(found.2))
    {
      lines[0] = "\(found.1). Did you mean '--set \(key)=…'?"
    }
    if let found = lines[0].wholeMatch(of: /Unexpected argument '([^']+)'/), lines.count > 1,
      lines[1].hasSuffix("<subcommand>"), let command = nearestCommand(to: String(found.1))
    {
      lines[0] += ". Did you mean '\(command)'?"
    }
    return lines.joined(separator: "\n")
  }

  /// The command whose name takes at most two edits.
  private static func nearestCommand(to word: String) -> String? {
    let names = LSTMDist.configuration.subcommands.map { $0._commandName }
    return names.map { (name: $0, edits: ConfigurationKey.edits(word, $0)) }
      .filter { $0.edits <= 2 }.min { $0.edits < $1.edits }?.name
  }
}
