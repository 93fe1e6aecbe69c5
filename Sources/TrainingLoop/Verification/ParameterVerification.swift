import DataParallel
import ExactMath
import JobHealth
import MPI
import Problems
import Runs

/// When a training writes down the hashes of its parameters, and whether its ranks check each other then.
package struct VerificationPolicy: Equatable, Sendable {
  /// Steps between two records, 0 for none.
  package let every: Int
  /// Whether the ranks must agree at those steps, and each rank watches its parameters in between.
  package let paranoid: Bool

  /// - Precondition: paranoia has an interval.
  package init(every: Int, paranoid: Bool) {
    precondition(every > 0 || every == 0 && !paranoid)
    self.every = every
    self.paranoid = paranoid
  }

  /// Whether a record is due after a step.
  package func isDue(atStep step: Int) -> Bool { every > 0 && step % every == 0 }
}

/// Hashes a training's parameters: rank 0 makes the records that `lstm-dist verify` compares; with paranoia all ranks
/// compare, and one that differs ends the job with its name.
final class ParameterVerification {
  private let policy: VerificationPolicy
  private let world: World
  private let training: Training
  private let tensors: ParameterTensors
  /// What does not change: configuration, data, plan.
  private let constants: [(name: String, word: UInt64)]
  /// The link of the last record that was written.
  private(set) var chain: UInt64 = 0

  init(
    world: World, training: Training, policy: VerificationPolicy, configuration: String, identity: DataIdentity
  ) {
    self.world = world
    self.training = training
    self.policy = policy
    tensors = ParameterTensors(training.setup.shape)
    let plan = training.replica.plan
    constants = [
      ("the configuration", XXHash64.hash(configuration)),
      ("the vocabulary", identity.vocabulary.withUnsafeBytes { XXHash64.hash($0) }),
      ("the data", XXHash64.hash(identity.tokensSHA256)),
      ("the plan", XXHash64.hash([plan.globalBatch, plan.shards, plan.ranks].map { UInt64($0) })),
    ]
  }

  /// Every rank calls it before the first step, with parameters in place. `chain` counts on rank 0.
  func begin(step: Int, chain: UInt64) throws {
    self.chain = chain
    guard policy.paranoid else { return }
    training.watchParameters()
    try agree(step, hashes: tensors.hashes(training.replica.parameters))
  }

  /// Every rank calls it after a step. A record where one is due, on rank 0; `written` comes next.
  func completed(_ step: Int) throws -> ParameterRecord? {
    guard policy.isDue(atStep: step) else { return nil }
    let isRoot = world.communicator.rank == 0
    guard isRoot || policy.paranoid else { return nil }
    let hashes = tensors.hashes(training.replica.parameters)
    if policy.paranoid { try agree(step, hashes: hashes) }
    guard isRoot else { return nil }
    return ParameterRecord(
      step: step, ranks: world.communicator.size,
      chain: ParameterTensors.link(after: chain, step: step, hashes: hashes), names: tensors.names, hashes: hashes)
  }

  /// A record has been written: the next one follows on it.
  func written(_ record: ParameterRecord) { chain = record.chain }

  /// Ends the job where a rank holds something else than the others; the lowest rank says so.
  private func agree(_ step: Int, hashes: [UInt64]) throws {
    let names = constants.map(\.name) + ["the step", "the order of reductions"] + tensors.names
    let words = constants.map(\.word) + [UInt64(step), training.reductionOrder] + hashes
    let all = try world.communicator.allGather(words)
    world.agree {
      guard let difference = RankComparison(names: names, words: all) else { return }
      throw Problem(
        .internalError,
        "ranks disagree about \(difference.what) — expected \(hexadecimal(difference.expected)) as on "
          + "\(all.count - difference.ranks.count) of \(all.count) ranks, got \(hexadecimal(difference.got)) on "
          + "\(difference.rankList) (after step \(step))")
    }
  }
}
