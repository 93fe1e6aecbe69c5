import Configuration

extension Configuration {
  /// What is learned, as a value: a line for each task.
  package var learningTask: any LearningTask {
    switch task {
    case .reber: ReberLearning(configuration: self)
    case .languageModel: LanguageModelLearning(configuration: self)
    case .classification: ClassificationLearning(configuration: self)
    case .tagging: TaggingLearning(configuration: self)
    case .temporalOrder: TemporalOrderLearning(configuration: self)
    case .adding: MarkedPairsLearning(configuration: self, operation: .adding)
    case .multiplication: MarkedPairsLearning(configuration: self, operation: .multiplication)
    case .copy: CopyLearning(configuration: self)
    case .forecasting: ForecastingLearning(configuration: self)
    case .pianoRoll: PianoRollLearning(configuration: self)
    }
  }
}
