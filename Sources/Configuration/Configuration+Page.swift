extension Configuration {
  /// All keys as a table in Markdown, with all that is to be said of them.
  package static var table: String {
    "| key | values | default | meaning |\n|---|---|---|---|\n"
      + ConfigurationKey.all.map { key in
        let meaning = [markdown(key.meaning), key.details].filter { !$0.isEmpty }.joined(separator: " ")
        return "| `\(key.name)` | \(markdown(key.expected)) | \(markdown(key.defaultText)) | \(meaning) |\n"
      }.joined()
  }

  /// A text for people with names of keys, and words that Markdown would take for its own signs, marked as code.
  private static func markdown(_ text: String) -> String {
    text.split(separator: " ", omittingEmptySubsequences: false).map { word in
      let start = word.firstIndex { $0 != "(" } ?? word.endIndex
      let core = word[start...]
      let end = core.lastIndex { !".,;:)".contains($0) }.map(core.index(after:)) ?? start
      let name = core[..<end]
      let isKey = name.contains(".") && ConfigurationKey.all.contains { $0.name == name }
      guard isKey || name.contains(where: { "*_{<|".contains($0) }) else { return String(word) }
      return "\(word[..<start])`\(name.replacing("|", with: "\\|"))`\(core[end...])"
    }.joined(separator: " ")
  }
}

extension ConfigurationKey {
  /// What it does, for what, and whether a resume may change it.
  var meaning: String {
    documentation + (scope.map { " For \($0.words) alone." } ?? "")
      + (mayChangeOnResume ? " A resumed run may change it." : "")
  }
}
