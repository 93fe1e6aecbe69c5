internal import CMPI

/// Which threads of a rank may call MPI (MPI 4.0 §11.2.1). A higher level includes the lower ones.
public enum ThreadLevel: Int, Comparable, Sendable, CustomStringConvertible {
  /// The process has only one thread.
  case single
  /// Only the thread that called `World.run` calls MPI.
  case funneled
  /// Any thread may call MPI, one at a time.
  case serialized
  /// Any thread may call MPI at any time.
  case multiple

  /// Orders the levels from `single` to `multiple`.
  public static func < (a: ThreadLevel, b: ThreadLevel) -> Bool { a.rawValue < b.rawValue }

  /// The standard's name, e.g. `MPI_THREAD_FUNNELED`.
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

  /// The highest level that `provided`, a constant of the library, includes: the standard orders them (§11.2.1).
  init(provided: Int32) {
    let levels: [ThreadLevel] = [.funneled, .serialized, .multiple]
    self = levels.last { $0.mpiValue <= provided } ?? .single
  }
}
