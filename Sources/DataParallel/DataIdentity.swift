import Checkpoints
import Kernels
import MPI

/// What the data of a run is, as checkpoints hold it: a run must not go on with other data.
public struct DataIdentity: Equatable, Sendable {
  /// The vocabulary as JSON.
  public let vocabulary: [UInt8]
  /// SHA-256 of the tokens, in lowercase hexadecimal digits.
  public let tokensSHA256: String

  /// The identity of data with this vocabulary and these tokens, part after part.
  public init(vocabulary: [UInt8], tokens: [[Int32]]) {
    self.vocabulary = vocabulary
    tokensSHA256 = sha256(ofParts: tokens)
  }

  /// The identity of data whose tokens have this SHA-256.
  public init(vocabulary: [UInt8], tokensSHA256: String) {
    (self.vocabulary, self.tokensSHA256) = (vocabulary, tokensSHA256)
  }

  /// The identity that a checkpoint holds.
  public init(_ checkpoint: Checkpoint) throws {
    let state = try checkpoint.open(CheckpointFiles.state)
    vocabulary = try state.values("vocabulary", as: UInt8.self)
    tokensSHA256 = String(decoding: try state.values("tokensSHA256", as: UInt8.self), as: UTF8.self)
  }
}

extension DataIdentity {
  /// Ends the job where some ranks have other data than most, as they do where hosts have different files under one
  /// name. Every rank calls it.
  public func agree(_ world: World) throws {
    let words = [vocabulary.withUnsafeBytes { XXHash64.hash($0) }, XXHash64.hash(tokensSHA256)]
    let all = try world.communicator.allGather(words)
    world.agree {
      guard let difference = RankComparison(names: ["vocabulary", "tokens"], words: all) else { return }
      throw Failure(
        message: "error: ranks have different data — expected the same everywhere, got other \(difference.what) on "
          + "\(difference.rankList) than on most\nhint: files of data must be the same on all hosts", exitCode: 65)
    }
  }
}
