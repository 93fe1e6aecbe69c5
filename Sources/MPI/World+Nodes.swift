import Glibc

extension World {
  /// Runs `body`, which leaves something on the disk, on rank 0, and then on the first rank of every other node, which
  /// may find it there already, or have a disk of its own; all ranks have to call it at the same point. Returns when it
  /// has succeeded on all of them, as `agree` does. The others sleep meanwhile: `body` may take minutes.
  /// - Parameter node: the ranks of this rank's node, in the order of all ranks; by default as MPI knows them.
  public func onEachNode(_ node: Communicator? = nil, _ body: () throws -> Void) throws {
    let node = node ?? self.node
    for turn in [0, 1] {
      let isTurn = node.rank == 0 && (communicator.rank == 0) == (turn == 0)
      let outcome = Result { if isTurn { try body() } }
      sleepUntilAllAreHere()
      agree { try outcome.get() }
    }
  }

  /// A barrier that leaves the processor to the ranks that are not there yet.
  private func sleepUntilAllAreHere() {
    do {
      var barrier = try communicator.startBarrier()
      while try !barrier.test() { usleep(1000) }
      try barrier.wait()
    } catch { fail(error) }
  }
}
