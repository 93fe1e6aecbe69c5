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

  /// The value of a key as it stands in `yaml`; nil for an unknown key.
  package func text(ofKey name: String) -> String? { ConfigurationKey.all.first { $0.name == name }?.text(self) }

  // MARK: Reference

  /// All keys with their values, defaults and meaning, for people.
  package static var reference: String {
    ConfigurationKey.all.map { key in
      "\(key.name): \(key.expected)\n  default: \(key.defaultText)\n  \(key.meaning)\n"
    }.joined()
  }
}
