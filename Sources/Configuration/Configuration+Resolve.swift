import Problems

extension Configuration {
  /// A value that the user gave, and from where: a line of a file, `--set`, or a flag.
  package struct Override: Sendable, Equatable {
    let key: String
    let scalar: Scalar
    let origin: String

    /// The value of a flag, such as `--steps` for `training.steps`.
    package init(key: String, value: String, origin: String) {
      self.init(key: key, scalar: Scalar(text: value), origin: origin)
    }

    /// The argument of `--set`, such as `model.hidden=256`. All behind the first `=` is the value.
    package init(set argument: String) throws(Problem) {
      guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex else {
        throw Problem(
          .badConfiguration, "setting without a key or value — expected key=value, got \(argument) (--set)",
          hint: "write it as --set model.hidden=256")
      }
      self.init(
        key: String(argument[..<sign]), scalar: Scalar(text: String(argument[argument.index(after: sign)...])),
        origin: "--set")
    }

    init(key: String, scalar: Scalar, origin: String) {
      (self.key, self.scalar, self.origin) = (key, scalar, origin)
    }
  }

  /// The configuration of a file, if any, and of overrides. What comes later wins: defaults, then the file, then the
  /// overrides in their order (`--set` before flags). Exit code 74 where the file cannot be read, 78 for all else.
  package static func load(
    file: String? = nil, overrides: [Override] = []
  ) throws(Problem) -> Configuration {
    try Given(file: file, overrides: overrides).resolved()
  }

  /// The configuration of a YAML text, `name` being what an error calls it, and of overrides.
  package init(yaml: String, name: String, overrides: [Override] = []) throws(Problem) {
    self = try .resolve(YAMLFile.values(in: yaml, name: name) + overrides)
  }

  /// Values are written first, so that a default can follow from any of them; then defaults, in the order of the keys.
  /// `check` comes before the values must fit each other.
  static func resolve(
    _ given: [Override], check: (Configuration) throws(Problem) -> Void = { _ in }
  ) throws(Problem) -> Configuration {
    var configuration = Configuration()
    var origins: [String: String] = [:]
    for value in given {
      let key = try ConfigurationKey.named(value.key, value: value.scalar.text, origin: value.origin)
      // A mark of byte order at the start of a text does not come back from a saved configuration.
      guard value.scalar.text.unicodeScalars.first != "\u{FEFF}", key.write(value.scalar, &configuration) else {
        let got = value.scalar.isQuoted ? YAMLText.quoted(value.scalar.text) : value.scalar.text
        throw Problem(
          .badConfiguration,
          "impossible value of \(key.name) — expected \(key.expected), got \(got.isEmpty ? "nothing" : got) "
            + "(\(value.origin))")
      }
      origins[key.name] = value.origin
    }
    for key in ConfigurationKey.all where origins[key.name] == nil {
      let text = key.usual(configuration)
      precondition(key.write(Scalar(text: text), &configuration), "the default of \(key.name) must be possible")
    }
    try check(configuration)
    try configuration.checkTogether(origins)
    return configuration
  }
}
