internal import CMPI

/// Memory that all ranks of one node read and write: a segment for each rank, zero at first, mapped by all of them.
///
/// What one rank writes another sees after both have called `barrier`. Lives until MPI ends: there is no call in
/// `deinit`, which could run after the end.
public final class SharedWindow {
  /// The ranks that share.
  public let communicator: Communicator
  private let window: CMPI_Win
  private let segments: [UnsafeMutableRawPointer]

  /// A segment of `byteCount` bytes for this rank; others may ask for other sizes. Segments begin at multiples of a
  /// page. Collective over ranks that can share memory: `Communicator.splitBySharedMemory`.
  /// The corresponding MPI functions are `MPI_Win_allocate_shared` and `MPI_Win_shared_query` (MPI 4.0 §12.2.3).
  /// - Throws: where the library refuses. Too little space in `/dev/shm` may end the process instead: compare before.
  public init(byteCount: Int, on communicator: Communicator) throws(MPIError) {
    precondition(byteCount >= 0, "a window cannot hold \(byteCount) bytes")
    self.communicator = communicator
    var window = MPI_WIN_NULL
    var base: UnsafeMutableRawPointer?
    // The library puts its own notes before the memory, so one page more, to begin at the next.
    let bytes = SharedWindow.wholePages(byteCount) + SharedWindow.page
    try check(
      "MPI_Win_allocate_shared",
      MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL.handle, communicator.handle.handle, &base, &window.handle))
    try check("MPI_Win_set_errhandler", MPI_Win_set_errhandler(window.handle, MPI_ERRORS_RETURN.handle))
    var segments: [UnsafeMutableRawPointer] = []
    for rank in 0..<communicator.size {
      var (size, unit, start) = (MPI_Aint(0), Int32(0), UnsafeMutableRawPointer?.none)
      try check("MPI_Win_shared_query", MPI_Win_shared_query(window.handle, Int32(rank), &size, &unit, &start))
      guard let start else { throw .refused("MPI_Win_shared_query", "rank \(rank) — expected a segment, got none") }
      segments.append(start.alignedUp(toMultipleOf: SharedWindow.page))
    }
    // One epoch for the whole life of the window: all access is by loads and stores.
    try check("MPI_Win_lock_all", MPI_Win_lock_all(MPI_MODE_NOCHECK, window.handle))
    self.window = window
    self.segments = segments
  }

  private static let page = 4096

  private static func wholePages(_ byteCount: Int) -> Int { (byteCount + page - 1) / page * page }

  /// The first byte of a rank's segment.
  public func segment(ofRank rank: Int) -> UnsafeMutableRawPointer { segments[rank] }

  /// Waits for all ranks; what they wrote before is seen by all afterwards. Collective.
  /// The corresponding MPI functions are `MPI_Win_sync` (MPI 4.0 §12.5.4) and `MPI_Barrier` (§6.3).
  public func barrier() throws(MPIError) {
    try check("MPI_Win_sync", MPI_Win_sync(window.handle))
    try communicator.barrier()
    try check("MPI_Win_sync", MPI_Win_sync(window.handle))
  }
}
