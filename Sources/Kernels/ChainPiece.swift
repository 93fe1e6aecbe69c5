/// A piece of the chains of a gradient that is summed in several pieces, the last timesteps first: where the sums of
/// each shard wait between two of them. What comes out has the bits of chains in one piece, for a chain goes on from
/// the number that it finds.
package struct ChainPiece {
  /// The sums of the first shard of the pass, laid out as a gradient is.
  package let sums: UnsafeMutablePointer<Float>
  /// Floats from the sums of a shard to those of the next.
  package let shardStride: Int
  /// Whether the chains begin with this piece, at +0.0, whatever `sums` holds.
  package let begins: Bool
  /// Whether they end with it: then shards are added up, and `sums` is not written.
  package let ends: Bool

  /// The piece with these properties.
  package init(sums: UnsafeMutablePointer<Float>, shardStride: Int, begins: Bool, ends: Bool) {
    (self.sums, self.shardStride, self.begins, self.ends) = (sums, shardStride, begins, ends)
  }

  /// The same piece for the part of the gradient that begins there.
  package func from(_ offset: Int) -> ChainPiece {
    ChainPiece(sums: sums + offset, shardStride: shardStride, begins: begins, ends: ends)
  }

  /// Where the sums of a shard of the pass wait.
  package func sums(ofShard shard: Int) -> UnsafeMutablePointer<Float> { sums + shard * shardStride }
}
