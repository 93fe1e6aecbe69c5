import Glibc
import Launching
import Testing

@Suite struct StopSignalsTests {
  private func actions(_ signals: [Int32], stopsInGoodOrder: Bool) -> [StopSignals.Action] {
    var stops = StopSignals(stopsInGoodOrder: stopsInGoodOrder)
    return signals.map { stops.action(on: $0) }
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2])
  func theFirstSignalStopsATrainingAndEndsAnyOtherCommand(signal: Int32) {
    #expect(actions([signal], stopsInGoodOrder: true) == [.stop])
    #expect(actions([signal], stopsInGoodOrder: false) == [.end])
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGQUIT])
  func theSecondEndsATrainingAtOnce(signal: Int32) {
    #expect(actions([SIGHUP, signal], stopsInGoodOrder: true) == [.stop, .kill])
    #expect(actions([SIGINT, signal], stopsInGoodOrder: false) == [.end, .kill])
  }

  /// SIGXCPU comes every second, and a scheduler may send its warning more than once.
  @Test(arguments: [SIGHUP, SIGXCPU, SIGUSR1, SIGUSR2])
  func whatIsNoWishToEndDoesNotEndAStop(signal: Int32) {
    #expect(actions([signal, signal, signal], stopsInGoodOrder: true) == [.stop, .none, .none])
    #expect(actions([SIGINT, signal], stopsInGoodOrder: false) == [.end, .none])
  }

  @Test func aQuitIsNeverAStop() {
    #expect(actions([SIGQUIT], stopsInGoodOrder: true) == [.kill])
    #expect(actions([SIGQUIT], stopsInGoodOrder: false) == [.end])
  }
}
