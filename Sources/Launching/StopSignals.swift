import Glibc

/// What the launcher does about signals. A pure state machine: running → (stopping →) ending → killing.
package struct StopSignals {
  package enum Action: Equatable {
    /// Nothing: it was answered before.
    case none
    /// The ranks are told to stop and to save what they have.
    case stop
    /// The job ends; mpirun is given the time to clear up.
    case end
    /// The job ends at once.
    case kill
  }

  /// Whether the first signal is a stop in good order.
  package let stopsInGoodOrder: Bool
  /// The signal that stops the job; nil while there was none.
  package private(set) var stop: Int32?
  /// The signal that ends the job before it has come to its own end; nil while there was none.
  package private(set) var end: Int32?

  package init(stopsInGoodOrder: Bool) { self.stopsInGoodOrder = stopsInGoodOrder }

  package mutating func action(on signal: Int32) -> Action {
    let insists = [SIGINT, SIGTERM, SIGQUIT].contains(signal)
    if end != nil { return insists ? .kill : .none }
    if stopsInGoodOrder, stop == nil, signal != SIGQUIT {
      stop = signal
      return .stop
    }
    guard stop == nil || insists else { return .none }
    end = signal
    return stopsInGoodOrder ? .kill : .end
  }

  /// As users type it: SIGINT.
  package static func name(_ signal: Int32) -> String {
    let names = [
      SIGHUP: "SIGHUP", SIGINT: "SIGINT", SIGQUIT: "SIGQUIT", SIGILL: "SIGILL", SIGTRAP: "SIGTRAP", SIGABRT: "SIGABRT",
      SIGBUS: "SIGBUS", SIGFPE: "SIGFPE", SIGKILL: "SIGKILL", SIGUSR1: "SIGUSR1", SIGSEGV: "SIGSEGV",
      SIGUSR2: "SIGUSR2",
      SIGPIPE: "SIGPIPE", SIGTERM: "SIGTERM", SIGXCPU: "SIGXCPU", SIGXFSZ: "SIGXFSZ",
    ]
    return names[signal] ?? "signal \(signal)"
  }
}
