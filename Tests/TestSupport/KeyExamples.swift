import Configuration

/// A value of a key that is not its default, and settings under which it can be set: for tests of every key. They are
/// found by trying the examples of the key's type, so a new key needs no line here.
package struct KeyExample: Sendable {
  package let key: ConfigurationKey
  /// Without the key's own, as `--set` takes them. No data need be there.
  package let settings: [String]
  /// The key's own.
  package let setting: String

  /// One for each key that some settings allow to have another value, in the order of the keys.
  package static let all: [KeyExample] = ConfigurationKey.all.compactMap(KeyExample.init)

  private init?(_ key: ConfigurationKey) {
    for settings in Self.settings(for: key) {
      guard let usual = try? Configuration.resolved(settings) else { continue }
      for example in key.examples {
        let setting = "\(key.name)=\(example)"
        guard let other = try? Configuration.resolved(settings + [setting]) else { continue }
        guard zip(usual.values, other.values).first(where: { $0.value != $1.value })?.0.key == key.name else {
          continue
        }
        (self.key, self.settings, self.setting) = (key, settings, setting)
        return
      }
    }
    return nil
  }

  /// What may be needed: nothing, what the key's scope says, data, or another key.
  private static func settings(for key: ConfigurationKey) -> [[String]] {
    let scopes = (key.scope?.values ?? []).map { "\(key.scope!.key)=\($0)" }
    let classes = ["task=classification", "data.path=d", "data.validation=0"]
    let words = ["data.path=d", "data.tokens=words"]
    let everyStep = ["training.checkpointEvery=7"]
    return [[]] + scopes.map { [$0] } + scopes.map { [$0, "data.path=d"] } + [
      ["data.path=d"], words, classes, ["task=classification", "data.path=d.csv"],
      classes + ["data.files={class}/*.wav"], classes + ["data.folds=3"], ["model.embedding=32"],
      ["data.path=d", "model.adaptiveSoftmax=10,20"], ["optimizer.name=sgd", "optimizer.momentum=0.9"], everyStep,
      everyStep + ["checkpoint.interval=7m"],
    ]
  }
}

extension Configuration {
  /// From settings in the form of `--set`.
  package static func resolved(_ settings: [String]) throws -> Configuration {
    try load(overrides: settings.map { try Override(set: $0) })
  }
}
