import Optimization

// The rules and schedules by name, with their values as arguments. The program makes them from its configuration.

extension OptimizerRule {
  package static func adamW(
    learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double
  ) -> OptimizerRule {
    OptimizerRule(
      name: "adamw",
      [.learningRate: learningRate, .beta1: beta1, .beta2: beta2, .epsilon: epsilon, .weightDecay: weightDecay])
  }

  package static func rmsProp(
    learningRate: Double, beta2: Double, epsilon: Double, momentum: Double = 0, weightDecay: Double = 0
  ) -> OptimizerRule {
    OptimizerRule(
      name: "rmsprop",
      [
        .learningRate: learningRate, .beta2: beta2, .epsilon: epsilon, .momentum: momentum, .weightDecay: weightDecay,
      ])
  }

  package static func lamb(
    learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double
  ) -> OptimizerRule {
    OptimizerRule(
      name: "lamb",
      [.learningRate: learningRate, .beta1: beta1, .beta2: beta2, .epsilon: epsilon, .weightDecay: weightDecay])
  }
}

extension ScheduleRule where Self == StepSchedule {
  package static func step(every: Int, factor: Double, floor: Double) -> Self {
    Self([.every: Double(every), .factor: factor, .floor: floor])
  }
}

extension ScheduleRule where Self == ExponentialSchedule {
  package static func exponential(every: Int, factor: Double, floor: Double) -> Self {
    Self([.every: Double(every), .factor: factor, .floor: floor])
  }
}

extension ScheduleRule where Self == CosineSchedule {
  package static func cosine(end: Int, floor: Double) -> Self { Self([.end: Double(end), .floor: floor]) }
}

extension ScheduleRule where Self == PlateauSchedule {
  package static func plateau(patience: Int, factor: Double, floor: Double) -> Self {
    Self([.patience: Double(patience), .factor: factor, .floor: floor])
  }
}
