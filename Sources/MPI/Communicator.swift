internal import CMPI
import Glibc

/// A group of ranks with a communication context of its own: its messages never match those of another communicator
/// (MPI 4.0 §7).
///
/// The value is a handle: copying it does not duplicate the communicator.
///
/// Every call that fails throws an `MPIError`; none traps. Before a call of MPI the arguments are checked: ranks in
/// `0..<size`, tags and counts in `0...Int32.max`, segments that lie in their buffer, lengths that fit, separate send
/// and receive memory. A rank whose arguments are refused makes no MPI call, so that the others may wait in theirs: let
/// the error leave the body of `World.run`, which ends the job.
public struct Communicator: Sendable {
  let handle: CMPI_Comm

  /// This process's number in the group, in `0..<size`.
  /// The corresponding MPI function is `MPI_Comm_rank` (MPI 4.0 §7.4.1).
  public let rank: Int

  /// P, the number of ranks in the group.
  /// The corresponding MPI function is `MPI_Comm_size` (MPI 4.0 §7.4.1).
  public let size: Int

  /// Makes the library return errors of this communicator instead of ending the process in its own way.
  /// The corresponding MPI function is `MPI_Comm_set_errhandler` (MPI 4.0 §9.3.1).
  init(handle: CMPI_Comm) throws(MPIError) {
    try check("MPI_Comm_set_errhandler", MPI_Comm_set_errhandler(handle.handle, MPI_ERRORS_RETURN.handle))
    var rank: Int32 = 0
    var size: Int32 = 0
    try check("MPI_Comm_rank", MPI_Comm_rank(handle.handle, &rank))
    try check("MPI_Comm_size", MPI_Comm_size(handle.handle, &size))
    self.handle = handle
    self.rank = Int(rank)
    self.size = Int(size)
  }

  /// The same group with a communication context of its own. Collective.
  /// The corresponding MPI function is `MPI_Comm_dup` (MPI 4.0 §7.4.2).
  public func duplicate() throws(MPIError) -> Communicator {
    var new = handle
    try check("MPI_Comm_dup", MPI_Comm_dup(handle.handle, &new.handle))
    return try Communicator(handle: new)
  }

  /// One communicator for each color (0 or more), with the ranks that pass it, ordered by `key`, then by their rank
  /// here. A rank whose color is nil joins none and gets nil. Collective.
  /// The corresponding MPI function is `MPI_Comm_split` (MPI 4.0 §7.4.2).
  public func split(color: Int?, key: Int) throws(MPIError) -> Communicator? {
    let call = "MPI_Comm_split"
    let mpiColor = if let color { try int32Count(color, call) } else { Int32(MPI_UNDEFINED) }
    var new = handle
    try check(call, MPI_Comm_split(handle.handle, mpiColor, try int32Key(key, call), &new.handle))
    return color == nil ? nil : try Communicator(handle: new)
  }

  /// One communicator for each set of ranks that can share memory, in practice for each node, ordered by `key`, then by
  /// their rank here. Collective.
  /// The corresponding MPI function is `MPI_Comm_split_type` (MPI 4.0 §7.4.2).
  public func splitBySharedMemory(key: Int) throws(MPIError) -> Communicator {
    let call = "MPI_Comm_split_type"
    var new = handle
    let kind = Int32(MPI_COMM_TYPE_SHARED)
    let mpiKey = try int32Key(key, call)
    try check(call, MPI_Comm_split_type(handle.handle, kind, mpiKey, MPI_INFO_NULL.handle, &new.handle))
    return try Communicator(handle: new)
  }

  /// Frees the communicator. No copy of this value may be used afterwards. Collective.
  /// The corresponding MPI function is `MPI_Comm_free` (MPI 4.0 §7.4.3).
  public consuming func free() throws(MPIError) {
    var old = handle
    try check("MPI_Comm_free", MPI_Comm_free(&old.handle))
  }

  /// Ends every rank of the job, and this process in any case. Print the reason first: the library's text does not
  /// contain it. `World.fail` does both.
  /// The corresponding MPI function is `MPI_Abort` (MPI 4.0 §11.4.2).
  public func abort(exitCode: Int32) -> Never {
    MPI_Abort(handle.handle, exitCode)
    _exit(exitCode)
  }

  private func int32Key(_ key: Int, _ call: String) throws(MPIError) -> Int32 {
    guard let narrow = Int32(exactly: key) else {
      throw .refused(call, "key — expected \(Int32.min)...\(Int32.max), got \(key)")
    }
    return narrow
  }
}
