internal import CMPI

/// Which threads of a rank may call MPI (MPI 4.0 §11.6.2). Each level includes the ones before it.
public enum ThreadLevel: Int, Comparable, Sendable, CustomStringConvertible {
  /// The process has one thread.
  case single
  /// Only the thread that started MPI calls it.
  case funneled
  /// Any thread, one at a time.
  case serialized
  /// Any thread at any time.
  case multiple

  /// Orders the levels from `single` to `multiple`.
  public static func < (a: ThreadLevel, b: ThreadLevel) -> Bool { a.rawValue < b.rawValue }

  /// The standard's name.
  public var description: String {
    switch self {
    case .single: "MPI_THREAD_SINGLE"
    case .funneled: "MPI_THREAD_FUNNELED"
    case .serialized: "MPI_THREAD_SERIALIZED"
    case .multiple: "MPI_THREAD_MULTIPLE"
    }
  }

  var mpiValue: Int32 {
    switch self {
    case .single: Int32(MPI_THREAD_SINGLE)
    case .funneled: Int32(MPI_THREAD_FUNNELED)
    case .serialized: Int32(MPI_THREAD_SERIALIZED)
    case .multiple: Int32(MPI_THREAD_MULTIPLE)
    }
  }

  /// The highest level that `provided`, in the library's numbers, includes: the standard orders them (§11.6.2).
  init(provided: Int32) {
    let levels: [ThreadLevel] = [.funneled, .serialized, .multiple]
    self = levels.last { $0.mpiValue <= provided } ?? .single
  }
}
