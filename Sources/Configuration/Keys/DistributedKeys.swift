extension Configuration {
  static let seedKeys: [ConfigurationKey] = [
    .init(
      "seed", \.seed, .seed, .always("1"), "Weights, dropout, data order and generated strings all follow from it.")
  ]

  /// How ranks work together.
  package struct Distributed: Sendable, Equatable {
    /// How gradients are added over ranks.
    package enum Reduction: String, Sendable, CaseIterable {
      /// In tree order, the same bits for any number of ranks; or by MPI's all-reduce, in an order of its own.
      case reproducible, mpi
    }

    /// Whether ranks of one node share one copy of the parameters.
    package enum SharedMemory: String, Sendable, CaseIterable {
      /// Where it is possible; it must be; never.
      case auto, on, off
    }

    /// Which rows of the embedding's gradient travel.
    package enum Embedding: String, Sendable, CaseIterable {
      /// Those that some rank has seen, or all.
      case sparse, dense
    }

    package internal(set) var reduction = Reduction.reproducible
    package internal(set) var sharedMemory = SharedMemory.auto
    package internal(set) var embedding = Embedding.sparse

    static let keys: [ConfigurationKey] = [
      .init(
        "distributed.reduction", \.distributed.reduction, .choice, .always("reproducible"),
        "How gradients are added over ranks: reproducible gives the same bits for any number of ranks; mpi leaves the "
          + "order of summation to MPI_Allreduce."),
      .init(
        "distributed.sharedMemory", \.distributed.sharedMemory, .choice, .always("auto"), mayChangeOnResume: true,
        "Ranks of one node share one copy of the parameters and read each other's gradients: where it is possible (auto), "
          + "or else not at all (on), or never (off). The same bits either way."
      ).explained(
        "Between nodes, slices of a node's sum travel."),
      .init(
        "distributed.embedding", \.distributed.embedding, .choice, .always("sparse"), mayChangeOnResume: true,
        "Which rows of the embedding's gradient travel between ranks that do not share memory: those that some rank has "
          + "seen in the step (sparse), or all of them (dense). The same bits either way; reduction mpi sends all."),
    ]
  }
}
