import Plan

extension Configuration {
  static let seedKeys: [ConfigurationKey] = [
    .init(
      "seed", \.seed, .seed, .always("1"), "Weights, dropout, data order and generated strings all follow from it.")
  ]

  /// How ranks work together.
  package struct Distributed: Sendable, Equatable {
    package internal(set) var reduction = ReductionMethod.reproducible
    package internal(set) var sharedMemory = SharedMemory.auto
    package internal(set) var embedding = EmbeddingRows.sparse

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
