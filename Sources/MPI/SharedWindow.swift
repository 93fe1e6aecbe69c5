internal import CMPI

/// Memory that all ranks of one node read and write by loads and stores: a segment for each rank, zero at first, mapped
/// into all of them.
///
/// What a rank writes is visible to the others once all have called `barrier`. The memory lives until MPI is finalized:
/// `deinit` frees nothing, since it could run after that.
public final class SharedWindow {
  /// The ranks that share the memory.
  public let communicator: Communicator
  private let window: CMPI_Win
  private let segments: [UnsafeMutableRawPointer]

  /// Allocates a segment of `byteCount` bytes, 0 or more, for this rank; the other ranks may pass other sizes. Segments
  /// begin at multiples of 4096 bytes. Collective over ranks that can share memory: `Communicator.splitBySharedMemory`.
  /// The corresponding MPI functions are `MPI_Win_allocate_shared` and `MPI_Win_shared_query` (MPI 4.0 §12.2.3),
  /// `MPI_Win_set_errhandler` (§9.3.2) and `MPI_Win_lock_all` (§12.5.3).
  /// - Throws: if the library returns an error. Too little space in `/dev/shm` may end the process instead: compare it
  ///   with the sum of the segments first.
  public init(byteCount: Int, on communicator: Communicator) throws(MPIError) {
    precondition(byteCount >= 0, "a window cannot hold \(byteCount) bytes")
    self.communicator = communicator
    var window = MPI_WIN_NULL
    var base: UnsafeMutableRawPointer?
    // The library stores its own data ahead of the memory: one page more, so that the segment can begin at a page.
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
    // One access epoch for the life of the window: all access is by loads and stores.
    try check("MPI_Win_lock_all", MPI_Win_lock_all(MPI_MODE_NOCHECK, window.handle))
    self.window = window
    self.segments = segments
    // The standard does not say what the memory holds. That of several ranks is a new file, of zeros; that of one rank
    // is a piece of the heap, which may have been used before.
    if communicator.size == 1 { segments[0].initializeMemory(as: UInt8.self, repeating: 0, count: byteCount) }
  }

  private static let page = 4096

  private static func wholePages(_ byteCount: Int) -> Int { (byteCount + page - 1) / page * page }

  /// The first byte of a rank's segment, 4096-byte aligned. A rank outside `0..<communicator.size` traps.
  public func segment(ofRank rank: Int) -> UnsafeMutableRawPointer { segments[rank] }

  /// Waits for all ranks and makes what each has written before visible to all. Collective.
  /// The corresponding MPI functions are `MPI_Win_sync` (MPI 4.0 §12.5.4) and `MPI_Barrier` (§6.3).
  public func barrier() throws(MPIError) {
    try check("MPI_Win_sync", MPI_Win_sync(window.handle))
    try communicator.barrier()
    try check("MPI_Win_sync", MPI_Win_sync(window.handle))
  }
}
