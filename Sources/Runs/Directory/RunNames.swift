import Files

/// The names in a run directory, each in this place alone. FORMAT.md says what they lead to.
package enum RunNames {
  // MARK: The run

  static let identity = "run.json"
  package static let configuration = "config.yaml"
  static let metrics = "metrics.jsonl"
  package static let heartbeat = "heartbeat"
  /// Made by the user.
  static let stop = "stop"
  static let checkpoints = "checkpoints"
  static let dumps = "dumps"

  // MARK: A checkpoint or dump

  package static let manifest = "manifest.json"
  package static let model = "model.safetensors"
  package static let optimizer = "optimizer.safetensors"
  package static let state = "state.safetensors"
  /// Of a dump.
  package static let batch = "batch.safetensors"

  private static let stepPrefix = "step-"

  /// `step-00001200`
  package static func step(_ step: Int) -> String {
    let digits = String(step)
    return stepPrefix + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
  }

  /// The step of such a name; nil where the name is none.
  package static func step(of name: String) -> Int? {
    guard name.hasPrefix(stepPrefix), let step = Int(name.dropFirst(stepPrefix.count)), step >= 0 else { return nil }
    return self.step(step) == name ? step : nil
  }

  // MARK: Work in progress

  private static let replacedPrefix = ".replaced-"

  /// The name of a checkpoint that stands aside until another one of its step is complete.
  static func replaced(_ name: String) -> String { replacedPrefix + name }

  /// The name that such a one had; nil where it is none.
  static func original(ofReplaced name: String) -> String? {
    name.hasPrefix(replacedPrefix) ? String(name.dropFirst(replacedPrefix.count)) : nil
  }

  /// The name of a superseded checkpoint that is being removed.
  static func removed(_ name: String) -> String { partialPrefix + "removed-" + name }
}
