import Kernels

/// Updates the ranges of flat parameters that this rank owns from a flat gradient, with the clipping factor multiplied
/// in on the way. Each number is updated on its own, but for LAMB's norms of whole tensors, which are sums over fixed
/// blocks; so the bits do not depend on who owns what. The truth is `ReferenceOptimizer`.
///
/// It may also keep the average of the parameters after each update from some update on (Polyak and Juditsky,
/// "Acceleration of Stochastic Approximation by Averaging", 1992).
package final class Optimizer {
  /// The rule.
  package let rule: OptimizerRule
  /// The parameters that this optimizer updates, as ranges of the flat memory, ascending.
  package let ranges: [Range<Int>]
  /// How many parameters, one after the other, the average is over; 0 before it begins.
  package var averaged = 0

  private let owned: Int
  private let storage: FloatBuffer
  private let average: UnsafeMutablePointer<Float>?
  private let norms: NormBlocks?
  /// Indices of the blocks of each range.
  private let ownedBlocks: [Range<Int>]
  /// Of every block Σp², then of every block Σu²; of blocks that others own +0.0.
  private var blockSums: [Double]
  private var ratios: [Double]
  private let scratch: FloatBuffer

  /// An optimizer before its first step: all moments zero. Moments are kept for the owned parameters only.
  /// - Parameters:
  ///   - norms: the tensors, which LAMB needs; `ranges` begin and end where blocks do.
  ///   - averages: whether there is memory for an average.
  package init(rule: OptimizerRule, ranges: [Range<Int>], norms: NormBlocks? = nil, averages: Bool = false) {
    self.rule = rule
    self.ranges = ranges
    owned = ranges.reduce(0) { $0 + $1.count }
    storage = FloatBuffer(count: (rule.moments.count + (averages ? 1 : 0)) * owned)
    average = averages ? storage.pointer + rule.moments.count * owned : nil
    if case .lamb = rule {
      precondition(norms != nil, "LAMB needs to know the tensors")
      self.norms = norms
    } else {
      self.norms = nil
    }
    ownedBlocks = self.norms.map { norms in ranges.map(norms.indices(in:)) } ?? []
    blockSums = Array(repeating: 0, count: 2 * (self.norms?.blocks.count ?? 0))
    ratios = Array(repeating: 1, count: self.norms?.tensorCount ?? 0)
    scratch = FloatBuffer(count: self.norms == nil ? 0 : normBlock)
  }

  /// One moment, an index of `rule.moments`, or behind them the average where there is memory for one: its numbers for
  /// the owned parameters, range after range.
  package func moment(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
    UnsafeMutableBufferPointer(start: storage.pointer + index * owned, count: owned)
  }

  /// Makes update number `step` (from 0): p ← rule(p, g · gradientScale) for the owned parameters.
  /// - Parameters:
  ///   - learningRateFactor: what the rule's learning rate is multiplied by.
  ///   - changed: where within `ranges` the gradient may be other than +0.0, nil for everywhere: a rule without
  ///     moments and weight decay leaves every other parameter as it is, so it need not be looked at.
  ///   - combine: replaces each of these numbers, none negative, by the largest that any rank has in its place; called
  ///     once for LAMB alone. A rank that owns everything has nothing to do.
  package func update(
    _ parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, gradientScale: Float, step: Int,
    learningRateFactor: Double = 1, changed: [Range<Int>]? = nil,
    combine: (UnsafeMutableBufferPointer<Double>) throws -> Void = { _ in }
  ) throws {
    if case .lamb(let learningRate, let beta1, let beta2, let epsilon, let weightDecay) = rule {
      let adam = AdamStep(rate: 1, beta1: beta1, beta2: beta2, epsilon: epsilon, update: step)
      try lamb(
        LAMBStep(step: adam, weightDecay: Float(weightDecay)), parameters, gradient, gradientScale,
        rate: learningRate * learningRateFactor, combine)
    } else {
      elementwise(
        parameters, gradient, gradientScale, step: step, factor: learningRateFactor, changed: changed ?? ranges)
    }
    if averaged > 0 { addToAverage(parameters) }
  }

  /// Every rule but LAMB, range after range.
  private func elementwise(
    _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, _ scale: Float, step: Int,
    factor: Double, changed: [Range<Int>]
  ) {
    var first = 0
    for range in rule.needsGradientToMove ? changed : ranges {
      let (p, g, count) = (parameters + range.lowerBound, gradient + range.lowerBound, range.count)
      let (moment1, moment2) = (storage.pointer + first, storage.pointer + (owned + first))
      first += count
      switch rule {
      case .sgd(let rate, 0, _, let weightDecay):
        sgd(p, g, scale: scale, count: count, rate: Float(rate * factor), weightDecay: Float(weightDecay))
      case .sgd(let rate, let momentum, let nesterov, let weightDecay):
        sgd(
          p, g, scale: scale, b: moment1, count: count, rate: Float(rate * factor), momentum: Float(momentum),
          nesterov: nesterov, weightDecay: Float(weightDecay))
      case .adam(let rate, let beta1, let beta2, let epsilon, let weightDecay):
        adam(
          p, g, scale: scale, m: moment1, v: moment2, count: count,
          AdamStep(rate: rate * factor, beta1: beta1, beta2: beta2, epsilon: epsilon, update: step),
          weightDecay: Float(weightDecay), kept: 1)
      case .adamW(let rate, let beta1, let beta2, let epsilon, let weightDecay):
        adam(
          p, g, scale: scale, m: moment1, v: moment2, count: count,
          AdamStep(rate: rate * factor, beta1: beta1, beta2: beta2, epsilon: epsilon, update: step),
          weightDecay: 0, kept: Float(1 - rate * factor * weightDecay))
      case .rmsProp(let rate, let beta2, let epsilon, let momentum, let weightDecay):
        rmsProp(
          p, g, scale: scale, v: moment1, b: momentum == 0 ? nil : moment2, count: count, rate: Float(rate * factor),
          beta2: Float(beta2), epsilon: Float(epsilon), momentum: Float(momentum), weightDecay: Float(weightDecay))
      case .lamb: preconditionFailure("LAMB is not a rule for each number on its own")
      }
    }
  }

  // MARK: LAMB

  /// Twice over the owned blocks: moments and norms, then, with the norms of whole tensors known, the update. The
  /// direction of a block is computed in both, for it is cheaper than memory for all of it.
  private func lamb(
    _ rule: LAMBStep, _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, _ scale: Float,
    rate: Double, _ combine: (UnsafeMutableBufferPointer<Double>) throws -> Void
  ) throws {
    guard let norms else { preconditionFailure("LAMB needs to know the tensors") }
    let count = norms.blocks.count
    for index in blockSums.indices { blockSums[index] = 0 }
    forEachOwnedBlock(norms) { index, block, m, v in
      let p = parameters + block.range.lowerBound
      rule.moments(gradient + block.range.lowerBound, scale: scale, m: m, v: v, count: block.range.count)
      rule.direction(p, m: m, v: v, count: block.range.count, into: scratch.pointer)
      blockSums.withUnsafeMutableBufferPointer {
        blockSquaredSums(p, count: block.range.count, sums: $0.baseAddress! + index)
        blockSquaredSums(scratch.pointer, count: block.range.count, sums: $0.baseAddress! + (count + index))
      }
    }
    try blockSums.withUnsafeMutableBufferPointer { try combine($0) }
    findRatios(norms)
    forEachOwnedBlock(norms) { _, block, m, v in
      let p = parameters + block.range.lowerBound
      rule.direction(p, m: m, v: v, count: block.range.count, into: scratch.pointer)
      // (O15) p ← p − η·‖p‖/‖u‖·u
      let rate = Float(rate * ratios[block.tensor])
      for i in 0..<block.range.count { p[i] -= rate * scratch.pointer[i] }
    }
  }

  /// Block sums are added in memory order, whoever computed them.
  private func findRatios(_ norms: NormBlocks) {
    let count = norms.blocks.count
    var index = 0
    while index < count {
      let tensor = norms.blocks[index].tensor
      var (p, u) = (0.0, 0.0)
      while index < count, norms.blocks[index].tensor == tensor {
        p += blockSums[index]
        u += blockSums[count + index]
        index += 1
      }
      ratios[tensor] = trustRatio(squaredNorm: p, direction: u)
    }
  }

  private func forEachOwnedBlock(
    _ norms: NormBlocks,
    _ body: (Int, NormBlocks.Block, _ m: UnsafeMutablePointer<Float>, _ v: UnsafeMutablePointer<Float>) -> Void
  ) {
    var first = storage.pointer
    for index in ownedBlocks.joined() {
      body(index, norms.blocks[index], first, first + owned)
      first += norms.blocks[index].range.count
    }
  }

  // MARK: The average

  /// From now on the average is kept: of the parameters as they are, and as each update leaves them.
  /// - Precondition: there is memory for it.
  package func beginAveraging(_ parameters: UnsafePointer<Float>) {
    averaged = 1
    forEachAverage { average, range in average.update(from: parameters + range.lowerBound, count: range.count) }
  }

  private func addToAverage(_ parameters: UnsafePointer<Float>) {
    averaged += 1
    let share = Float(1 / Double(averaged))
    forEachAverage { average, range in
      let p = parameters + range.lowerBound
      // (A1) p̄ ← p̄ + (p − p̄) / n
      for i in 0..<range.count { average[i] += (p[i] - average[i]) * share }
    }
  }

  /// The owned parameters and their average change places; the second time all is as before.
  /// - Precondition: averaging has begun.
  package func exchangeAverage(_ parameters: UnsafeMutablePointer<Float>) {
    precondition(averaged > 0, "there is no average yet")
    forEachAverage { average, range in
      let p = parameters + range.lowerBound
      for i in 0..<range.count { (p[i], average[i]) = (average[i], p[i]) }
    }
  }

  private func forEachAverage(_ body: (UnsafeMutablePointer<Float>, Range<Int>) -> Void) {
    guard var next = average else { preconditionFailure("there is no memory for an average") }
    for range in ranges {
      body(next, range)
      next += range.count
    }
  }
}
