import Problems

extension Configuration {
  /// The keys that say how files are written: other files may be written otherwise than those of a run.
  private static let readingKeys = [
    "data.separator", "data.header", "data.comment", "data.footer", "data.holes", "data.decimal", "data.thousands",
    "data.missing", "data.textColumn", "data.labelColumn", "data.wordColumn",
  ]

  /// The same for files that are written otherwise. Other keys than those of reading are errors with exit code 78.
  package func reading(_ overrides: [Override], name: String) throws(Problem) -> Configuration {
    for override in overrides where !Configuration.readingKeys.contains(override.key) {
      throw .configuration(
        "\(override.key) cannot be set here — expected one of \(Configuration.readingKeys.joined(separator: ", ")), got "
          + "\(override.key)", hint: "only how files are written may differ from the run's own")
    }
    return overrides.isEmpty ? self : try Configuration(yaml: yaml, name: name, overrides: overrides)
  }
}
