import Problems

extension Configuration {
  /// Throws unless the values fit each other. `origins`: where each key that the user gave was given.
  func checkTogether(_ origins: [String: String]) throws(Problem) {
    let fail = Refusal(configuration: self, origins: origins)
    try checkPresent(fail)
    try checkTokens(fail)
    try checkHeldOut(fail)
    guard batch.steps >= 1 || task.knowsLengths else {
      throw fail("batch.steps", "at least 1 with task \(task.rawValue)")
    }
    guard !model.bidirectional || training.recompute == .off else {
      throw fail(
        "training.recompute", "off with model.bidirectional",
        hint: "the way back begins at the ends of sequences, so all of a window is in memory")
    }
    guard batch.jitter == 0 || training.recompute == .off else {
      throw fail("training.recompute", "off with batch.jitter")
    }
    guard batch.jitter <= batch.steps else { throw fail("batch.jitter", "at most batch.steps, here \(batch.steps)") }
    guard !paranoid || verify.every > 0 else {
      throw fail("verify.every", "at least 1 with paranoid", hint: "ranks check each other every verify.every updates")
    }
    try checkTask(fail)
    try checkUpdate(fail)
    try checkSchedule(fail)
    try checkDecisions(fail)
  }

  /// What the task needs is there, and what is for another one is not.
  private func checkPresent(_ fail: Refusal) throws(Problem) {
    if !task.isGenerated && data.path.isEmpty {
      throw fail(
        "data.path", "the path of \(task.pathContents)",
        hint: "give one with \(task == .languageModel ? "--text FILE or " : "")--set data.path=FILE")
    }
    for key in ConfigurationKey.all {
      guard let scope = key.scope, !scope.contains(self) else { continue }
      var untouched = self
      _ = key.write(Scalar(text: key.usual(self)), &untouched)
      if untouched != self {
        throw fail(
          key.name, "\(key.text(untouched)) with \(scope.present(self))", hint: "\(key.name) is for \(scope.words)")
      }
    }
  }

  private func checkTokens(_ fail: Refusal) throws(Problem) {
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
    guard model.vectors.isEmpty || data.tokens == .words else {
      throw fail("model.vectors", "none with data.tokens \(data.tokens.rawValue)", hint: "they are vectors of words")
    }
  }

  /// Sequences are held out in one way, or in none.
  private func checkHeldOut(_ fail: Refusal) throws(Problem) {
    let folds = data.folds > 0
    guard data.folds != 1 else { throw fail("data.folds", "0, or at least 2") }
    guard data.fold < max(1, data.folds) else {
      throw fail("data.fold", folds ? "0 to \(data.folds - 1)" : "0 without data.folds")
    }
    guard data.heldOut.isEmpty || !folds else {
      throw fail("data.folds", "0 with data.heldOut", hint: "sequences are held out by name or by folds, not both")
    }
    guard data.validation == .none || !data.holdsOutOtherwise else {
      throw fail(
        "data.validation", "0 with \(folds ? "data.folds" : "data.heldOut")",
        hint: "sequences are held out in one way")
    }
  }

  private func checkTask(_ fail: Refusal) throws(Problem) {
    guard task != .temporalOrder || data.relevantSymbols >= 2 else { throw fail("data.relevantSymbols", "2 or 3") }
    guard !(task.isGenerated && task.knowsLengths || task == .pianoRoll) || batch.steps == 0 else {
      throw fail("batch.steps", "0 with task \(task.rawValue)", hint: "its sequences are as long as they are")
    }
    if task == .copy {
      guard data.symbols >= 2 else { throw fail("data.symbols", "at least 2") }
      guard (data.variant == .c) == (data.shortest > 0) else {
        throw fail(
          "data.shortest", "\(data.variant == .c ? "at least 1" : "0") with data.variant \(data.variant.rawValue)")
      }
    }
    guard let cutoffs = model.cutoffs else {
      throw fail("model.adaptiveSoftmax", "ascending integers from 1 with commas between them")
    }
    if model.tied {
      guard model.embedding == model.hidden else {
        throw fail("model.embedding", "model.hidden, \(model.hidden), with model.tied")
      }
      guard model.adaptiveFactor == 1 else {
        throw fail("model.adaptiveFactor", "1 with model.tied")
      }
    }
    guard !cutoffs.isEmpty || model.tied || model.adaptiveFactor == 4 else {
      throw fail("model.adaptiveFactor", "4 without model.adaptiveSoftmax")
    }
    guard !data.lineEnds || data.tokens == .words else {
      throw fail("data.lineEnds", "false but with data.tokens words")
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
}

/// Makes the error that refuses a value for the sake of others.
struct Refusal {
  let configuration: Configuration
  let origins: [String: String]

  func callAsFunction(_ name: String, _ expected: String, hint: String? = nil) -> Problem {
    let key = ConfigurationKey.all.first { $0.name == name }!
    return Problem(
      .badConfiguration,
      "impossible value of \(name) — expected \(expected), got \(key.text(configuration)) "
        + "(\(origins[name] ?? "default"))", hint: hint)
  }
}
