extension Configuration {
  /// The whole configuration as YAML, every key with its value, the same text for the same configuration. It reads
  /// back to an equal one.
  public var yaml: String {
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
  public var values: [(key: String, value: String)] { ConfigurationKey.all.map { ($0.name, $0.text(self)) } }

  /// The value of a key as it stands in `yaml`; nil for an unknown key.
  public func text(ofKey name: String) -> String? { ConfigurationKey.all.first { $0.name == name }?.text(self) }

  // MARK: Resuming

  /// A key with different values in two configurations.
  public struct Difference: Sendable, Equatable {
    /// The dotted name.
    public let key: String
    /// The value here.
    public let value: String
    /// The value in the other configuration.
    public let other: String
    /// True where a resumed run may change it.
    public let mayChangeOnResume: Bool
  }

  /// The keys whose values differ from another configuration's, in the order of the table.
  public func differences(from other: Configuration) -> [Difference] {
    ConfigurationKey.all.compactMap { key in
      let (ours, theirs) = (key.text(self), key.text(other))
      // Byte for byte: Swift's == takes é in one scalar or two for the same, and file systems do not.
      if ours.utf8.elementsEqual(theirs.utf8) { return nil }
      return Difference(key: key.name, value: ours, other: theirs, mayChangeOnResume: key.mayChangeOnResume)
    }
  }

  /// Throws, with the first key that differs, unless a run that was started with `stored` can go on with this
  /// configuration: only the length of the run and the distances between evaluations and checkpoints may differ.
  public func checkResume(of stored: Configuration, run: String) throws(ConfigurationError) {
    guard let difference = differences(from: stored).first(where: { !$0.mayChangeOnResume }) else { return }
    throw ConfigurationError(
      "\(difference.key) differs from the run that would be resumed — expected \(difference.other), got "
        + "\(difference.value) (\(run))",
      hint: "give the value that the run was started with, another --run, or --fresh to begin anew (the old run is "
        + "moved aside, not deleted)")
  }

  /// Throws, with the first key that differs, unless steps that were trained with `stored` can be computed again with
  /// this configuration. What a resume may change may differ, and where the data lie; what they are is not said here.
  public func checkRepetition(of stored: Configuration, run: String) throws(ConfigurationError) {
    guard let difference = difference(withinRun: stored) else { return }
    throw ConfigurationError(
      "\(difference.key) differs from the run to be verified — expected \(difference.other), got \(difference.value) "
        + "(\(run))",
      hint: "only data.path and data.validation, where the data lie, and what a resume may change can differ")
  }

  /// The first key that differs from another configuration's and may not within one run: not one that a resume may
  /// change, nor where the data lie.
  public func difference(withinRun other: Configuration) -> Difference? {
    let places = ["data.path", "data.validation"]
    return differences(from: other).first { !$0.mayChangeOnResume && !places.contains($0.key) }
  }

  // MARK: Reference

  /// All keys with their values, defaults and meaning, for people.
  public static var reference: String {
    ConfigurationKey.all.map { key in
      let only = key.scope.map { " For \($0.words) alone." } ?? ""
      let resume = key.mayChangeOnResume ? " A resumed run may change it." : ""
      return "\(key.name): \(key.expected)\n  default: \(key.defaultText)\n  \(key.documentation)\(only)\(resume)\n"
    }.joined()
  }
}
