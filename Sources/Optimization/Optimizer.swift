import Kernels

/// Updates the ranges of flat parameters that this rank owns from a flat gradient, with the clipping factor multiplied
/// in on the way. Each number is updated on its own, but for norms of whole tensors, which are sums over fixed
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

  /// The rule as what it is: one of the two is nil.
  private let elementwise: (any ElementwiseRule)?
  private let tensorwise: (any TensorwiseRule)?
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
  ///   - norms: the tensors, which a rule for whole tensors needs; `ranges` begin and end where blocks do.
  ///   - averages: whether there is memory for an average.
  package init(rule: OptimizerRule, ranges: [Range<Int>], norms: NormBlocks? = nil, averages: Bool = false) {
    self.rule = rule
    self.ranges = ranges
    owned = ranges.reduce(0) { $0 + $1.count }
    storage = FloatBuffer(count: (rule.moments.count + (averages ? 1 : 0)) * owned)
    average = averages ? storage.pointer + rule.moments.count * owned : nil
    elementwise = rule.rule as? any ElementwiseRule
    tensorwise = rule.rule as? any TensorwiseRule
    precondition((elementwise == nil) != (tensorwise == nil), "a rule is for each number, or for tensors")
    precondition(tensorwise == nil || norms != nil, "this rule needs to know the tensors")
    self.norms = tensorwise == nil ? nil : norms
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
  ///     once, for a rule for whole tensors alone. A rank that owns everything has nothing to do.
  package func update(
    _ parameters: UnsafeMutablePointer<Float>, gradient: UnsafePointer<Float>, gradientScale: Float, step: Int,
    learningRateFactor: Double = 1, changed: [Range<Int>]? = nil,
    combine: (UnsafeMutableBufferPointer<Double>) throws -> Void = { _ in }
  ) throws {
    if let tensorwise {
      try update(
        tensorwise, parameters, gradient, gradientScale, step: step,
        rate: tensorwise.learningRate * learningRateFactor, combine)
    } else if let elementwise {
      update(
        elementwise, parameters, gradient, gradientScale, step: step, factor: learningRateFactor,
        changed: changed ?? ranges)
    }
    if averaged > 0 { addToAverage(parameters) }
  }

  /// Range after range.
  private func update(
    _ rule: any ElementwiseRule, _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>,
    _ scale: Float, step: Int, factor: Double, changed: [Range<Int>]
  ) {
    var first = storage.pointer
    for range in rule.needsGradientToMove ? changed : ranges {
      rule.update(block(range, parameters, gradient, scale, first), step: step, factor: factor)
      first += range.count
    }
  }

  /// - Parameter first: where the first moment of the range lies.
  private func block(
    _ range: Range<Int>, _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>, _ scale: Float,
    _ first: UnsafeMutablePointer<Float>
  ) -> ParameterBlock {
    ParameterBlock(
      parameters: parameters + range.lowerBound, gradient: gradient + range.lowerBound, scale: scale, moment1: first,
      moment2: first + owned, count: range.count)
  }

  // MARK: Whole tensors

  /// Twice over the owned blocks: moments and norms, then, with the norms of whole tensors known, the update. The
  /// direction of a block is computed in both, for it is cheaper than memory for all of it.
  private func update(
    _ rule: some TensorwiseRule, _ parameters: UnsafeMutablePointer<Float>, _ gradient: UnsafePointer<Float>,
    _ scale: Float, step: Int, rate: Double, _ combine: (UnsafeMutableBufferPointer<Double>) throws -> Void
  ) throws {
    guard let norms else { preconditionFailure("this rule needs to know the tensors") }
    let (count, ofStep) = (norms.blocks.count, rule.step(update: step))
    for index in blockSums.indices { blockSums[index] = 0 }
    forEachOwnedBlock(norms) { index, owned, first in
      let x = block(owned.range, parameters, gradient, scale, first)
      rule.renewMoments(x)
      rule.direction(x, ofStep, into: scratch.pointer)
      blockSums.withUnsafeMutableBufferPointer {
        blockSquaredSums(x.parameters, count: x.count, sums: $0.baseAddress! + index)
        blockSquaredSums(scratch.pointer, count: x.count, sums: $0.baseAddress! + (count + index))
      }
    }
    try blockSums.withUnsafeMutableBufferPointer { try combine($0) }
    findRatios(rule, norms)
    forEachOwnedBlock(norms) { _, owned, first in
      let x = block(owned.range, parameters, gradient, scale, first)
      rule.direction(x, ofStep, into: scratch.pointer)
      // (O15) p ← p − η·‖p‖/‖u‖·u
      let rate = Float(rate * ratios[owned.tensor])
      for i in 0..<x.count { x.parameters[i] -= rate * scratch.pointer[i] }
    }
  }

  /// Block sums are added in memory order, whoever computed them.
  private func findRatios(_ rule: some TensorwiseRule, _ norms: NormBlocks) {
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
      ratios[tensor] = rule.ratio(squaredNorm: p, direction: u)
    }
  }

  private func forEachOwnedBlock(
    _ norms: NormBlocks,
    _ body: (Int, NormBlocks.Block, _ first: UnsafeMutablePointer<Float>) -> Void
  ) {
    var first = storage.pointer
    for index in ownedBlocks.joined() {
      body(index, norms.blocks[index], first)
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
