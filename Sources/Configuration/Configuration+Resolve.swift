extension Configuration {
  /// A value that the user gave, and from where: a line of a file, `--set`, or a flag.
  public struct Override: Sendable, Equatable {
    let key: String
    let scalar: Scalar
    let origin: String

    /// The value of a flag, such as `--steps` for `training.steps`.
    public init(key: String, value: String, origin: String) {
      self.init(key: key, scalar: Scalar(text: value), origin: origin)
    }

    /// The argument of `--set`, such as `model.hidden=256`. All behind the first `=` is the value.
    public init(set argument: String) throws(ConfigurationError) {
      guard let sign = argument.firstIndex(of: "="), sign != argument.startIndex else {
        throw ConfigurationError(
          "setting without a key or value — expected key=value, got \(argument) (--set)",
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
  public static func load(
    file: String? = nil, overrides: [Override] = []
  ) throws(ConfigurationError) -> Configuration {
    var given: [Override] = []
    if let file { given = try YAMLFile.values(in: YAMLFile.read(file), name: file) }
    return try resolve(given + overrides)
  }

  /// The configuration of a YAML text, `name` being what an error calls it, and of overrides.
  public init(yaml: String, name: String, overrides: [Override] = []) throws(ConfigurationError) {
    self = try .resolve(YAMLFile.values(in: yaml, name: name) + overrides)
  }

  /// Values are written first, so that a default can follow from any of them; then defaults, in the table's order.
  private static func resolve(_ given: [Override]) throws(ConfigurationError) -> Configuration {
    var configuration = Configuration.unresolved
    var origins: [String: String] = [:]
    for value in given {
      let key = try ConfigurationKey.named(value.key, value: value.scalar.text, origin: value.origin)
      // A mark of byte order at the start of a text does not come back from a saved configuration.
      guard value.scalar.text.unicodeScalars.first != "\u{FEFF}", key.write(value.scalar, &configuration) else {
        let got = value.scalar.isQuoted ? YAMLText.quoted(value.scalar.text) : value.scalar.text
        throw ConfigurationError(
          "impossible value of \(key.name) — expected \(key.expected), got \(got.isEmpty ? "nothing" : got) "
            + "(\(value.origin))")
      }
      origins[key.name] = value.origin
    }
    for key in ConfigurationKey.all where origins[key.name] == nil {
      let text = key.fallback.value(configuration)
      precondition(key.write(Scalar(text: text), &configuration), "the default of \(key.name) must be possible")
    }
    try configuration.checkTogether(origins)
    return configuration
  }

  // MARK: Values that must fit each other

  private func checkTogether(_ origins: [String: String]) throws(ConfigurationError) {
    func fail(_ name: String, _ expected: String, hint: String? = nil) -> ConfigurationError {
      let key = ConfigurationKey.all.first { $0.name == name }!
      return ConfigurationError(
        "impossible value of \(name) — expected \(expected), got \(key.text(self)) (\(origins[name] ?? "default"))",
        hint: hint)
    }
    if !task.isGenerated && data.path.isEmpty {
      throw fail(
        "data.path", task == .languageModel ? "the path of a text" : "the path of labelled sequences",
        hint: "give one with \(task == .languageModel ? "--text FILE or " : "")--set data.path=FILE")
    }
    for key in ConfigurationKey.all {
      guard let scope = key.scope, !scope.contains(self) else { continue }
      var untouched = self
      _ = key.write(Scalar(text: key.fallback.value(self)), &untouched)
      if untouched != self {
        throw fail(
          key.name, "\(key.text(untouched)) with \(scope.present(self))", hint: "\(key.name) is for \(scope.words)")
      }
    }
    guard task.sources.contains(data.source) else {
      throw fail(
        "data.source", task.sources.map(\.rawValue).joined(separator: " or ") + " with task \(task.rawValue)")
    }
    guard task.tokens(of: data.source).contains(data.tokens) else {
      throw fail(
        "data.tokens",
        task.tokens(of: data.source).map(\.rawValue).joined(separator: " or ")
          + (data.source.isNumeric ? " with data.source \(data.source.rawValue)" : " with task \(task.rawValue)"))
    }
    let countsEntries = data.tokens == .characters || data.tokens == .words
    guard data.vocabulary == 0 || (countsEntries && data.vocabulary >= 2) else {
      throw fail("data.vocabulary", countsEntries ? "0, or at least 2 entries" : "0 with \(data.tokens.rawValue)")
    }
    try checkHeldOut { fail($0, $1, hint: $2) }
    guard batch.steps >= 1 || task.knowsLengths else {
      throw fail("batch.steps", "at least 1 with task \(task.rawValue)")
    }
    guard !paranoid || verify.every > 0 else {
      throw fail("verify.every", "at least 1 with paranoid", hint: "ranks check each other every verify.every updates")
    }
    guard task != .temporalOrder || data.relevantSymbols >= 2 else { throw fail("data.relevantSymbols", "2 or 3") }
    guard !task.isGenerated || !task.knowsLengths || batch.steps == 0 else {
      throw fail("batch.steps", "0 with task \(task.rawValue)", hint: "its sequences are as long as they are")
    }
    guard task != .forecasting || data.horizon >= 1 else { throw fail("data.horizon", "at least 1") }
    if case .file = data.validation, task == .forecasting {
      throw fail("data.validation", "a fraction with task forecasting")
    }
    if task == .reber {
      guard data.trainingStrings >= 1 else { throw fail("data.trainingStrings", "at least 1") }
      guard batch.steps >= 8 else { throw fail("batch.steps", "at least 8, as the shortest string has 9 symbols") }
    }
  }

  /// Sequences are held out in one way, or in none.
  private func checkHeldOut(
    _ fail: (_ name: String, _ expected: String, _ hint: String?) -> ConfigurationError
  ) throws(ConfigurationError) {
    let folds = data.folds > 0
    guard data.folds != 1 else { throw fail("data.folds", "0, or at least 2", nil) }
    guard data.fold < max(1, data.folds) else {
      throw fail("data.fold", folds ? "0 to \(data.folds - 1)" : "0 without data.folds", nil)
    }
    guard data.heldOut.isEmpty || !folds else {
      throw fail("data.folds", "0 with data.heldOut", "sequences are held out by name or by folds, not both")
    }
    guard data.validation == .none || !data.holdsOutOtherwise else {
      throw fail(
        "data.validation", "0 with \(folds ? "data.folds" : "data.heldOut")", "sequences are held out in one way")
    }
  }
}
