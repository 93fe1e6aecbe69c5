import Glibc

extension World {
  /// Runs `body` on rank 0 and then, at the same time, on the first rank of every other node: for work that writes
  /// files which a node may share with rank 0 or keep on a disk of its own. Every rank must call it at the same point.
  /// Returns once `body` has succeeded on all nodes; an error ends the job as in `agree`. The other ranks sleep
  /// meanwhile, so that `body` may take minutes.
  /// The corresponding MPI functions are `MPI_Ibarrier` (MPI 4.0 §6.12.1), `MPI_Test` (§3.7.3) and `MPI_Allreduce`
  /// (§6.9.6).
  /// - Parameter node: the ranks of this rank's node, in the order of all ranks; nil stands for `self.node`.
  public func onEachNode(_ node: Communicator? = nil, _ body: () throws -> Void) throws {
    let node = node ?? self.node
    for turn in [0, 1] {
      let isTurn = node.rank == 0 && (communicator.rank == 0) == (turn == 0)
      let outcome = Result { if isTurn { try body() } }
      sleepUntilAllAreHere()
      agree { try outcome.get() }
    }
  }

  /// A barrier that leaves the processor to the ranks that have not reached it.
  private func sleepUntilAllAreHere() {
    do {
      var barrier = try communicator.startBarrier()
      while try !barrier.test() { usleep(1000) }
      try barrier.wait()
    } catch { fail(error) }
  }
}
