import Files

/// The end of a run, the last line of its file:
///
///     {"event":"finished","step":40,"trainLoss":1.5,"validationLoss":null,"parametersSHA256":"9c1e…"}
package struct FinishedRecord: MetricsRecord {
  package static let event = MetricsEvent.finished

  package let step: Int
  let trainLoss: Double?
  let validationLoss: Double?
  let parametersSHA256: String

  /// - Parameters:
  ///   - trainLoss: of the last finite step, nil before there was one.
  ///   - validationLoss: of the last evaluation, nil where nothing is held out.
  package init(step: Int, trainLoss: Double?, validationLoss: Double?, parametersSHA256: String) {
    (self.step, self.trainLoss, self.validationLoss) = (step, trainLoss, validationLoss)
    self.parametersSHA256 = parametersSHA256
  }

  package var members: [(key: String, value: JSON)] {
    [
      ("trainLoss", .number(trainLoss)), ("validationLoss", .number(validationLoss)),
      ("parametersSHA256", .string(parametersSHA256)),
    ]
  }
}
