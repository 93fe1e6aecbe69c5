import Configuration
import ExactMath
import Optimization

extension OptimizerRule {
  init(_ keys: Configuration.Optimizer) {
    let (rate, decay) = (keys.learningRate, keys.weightDecay)
    switch keys.name {
    case .sgd:
      self = .sgd(learningRate: rate, momentum: keys.momentum, nesterov: keys.nesterov, weightDecay: decay)
    case .adam:
      self = .adam(
        learningRate: rate, beta1: keys.beta1, beta2: keys.beta2, epsilon: keys.epsilon, weightDecay: decay)
    case .adamw:
      self = .adamW(
        learningRate: rate, beta1: keys.beta1, beta2: keys.beta2, epsilon: keys.epsilon, weightDecay: decay)
    case .rmsprop:
      self = .rmsProp(
        learningRate: rate, beta2: keys.beta2, epsilon: keys.epsilon, momentum: keys.momentum, weightDecay: decay)
    case .lamb:
      self = .lamb(
        learningRate: rate, beta1: keys.beta1, beta2: keys.beta2, epsilon: keys.epsilon, weightDecay: decay)
    }
  }
}

extension Clipping {
  init(_ keys: Configuration.Optimizer) {
    guard keys.clip > 0 else {
      self = .none
      return
    }
    switch keys.clipBy {
    case .norm: self = .norm(keys.clip)
    case .element: self = .element(keys.clip)
    }
  }
}

extension Averaging {
  init(_ keys: Configuration.Optimizer) {
    switch keys.average {
    case .never: self = .never
    case .fromStep: self = .from(step: keys.averageFrom)
    case .nonMonotonic: self = .nonMonotonic(patience: keys.averagePatience)
    }
  }
}

extension Schedule {
  init(_ keys: Configuration.Schedule) {
    let decay: Decay =
      switch keys.name {
      case .constant: .constant
      case .step: .step(every: keys.every, factor: keys.factor, floor: keys.floor)
      case .exponential: .exponential(every: keys.every, factor: keys.factor, floor: keys.floor)
      case .cosine: .cosine(end: keys.end, floor: keys.floor)
      case .plateau: .plateau(patience: keys.patience, factor: keys.factor, floor: keys.floor)
      }
    self.init(decay, warmUp: keys.warmUp, begin: keys.begin)
  }
}
