import ExactMath
import Files
import JobHealth
import MPI
import Problems
import Runs

/// What the data of a run is, as checkpoints hold it: a run must not go on with other data.
package struct DataIdentity: Equatable, Sendable {
  /// The vocabulary as JSON.
  package let vocabulary: [UInt8]
  /// SHA-256 of the tokens, in lowercase hexadecimal digits.
  package let tokensSHA256: String

  /// The identity of data with this vocabulary and these tokens, part after part.
  package init(vocabulary: [UInt8], tokens: [[Int32]]) {
    self.vocabulary = vocabulary
    tokensSHA256 = sha256(ofParts: tokens)
  }

  /// The identity of data whose tokens have this SHA-256.
  package init(vocabulary: [UInt8], tokensSHA256: String) {
    (self.vocabulary, self.tokensSHA256) = (vocabulary, tokensSHA256)
  }

  /// The identity that a checkpoint holds.
  package init(_ checkpoint: Checkpoint) throws {
    let state = try StateFile(checkpoint)
    (vocabulary, tokensSHA256) = (try state.vocabulary(), try state.tokensSHA256())
  }
}

extension DataIdentity {
  /// What ranks must agree on. They have different data where hosts have different files under one name.
  package var claims: [World.Claim] {
    let vocabulary = vocabulary.withUnsafeBytes { XXHash64.hash($0) }
    return [
      ("the data's vocabulary", hexadecimal(vocabulary)), ("the data's tokens", String(tokensSHA256.prefix(16))),
    ]
  }

  /// What to do where they do not.
  package static let hint = "files of data must be the same on all hosts"
}
