// How ranks may exchange what they compute: choices of a run, which every module knows by the same names.

/// How gradients are added over ranks.
package enum ReductionMethod: String, CaseIterable, Sendable {
  /// In the order of the summation tree over logical shards: the same bits for every number of ranks.
  case reproducible
  /// By `MPI_Allreduce`, whose order of additions the standard leaves open.
  case mpi
}

/// Which rows of an embedding's gradient travel between ranks; the sum has the same bits either way.
package enum EmbeddingRows: String, CaseIterable, Sendable {
  /// Those that some rank has seen.
  case sparse
  /// All of them.
  case dense
}

/// Whether ranks of a node share one copy of the parameters and of the packed weights, and read each other's gradients.
package enum SharedMemory: String, CaseIterable, Sendable {
  /// Where it is possible.
  case auto
  /// It must be possible.
  case on
  /// Never: every rank has copies, and gradients travel as messages.
  case off
}
