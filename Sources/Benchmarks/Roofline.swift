/// What a processor core can do at most, and how fast its data come: the roof of the roofline (Williams, Waterman and
/// Patterson, "Roofline: an insightful visual performance model for multicore architectures", 2009).
package struct Roof: Sendable {
  /// Floating-point operations a second of one rank.
  package let flopsPerSecond: Double
  /// The memory of one rank.
  package let memory: MemoryLevels

  /// A core of these properties.
  package init(flopsPerSecond: Double, memory: MemoryLevels) {
    self.flopsPerSecond = flopsPerSecond
    self.memory = memory
  }
}

/// Data that a phase of the step moves.
package struct DataMovement: Equatable, Sendable {
  /// Since when the data may be in a cache.
  package enum Reuse: Equatable, Sendable {
    /// Since another part of the step, or the step before: they are still in a cache that holds the data of a whole
    /// step.
    case step
    /// Since the phase before: they are still in a cache that holds the data of this phase.
    case phase
    /// Since the timestep before: they are still in a cache that holds this many bytes, the data of one timestep.
    case timestep(bytes: Double)
  }

  /// Bytes of the data.
  package let bytes: Double
  /// How often they are read or written.
  package let times: Double
  /// Since when they may be in a cache.
  package let reuse: Reuse
  /// Ranks that read the same bytes, and so keep them once in a cache that they share.
  package let sharers: Double

  /// `bytes` bytes moved `times` times.
  package init(bytes: Double, times: Double, reuse: Reuse, sharers: Double = 1) {
    self.bytes = bytes
    self.times = times
    self.reuse = reuse
    self.sharers = sharers
  }
}

/// A phase of the training step on one rank: its operations, and the data that it must move.
package struct PhaseWork: Equatable, Sendable {
  /// For example `recurrence, forward`.
  package let name: String
  /// Floating-point operations.
  package let flops: Double
  /// What it moves.
  package let data: [DataMovement]

  /// A phase of these operations on these data.
  package init(name: String, flops: Double, data: [DataMovement]) {
    self.name = name
    self.flops = flops
    self.data = data
  }

  /// Bytes that the phase touches: of what ranks share, the rank's part.
  package var bytes: Double {
    data.reduce(0) { sum, movement in
      if case .timestep = movement.reuse { sum } else { sum + movement.bytes / movement.sharers }
    }
  }

  /// The least time of the phase under a roof.
  /// - Parameter stepBytes: the data of a whole step.
  package func bound(under roof: Roof, stepBytes: Double) -> PhaseBound {
    let levels = roof.memory.levels
    var through = [Double](repeating: 0, count: levels.count)
    for movement in data {
      let footprint =
        switch movement.reuse {
        case .step: max(stepBytes, bytes)
        case .phase: bytes
        case .timestep(let bytes): bytes
        }
      guard footprint > roof.memory.firstCacheBytes,
        let source = levels.firstIndex(where: { footprint <= $0.capacityBytes })
      else { continue }
      for level in 0...source { through[level] += movement.bytes * movement.times }
    }
    var (seconds, limit) = (flops / roof.flopsPerSecond, "flop")
    for (level, bytes) in zip(levels, through) where bytes / level.bytesPerSecond > seconds {
      (seconds, limit) = (bytes / level.bytesPerSecond, level.name)
    }
    return PhaseBound(name: name, flops: flops, bytesThrough: through, seconds: seconds, limit: limit)
  }
}

/// The least time of a phase.
package struct PhaseBound: Equatable, Sendable {
  /// The phase.
  package let name: String
  /// Floating-point operations.
  package let flops: Double
  /// For each level of memory the bytes that come from it or from beyond it.
  package let bytesThrough: [Double]
  /// Seconds that the operations or the slowest level of memory take, all of them at work at the same time.
  package let seconds: Double
  /// What takes that long: `flop`, or the name of a level.
  package let limit: String

  /// Two pieces of one phase, one after the other; the limit is that of the longer one.
  static func + (a: PhaseBound, b: PhaseBound) -> PhaseBound {
    PhaseBound(
      name: a.name, flops: a.flops + b.flops, bytesThrough: zip(a.bytesThrough, b.bytesThrough).map { $0 + $1 },
      seconds: a.seconds + b.seconds, limit: a.seconds >= b.seconds ? a.limit : b.limit)
  }
}

/// The least time of a training step: of each phase in turn, whether its operations or its data take longer.
package struct Roofline: Sendable {
  /// The phases, in the order of the step.
  package let phases: [PhaseBound]

  /// The roofline of a step under a roof.
  package init(_ step: StepWork, under roof: Roof) {
    var phases: [PhaseBound] = []
    for work in step.phases {
      let bound = work.bound(under: roof, stepBytes: step.bytes)
      if let index = phases.firstIndex(where: { $0.name == bound.name }) {
        phases[index] = phases[index] + bound
      } else {
        phases.append(bound)
      }
    }
    self.phases = phases
  }

  /// Seconds of the step.
  package var seconds: Double { phases.reduce(0) { $0 + $1.seconds } }
}
