internal import CMPI

/// An MPI call that failed: either the library returned an error, or this module refused the arguments.
public struct MPIError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The MPI function that failed or was not called, e.g. `MPI_Allreduce`.
  public let call: String

  /// The code that the library returned; nil if the arguments were refused before the call.
  public let code: Int32?

  /// The library's text for the code (`MPI_Error_string`, MPI 4.0 §9.3.5), or why the arguments were refused, with the
  /// value that was expected and the one that was passed.
  public let text: String

  /// One line: the call, whether it failed or was not made, and the text.
  public var description: String {
    code == nil ? "\(call) was not called: \(text)" : "\(call) failed: \(text)"
  }
}

extension MPIError {
  /// An error for arguments that must not reach the library.
  static func refused(_ call: String, _ text: String) -> MPIError {
    MPIError(call: call, code: nil, text: text)
  }
}

/// The one place where return codes become errors.
func check(_ call: String, _ code: Int32) throws(MPIError) {
  if code != MPI_SUCCESS { throw MPIError(call: call, code: code, text: errorText(code)) }
}

/// The library's text for an error code.
/// The corresponding MPI function is `MPI_Error_string` (MPI 4.0 §9.3.5).
private func errorText(_ code: Int32) -> String {
  var length: Int32 = 0
  var known = false
  let text = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(MPI_MAX_ERROR_STRING) + 1) { characters in
    characters.initialize(repeating: 0)
    known = MPI_Error_string(code, characters.baseAddress!, &length) == MPI_SUCCESS
    return String(cString: characters.baseAddress!)
  }
  return known ? text : "error code \(code), for which MPI has no text"
}

// MARK: Checks of arguments

/// The count as the C bindings without the suffix `_c` take it: an `int` (MPI 4.0 §2.5.8).
func int32Count(_ count: Int, _ call: String) throws(MPIError) -> Int32 {
  guard let narrow = Int32(exactly: count), narrow >= 0 else {
    throw .refused(call, "count of elements — expected 0...\(Int32.max), got \(count)")
  }
  return narrow
}

/// Refuses a count that differs from the one that the other arguments require.
func expectCount(_ what: String, _ expected: Int, _ got: Int, _ call: String) throws(MPIError) {
  if expected != got { throw .refused(call, "\(what) — expected \(expected), got \(got)") }
}

/// Refuses buffers that share memory: an output argument must not alias another argument (MPI 4.0 §2.3).
func expectDisjoint(
  _ send: UnsafeRawBufferPointer, _ receive: UnsafeMutableRawBufferPointer, _ call: String
) throws(MPIError) {
  guard let a = send.baseAddress, let b = receive.baseAddress, !send.isEmpty, !receive.isEmpty else { return }
  if a < UnsafeRawPointer(b) + receive.count, UnsafeRawPointer(b) < a + send.count {
    throw .refused(call, "the send and the receive buffer — expected separate memory, got an overlap")
  }
}

extension Communicator {
  /// A rank of this communicator as MPI takes it.
  func int32Rank(_ rank: Int, _ call: String) throws(MPIError) -> Int32 {
    guard (0..<size).contains(rank) else {
      throw .refused(call, "rank — expected 0..<\(size), got \(rank)")
    }
    return Int32(rank)
  }

  /// `whole` cut into `size` parts of equal length: the length.
  func equalPart(of whole: Int, _ call: String) throws(MPIError) -> Int {
    guard whole % size == 0 else {
      throw .refused(call, "count of elements — expected a multiple of \(size) ranks, got \(whole)")
    }
    return whole / size
  }
}
