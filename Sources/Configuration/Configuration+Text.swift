import Problems

extension Configuration {
  /// The whole configuration as YAML, every key with its value, the same text for the same configuration. It reads
  /// back to an equal one.
  package var yaml: String {
    var text = "# The resolved configuration of a run: every key with the value that it has.\n"
    var section = ""
    for key in ConfigurationKey.all {
      let parts = key.name.split(separator: ".")
      if parts.count == 2 && parts[0] != section {
        section = String(parts[0])
        text += "\(section):\n"
      }
      text += "\(parts.count == 2 ? "  " : "")\(parts[parts.count - 1]): \(key.text(self))\n"
    }
    return text
  }

  /// Every key with its value as it stands in `yaml`, in the order of the table.
  package var values: [(key: String, value: String)] { ConfigurationKey.all.map { ($0.name, $0.text(self)) } }

  /// Every key with its value as what it is, in the order of the table.
  package var typedValues: [(key: String, value: KeyValue)] { ConfigurationKey.all.map { ($0.name, $0.value(self)) } }

  /// The value of a key as it stands in `yaml`; nil for an unknown key.
  package func text(ofKey name: String) -> String? { ConfigurationKey.all.first { $0.name == name }?.text(self) }

  // MARK: Reference

  /// The names of all keys with their usual values, a line each.
  package static var overview: String {
    let width = ConfigurationKey.all.map(\.name.count).max() ?? 0
    return ConfigurationKey.all.map { key in
      let space = String(repeating: " ", count: width - key.name.count)
      return "\(key.name)\(space)  \(key.defaultText)\n"
    }.joined()
  }

  /// Values, default and meaning of a key, or of the keys of a section. An unknown name is an error that says the nearest
  /// one.
  package static func reference(of name: String) throws(Problem) -> String {
    let keys = ConfigurationKey.all.filter { $0.name == name || $0.name.hasPrefix(name + ".") }
    if keys.isEmpty { _ = try ConfigurationKey.named(name, value: "", origin: "config") }
    return keys.map { key in
      "\(key.name): \(key.expected)\n  default: \(key.defaultText)\n  \(key.meaning)\n"
        + (key.details.isEmpty ? "" : "  \(key.details)\n")
    }.joined()
  }

  /// The key that somebody means who writes an option such as `--hidden`, `--learning-rate` or `--lr`: its name, the last
  /// part of it, or the initials of that. Nil where it is none, or several.
  package static func key(meantBy option: String) -> String? {
    func plain(_ text: some StringProtocol) -> String { text.lowercased().filter { $0 != "-" && $0 != "_" } }
    let written = plain(option)
    let whole = ConfigurationKey.all.filter { plain($0.name) == written }
    let found =
      whole.isEmpty
      ? ConfigurationKey.all.filter { key in
        let last = key.name.split(separator: ".").last ?? ""
        let initials = last.prefix(1) + last.filter(\.isUppercase).lowercased()
        return plain(last) == written || initials.count > 1 && initials == written
      } : whole
    return found.count == 1 ? found[0].name : nil
  }
}
