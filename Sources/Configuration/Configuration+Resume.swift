import Problems

/// What may differ where a run goes on, or steps of it are computed again.
extension Configuration {
  /// A key with different values in two configurations.
  package struct Difference: Sendable, Equatable {
    /// The dotted name.
    package let key: String
    /// The value here.
    package let value: String
    /// The value in the other configuration.
    package let other: String
    /// True where a resumed run may change it.
    package let mayChangeOnResume: Bool
  }

  /// The keys whose values differ from another configuration's, in the order of the table.
  package func differences(from other: Configuration) -> [Difference] {
    ConfigurationKey.all.compactMap { key in
      let (ours, theirs) = (key.text(self), key.text(other))
      // Byte for byte: Swift's == takes é in one scalar or two for the same, and file systems do not.
      if ours.utf8.elementsEqual(theirs.utf8) { return nil }
      return Difference(key: key.name, value: ours, other: theirs, mayChangeOnResume: key.mayChangeOnResume)
    }
  }

  /// Where the data lie. What they are, a checkpoint knows.
  package static let places = ["data.path", "data.validation", "model.vectors"]

  /// The same with other paths of the data.
  package func mappingPlaces<Failure>(
    _ transform: (_ path: String) throws(Failure) -> String
  ) throws(Failure) -> Configuration {
    var configuration = self
    if !data.path.isEmpty { configuration.data.path = try transform(data.path) }
    if !model.vectors.isEmpty { configuration.model.vectors = try transform(model.vectors) }
    if case .file(let path) = data.validation { configuration.data.validation = .file(try transform(path)) }
    return configuration
  }

  /// Throws, with the first key that differs, unless a run that was started with `stored` can go on with this
  /// configuration, as far as that does not depend on its newest checkpoint: `checkPlaces` and `checkSchedule` say the
  /// rest.
  package func checkResume(of stored: Configuration, run: String) throws(Problem) {
    let isFileTwice = if case (.file, .file) = (data.validation, stored.data.validation) { true } else { false }
    let later = ["data.path", "model.vectors", "schedule.begin", "schedule.end"]
    let difference = differences(from: stored).first {
      !$0.mayChangeOnResume && !later.contains($0.key) && !($0.key == "data.validation" && isFileTwice)
    }
    if let difference { throw differs(difference, run: run) }
  }

  /// Throws where the data lie elsewhere than a run has stored. From a checkpoint, which knows its data by their
  /// content, only the vectors of words must be the same file, since a repetition of the run begins with them. Both
  /// configurations have absolute paths.
  package func checkPlaces(
    of stored: Configuration, hasCheckpoint: Bool, run: String
  ) throws(Problem) {
    let keys = hasCheckpoint ? ["model.vectors"] : Configuration.places
    if let difference = differences(from: stored).first(where: { keys.contains($0.key) }) {
      throw differs(difference, run: run)
    }
  }

  /// Throws unless the updates that are done, `step` of them, had this schedule, or it begins behind them. `written` is
  /// the configuration with which the newest checkpoint was written or the run was begun, nil for a new run.
  package func checkSchedule(after step: Int, of written: Configuration?, run: String) throws(Problem) {
    let isSame = written.map { $0.schedule.begin == schedule.begin && $0.schedule.end == schedule.end } ?? true
    guard isSame ? schedule.begin > step : schedule.begin != step else { return }
    let hint =
      step == 0
      ? nil
      : "a run goes on along a new cosine with --set schedule.begin=\(step) --set schedule.end=STEP"
    if let written, schedule.begin == written.schedule.begin,
      let end = differences(from: written).first(where: { $0.key == "schedule.end" })
    {
      throw differs(end, run: run, hint: hint)
    }
    throw Problem(
      .badConfiguration,
      "schedule.begin is not where the run goes on — expected \(step), got \(schedule.begin) (\(run))", hint: hint)
  }

  private func differs(_ difference: Difference, run: String, hint: String? = nil) -> Problem {
    Problem(
      .badConfiguration,
      "\(difference.key) differs from the run that would be resumed — expected \(difference.other), got "
        + "\(difference.value) (\(run))",
      hint: hint
        ?? "give the value that the run was started with, another --run, or --fresh to begin anew (the old run is "
        + "moved aside, not deleted)")
  }

  /// Throws, with the first key that differs, unless steps that were trained with `stored` can be computed again with
  /// this configuration. What a resume may change may differ, and where the data lie; what they are is not said here.
  package func checkRepetition(of stored: Configuration, run: String) throws(Problem) {
    let difference = differences(from: stored).first {
      !$0.mayChangeOnResume && !Configuration.places.contains($0.key)
    }
    guard let difference else { return }
    throw Problem(
      .badConfiguration,
      "\(difference.key) differs from the run to be verified — expected \(difference.other), got \(difference.value) "
        + "(\(run))",
      hint:
        "only \(Configuration.places.joined(separator: ", ")), where the data lie, and what a resume may change can "
        + "differ")
  }

  /// The first key that differs from another configuration's and may not within one run: not one that a resume may
  /// change, nor where the data lie, nor where a new cosine begins and ends.
  package func difference(withinRun other: Configuration) -> Difference? {
    let free = Configuration.places + ["schedule.begin", "schedule.end"]
    return differences(from: other).first { !$0.mayChangeOnResume && !free.contains($0.key) }
  }

  /// Throws unless all updates after the first `step` had this schedule.
  package func checkRepetition(after step: Int, run: String) throws(Problem) {
    guard schedule.begin > step else { return }
    throw Problem(
      .badConfiguration,
      "steps to be verified had another schedule — expected steps after schedule.begin, \(schedule.begin), got steps "
        + "after \(step) (\(run))", hint: "begin with --from \(schedule.begin) or a later checkpoint")
  }
}
