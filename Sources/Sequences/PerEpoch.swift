import Synchronization

/// Something that is a pure function of the epoch and costs much to make, such as its order. The one last asked for is
/// kept: every step of an epoch needs it. Copies of a source share what is kept, which changes nothing but the time.
final class PerEpoch<Value: Sendable>: Sendable {
  private let make: @Sendable (_ epoch: Int) -> Value
  private let last = Mutex<(epoch: Int, value: Value)?>(nil)

  init(_ make: @escaping @Sendable (_ epoch: Int) -> Value) { self.make = make }

  func callAsFunction(_ epoch: Int) -> Value {
    last.withLock { last in
      if let last, last.epoch == epoch { return last.value }
      let value = make(epoch)
      last = (epoch, value)
      return value
    }
  }
}
