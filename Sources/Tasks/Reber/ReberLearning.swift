import Configuration
import DataParallel
import LSTM
import Problems
import Sequences

/// The embedded Reber grammar.
struct ReberLearning: LearningTask {
  let configuration: Configuration

  func data() throws -> RunData {
    let (strings, batch) = (try strings(), configuration.batch)
    let shape = try ModelShape(languageModel: configuration, vocabulary: ReberTask.vocabulary)
    return RunData(
      shape: shape, timesteps: batch.steps,
      training: strings.trainingSource(globalBatch: batch.sequences, seed: configuration.seed),
      validation: strings.heldOut.isEmpty
        ? nil : strings.evaluationSource(strings.heldOut, globalBatch: batch.sequences),
      identity: DataIdentity(
        vocabulary: Array(try ReberTask.vocabulary.json()), tokens: strings.training + strings.heldOut),
      unit: "token"
    ) { model, step in
      var result = try result(strings, model, step: step)
      let sampler = Sampler(shape: shape, parameters: model.parameters, seed: configuration.seed)
      result.sampled = (0..<5).map { _ in ReberLearning.draw(sampler) }
      return result
    }
  }

  func evaluation(of saved: SavedRun, on path: String?) throws -> EvaluationPlan {
    if let path {
      throw Problem(.badConfiguration, "a model of the Reber grammar has no text — expected no --text, got \(path)")
    }
    _ = try saved.languageModelVocabulary()
    let strings = try strings()
    return EvaluationPlan(timesteps: configuration.batch.steps) { try result(strings, $0, step: saved.step) }
  }

  func sampling(from saved: SavedRun, _ options: SamplingOptions) throws -> SamplingPlan {
    _ = try saved.languageModelVocabulary()
    guard options.prompt == nil else {
      throw Problem(.usage, "a model of the Reber grammar takes no prompt — expected no --prompt")
    }
    return SamplingPlan { sampler, show in
      for _ in 0..<(options.length ?? 10) {
        show(ReberLearning.draw(sampler, temperature: options.temperature, limits: options.limits))
      }
    }
  }

  var uses: [ModelUse] { [.inspect, .sample(length: nil)] }

  private func strings() throws -> ReberTask {
    try ReberTask(
      seed: configuration.seed, trainingCount: configuration.data.trainingStrings,
      heldOutCount: configuration.data.heldOutStrings, longest: configuration.batch.steps + 1)
  }

  // MARK: Measuring

  /// The training and held-out strings, after `step` updates. Every rank calls it.
  private func result(_ strings: ReberTask, _ model: any EvaluatedModel, step: Int) throws -> ReberResult {
    var scores: [ReberResult.Score] = []
    for (name, set) in [("training", strings.training), ("held-out", strings.heldOut)] where !set.isEmpty {
      let source = strings.evaluationSource(set, globalBatch: configuration.batch.sequences)
      var solved = 0
      var failed: Set<Int> = []
      // Segments of a window come from the last to the first.
      let loss = try model.evaluate(source) { window in
        for (lane, index) in source.indices(atStep: window.step).enumerated() where window.lanes.contains(lane) {
          if !ReberLearning.isSolved(set[index], window, lane) { failed.insert(index) }
          if window.timesteps.lowerBound == 0 && !failed.contains(index) { solved += 1 }
        }
      }
      scores.append(
        ReberResult.Score(
          set: name, solved: try model.sum(solved), strings: set.count, loss: loss,
          grammarLoss: ReberTask.perfectLoss(on: set)))
    }
    return ReberResult(scores: scores, trained: step * configuration.batch.sequences)
  }

  private static func isSolved(_ string: [Int32], _ window: any EvaluatedLogits, _ lane: Int) -> Bool {
    guard let legal = ReberGrammar.legalTargets(of: string) else { return false }
    return window.timesteps.clamped(to: 0..<legal.count).allSatisfy { t in
      ReberGrammar.mostLikelyAreLegal(logits: window.logits(t: t, lane: lane), legal: legal[t])
    }
  }

  // MARK: Drawing

  /// One string: from the grammar's first symbol until it is whole, is not legal any more, or grows too long.
  private static func draw(
    _ sampler: Sampler, temperature: Double = 1, limits: SamplingLimits = .none
  ) -> SampledSequence {
    var string = ReberGrammar.legalNext(after: [])!
    sampler.reset()
    while string.count < 200, let legal = ReberGrammar.legalNext(after: string), !legal.isEmpty {
      sampler.read(string.last!)
      string.append(sampler.draw(temperature: temperature, excluding: nil, limits: limits))
    }
    return SampledSequence(text: ReberTask.vocabulary.decode(string), isLegal: ReberGrammar.isLegal(string))
  }
}
