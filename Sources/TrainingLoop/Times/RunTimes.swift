import CSystem
import MPI
import Timing

/// A straggler, and where it runs.
package struct SlowRank: Sendable {
  /// Which rank, how far behind, and in which phase.
  package let straggler: Straggler
  /// The name of its host.
  package let host: String
  /// Sequences of a batch that it computes.
  package let sequences: Int
  /// The smallest number of sequences that any rank computes.
  package let fewestSequences: Int
  /// For how many steps in a row it was behind what its sequences explain; nil for the slowest one of a whole run.
  package let stepsInARow: Int?
}

/// Where the time of a run went: gathers on rank 0 what every rank measured in a step, eight numbers a rank.
package final class RunTimes {
  /// All steps so far; on rank 0.
  private(set) var total = StepSplit()
  /// How many they are.
  private(set) var steps = 0
  /// The name of every rank's host; on rank 0.
  let hosts: [String]

  private let world: World
  private let sequences: [Int]
  private var beginSeconds = 0.0
  private var detector: StragglerDetector
  private var mine = [Double](repeating: 0, count: RunTimes.phases.count + 1)
  private var all: [Double]

  /// The phases that are compared between ranks.
  private static let phases = Phase.computing + [.coordination]

  /// Collective. `sequences`: how many of a batch each rank computes.
  package init(world: World, sequences: [Int]) throws {
    self.world = world
    self.sequences = sequences
    let size = world.communicator.size
    detector = StragglerDetector(sequences: sequences)
    hosts =
      try world.communicator.gather(Array(RunTimes.hostName.utf8), root: 0)?
      .map { String(decoding: $0, as: UTF8.self) } ?? []
    all = Array(repeating: 0, count: world.communicator.rank == 0 ? mine.count * size : 0)
  }

  /// The first step is to come.
  func begin() { beginSeconds = World.wallTimeSeconds() }

  /// Mean seconds of a step since `begin`, with all that was done between the steps.
  var secondsPerStep: Double { (World.wallTimeSeconds() - beginSeconds) / Double(steps) }

  /// The name of this machine.
  static var hostName: String { String(cString: system_host_name()) }

  /// Takes what this rank measured in a step. On rank 0 it returns where the time of all went, and a rank that has
  /// fallen behind; nil elsewhere.
  package func add(_ own: StepTimes) throws -> (split: StepSplit, slow: SlowRank?)? {
    steps += 1
    for (index, phase) in RunTimes.phases.enumerated() { mine[index] = own.seconds[phase] }
    mine[RunTimes.phases.count] = own.hiddenSeconds
    try mine.withUnsafeBufferPointer { mine in
      try all.withUnsafeMutableBufferPointer { try world.communicator.gather(mine, into: $0, root: 0) }
    }
    guard world.communicator.rank == 0 else { return nil }
    let ranks = sequences.indices.map { $0 == 0 ? own : times(ofRank: $0) }
    let split = StepSplit(ranks)
    total += split
    return (split, detector.add(ranks.map(\.seconds)).map { slowRank($0.straggler, steps: $0.steps) })
  }

  private func times(ofRank rank: Int) -> StepTimes {
    let first = rank * mine.count
    var seconds = PhaseSeconds()
    for (index, phase) in RunTimes.phases.enumerated() { seconds[phase] = all[first + index] }
    return StepTimes(seconds: seconds, hiddenSeconds: all[first + RunTimes.phases.count])
  }

  /// What was spent on checkpoints after the last step belongs to the run too.
  func addLastCheckpoint(seconds: Double) { total.checkpoint += seconds }

  /// The slowest rank of the whole run; on rank 0, nil where there is only one.
  var slowest: SlowRank? { detector.slowest.map { slowRank($0) } }

  private func slowRank(_ straggler: Straggler, steps: Int? = nil) -> SlowRank {
    SlowRank(
      straggler: straggler, host: hosts[straggler.rank], sequences: sequences[straggler.rank],
      fewestSequences: sequences.min() ?? 0, stepsInARow: steps)
  }
}
