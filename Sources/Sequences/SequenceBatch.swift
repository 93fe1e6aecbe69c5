/// The target of a timestep or sequence that has none: padding behind a short sequence, behind the last token of a
/// lane, or a lane that has no sequence in this step.
package let noTarget: Int32 = -1

/// The memory that a source fills with one step of some lanes. Its owner allocates it once and uses it for every step;
/// what a source does not write is what an earlier step left there.
package struct SequenceBatch {
  /// T.
  package let timesteps: Int
  /// B, lanes that the memory is for.
  package let lanes: Int
  /// [T, B], for a model that reads tokens; else empty.
  package let tokens: UnsafeMutableBufferPointer<Int32>
  /// [T, B, D], row-major, for a model that reads numbers; else empty.
  package let numbers: UnsafeMutableBufferPointer<Float>
  /// [T, B], or [B] for a model that predicts one class of a whole sequence; empty for one that predicts numbers.
  package let targets: UnsafeMutableBufferPointer<Int32>
  /// Row-major, NaN where there are none: [B, K] for a model that predicts numbers for a whole sequence, [T, B, K] for
  /// one that predicts them at every timestep; else empty.
  package let values: UnsafeMutableBufferPointer<Float>
  /// [B], timesteps of each lane that hold its sequence: 0 for none. What stands behind them is padding.
  package let lengths: UnsafeMutableBufferPointer<Int32>

  /// What a model reads at a timestep.
  package enum Inputs: Sendable {
    /// A token.
    case tokens
    /// D numbers.
    case numbers(Int)
  }

  /// What a model learns to predict.
  package enum Targets: Sendable, Equatable {
    /// A target at every timestep.
    case everyStep
    /// K numbers at every timestep.
    case everyStepNumbers(Int)
    /// One target for a sequence.
    case pooled
    /// K numbers for a sequence.
    case pooledNumbers(Int)
  }

  /// Memory of zeros without targets, until `deallocate`.
  package static func allocate(timesteps: Int, lanes: Int, inputs: Inputs, targets: Targets) -> SequenceBatch {
    let rows = timesteps * lanes
    let (tokens, numbers) =
      switch inputs {
      case .tokens: (rows, 0)
      case .numbers(let count): (0, rows * count)
      }
    func memory<Element>(_ count: Int, _ value: Element) -> UnsafeMutableBufferPointer<Element> {
      let memory = UnsafeMutableBufferPointer<Element>.allocate(capacity: count)
      memory.initialize(repeating: value)
      return memory
    }
    let (classes, values) =
      switch targets {
      case .everyStep: (rows, 0)
      case .everyStepNumbers(let count): (0, rows * count)
      case .pooled: (lanes, 0)
      case .pooledNumbers(let count): (0, lanes * count)
      }
    return SequenceBatch(
      timesteps: timesteps, lanes: lanes, tokens: memory(tokens, 0), numbers: memory(numbers, 0),
      targets: memory(classes, noTarget), values: memory(values, .nan), lengths: memory(lanes, 0))
  }

  /// The same memory, for fewer lanes.
  /// - Precondition: `count` ≤ `lanes`.
  package func prefix(lanes count: Int) -> SequenceBatch {
    precondition((0...lanes).contains(count), "\(count) of \(lanes) lanes")
    func prefix<Element>(_ memory: UnsafeMutableBufferPointer<Element>) -> UnsafeMutableBufferPointer<Element> {
      UnsafeMutableBufferPointer(rebasing: memory[..<(memory.count / max(1, lanes) * count)])
    }
    return SequenceBatch(
      timesteps: timesteps, lanes: count, tokens: prefix(tokens), numbers: prefix(numbers), targets: prefix(targets),
      values: prefix(values), lengths: prefix(lengths))
  }

  /// Frees the memory.
  package func deallocate() {
    tokens.deallocate()
    numbers.deallocate()
    targets.deallocate()
    values.deallocate()
    lengths.deallocate()
  }
}
