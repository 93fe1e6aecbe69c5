import Files
import Problems

/// The newest valid checkpoint of a run, and the damaged ones that were passed over on the way to it.
package struct CheckpointSearch: Sendable {
  /// A checkpoint that cannot be used, and why.
  package struct Damaged: Sendable {
    /// Its directory.
    package let path: String
    /// What is wrong with it.
    package let error: Problem
  }

  /// The newest valid one, or of a search for the best that one; nil where there is none.
  package let newest: Checkpoint?
  /// Ones that would come first but are damaged.
  package let damaged: [Damaged]
}

extension RunDirectory {
  /// The steps that have a checkpoint, whole or not, ascending.
  package func checkpointSteps() throws -> [Int] {
    if try entry(checkpoints) == .absent { return [] }
    return try names(in: checkpoints).compactMap(RunNames.step(of:)).sorted()
  }

  /// What the manifest of a step's checkpoint says.
  package func manifest(step: Int) throws -> Manifest {
    try Manifest(checkpointPlace(step: step).at(RunNames.manifest))
  }

  /// The checkpoint of a step, whose manifest, lengths and SHA-256 are right, and which is of this run.
  package func checkpoint(step: Int) throws -> Checkpoint {
    let place = checkpointPlace(step: step)
    guard try entry(place) != .absent else {
      throw Problem(
        .inputOutput, "no such checkpoint", expected: "one of \(try checkpointSteps())", got: "step \(step)",
        at: "\(place)")
    }
    let checkpoint = try Checkpoint(verifying: place)
    try refuseForeign(checkpoint.manifest, at: place)
    guard checkpoint.manifest.step == step else {
      throw Problem(
        .badData, "manifest has another step than its directory", expected: "\(step)",
        got: "\(checkpoint.manifest.step)", at: "\(place)")
    }
    return checkpoint
  }

  /// Looks for the newest checkpoint whose manifest, lengths and SHA-256 are right. One of another run is an error.
  package func newestCheckpoint() throws -> CheckpointSearch {
    try refuseForeignParts()
    return try firstValid(checkpointSteps().reversed())
  }

  /// Looks for the valid checkpoint with the lowest validation loss, of those at whose step there was an evaluation; of
  /// equal ones the newest. One of another run is an error.
  package func bestCheckpoint() throws -> CheckpointSearch {
    try refuseForeignParts()
    var evaluated: [(step: Int, loss: Double)] = []
    var damaged: [CheckpointSearch.Damaged] = []
    for step in try checkpointSteps().reversed() {
      do {
        if let loss = try manifest(step: step).validationLoss { evaluated.append((step, loss)) }
      } catch let error as Problem {
        damaged.append(CheckpointSearch.Damaged(path: checkpointPath(step: step), error: error))
      }
    }
    evaluated.sort { ($0.loss, -$0.step) < ($1.loss, -$1.step) }
    return try firstValid(evaluated.map(\.step), damaged: damaged)
  }

  /// The evaluation with the lowest validation loss of all that `metrics.jsonl` has, the newest of equal ones, where it is
  /// lower than that of `checkpoint`: no checkpoint of it was kept, or none that is whole.
  package func betterEvaluation(than checkpoint: Manifest?) throws -> (step: Int, loss: Double)? {
    var best: (step: Int, loss: Double)?
    try MetricsLog.forEachRecord(metrics, events: [.evaluated], what: "record of an evaluation") { line, _, _ in
      let record = try EvaluatedRecord(line)
      if let loss = record.validationLoss, loss <= best?.loss ?? .infinity { best = (record.step, loss) }
    }
    guard let found = best, found.loss < checkpoint?.validationLoss ?? .infinity else { return nil }
    return found
  }

  private func firstValid(_ steps: [Int], damaged: [CheckpointSearch.Damaged] = []) throws -> CheckpointSearch {
    var damaged = damaged
    for step in steps {
      do {
        return CheckpointSearch(newest: try checkpoint(step: step), damaged: damaged)
      } catch let error as Problem {
        damaged.append(CheckpointSearch.Damaged(path: checkpointPath(step: step), error: error))
      }
    }
    return CheckpointSearch(newest: nil, damaged: damaged)
  }
}

/// What an argument RUN of a command leads to.
package struct ResolvedRun: Sendable {
  /// The run that it is of; nil where one checkpoint was named.
  package let run: RunDirectory?
  /// The checkpoint to use.
  package let checkpoint: Checkpoint
  /// Ones that would come first but are damaged; a command names them.
  package let damaged: [CheckpointSearch.Damaged]
  /// Where the best checkpoint was asked for: an evaluation with a lower validation loss, of which there is none.
  package let betterEvaluation: (step: Int, loss: Double)?

  /// Resolves a path that is a run directory (its newest valid checkpoint, or the best one) or one checkpoint (that
  /// one, or an error).
  package init(_ path: String, best: Bool = false) throws {
    switch try entry(Place(path)) {
    case .absent:
      throw Problem(.inputOutput, "no such run", expected: "a run or a checkpoint", got: "nothing", at: path)
    case .file:
      throw Problem(
        .inputOutput, "not a run", expected: "the directory of a run or a checkpoint", got: "a file", at: path)
    case .directory: break
    }
    if try entry(Place(path).at(RunNames.manifest)) != .absent {
      guard !best else {
        throw Problem(
          .badData, "one checkpoint has no best among it", expected: "the directory of a run with --best",
          got: "a checkpoint", at: path)
      }
      (run, checkpoint, damaged, betterEvaluation) = (nil, try Checkpoint(verifying: path), [], nil)
      return
    }
    let run = RunDirectory(path: path)
    guard try entry(run.configurationPlace) != .absent else {
      throw Problem(
        .badData, "not a run", expected: "\(RunNames.configuration) of a run or \(RunNames.manifest) of a checkpoint",
        got: "neither",
        at: path)
    }
    let search = try best ? run.bestCheckpoint() : run.newestCheckpoint()
    guard let found = search.newest else {
      let first = search.damaged.first.map {
        "\(search.damaged.count) damaged; the \(best ? "first" : "newest"): \($0.error.message)"
      }
      throw Problem(
        .badData, "run has no valid checkpoint", expected: best ? "one with a validation loss" : "one",
        got: first ?? "none", at: path)
    }
    (self.run, checkpoint, damaged) = (run, found, search.damaged)
    betterEvaluation = best ? try run.betterEvaluation(than: found.manifest) : nil
  }
}
