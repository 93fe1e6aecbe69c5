import Problems

extension Configuration {
  /// What the user gave: the values of a file, if any, then overrides in their order. What comes later wins.
  package struct Given: Sendable {
    private let values: [Override]

    /// Exit code 74 where the file cannot be read, 78 where it is no configuration.
    package init(file: String? = nil, overrides: [Override] = []) throws(Problem) {
      let ofFile = if let file { try YAMLFile.values(in: YAMLFile.read(file), name: file) } else { [Override]() }
      values = ofFile + overrides
    }

    /// The value of a key as it was written; nil where it was not given.
    package func text(ofKey name: String) -> String? { values.last { $0.key == name }?.scalar.text }

    /// The configuration of a new run: defaults, then what was given.
    package func resolved() throws(Problem) -> Configuration { try .resolve(values) }

    /// The configuration with which a run goes on: the one that it stored as the YAML text `stored`, but for its time
    /// limit, which was that of a job; then what was given, which must be what `checkResume` lets differ.
    /// - Parameters:
    ///   - name: what an error calls the stored text.
    ///   - run: what an error calls the run.
    package func resolved(over stored: String, name: String, run: String) throws(Problem) -> Configuration {
      let before = try Configuration(yaml: stored, name: name)
      let kept = try YAMLFile.values(in: stored, name: name).filter { $0.key != "training.timeLimit" }
      return try .resolve(kept + values) {
        configuration throws(Problem) in try configuration.checkResume(of: before, run: run)
      }
    }
  }
}
