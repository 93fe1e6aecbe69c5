/// Everything that decides what a run computes, each value resolved: given by the user or taken from the defaults of
/// the task. What a field means and may be is said by its key, below it. Resolving gives every key a value, so none of
/// the first values is ever seen.
package struct Configuration: Sendable, Equatable {
  package internal(set) var task = Task.reber
  package internal(set) var data = Data()
  package internal(set) var audio = Audio()
  package internal(set) var model = Model()
  package internal(set) var batch = Batch()
  package internal(set) var optimizer = Optimizer()
  package internal(set) var training = Training()
  package internal(set) var schedule = Schedule()
  package internal(set) var checkpoint = Checkpoint()
  package internal(set) var nonFinite = NonFinite()
  package internal(set) var seed: UInt64 = 0
  package internal(set) var distributed = Distributed()
  package internal(set) var watchdog = Watchdog()
  package internal(set) var verify = Verify()
  package internal(set) var paranoid = false
}

extension ConfigurationKey {
  /// Every key, in the order in which they are written. A default may follow from the keys before it.
  package static let all: [ConfigurationKey] = [
    Configuration.Task.keys, Configuration.Data.keys, Configuration.Audio.keys, Configuration.Model.keys,
    Configuration.Batch.keys, Configuration.Optimizer.keys, Configuration.Training.keys, Configuration.Schedule.keys,
    Configuration.Checkpoint.keys, Configuration.NonFinite.keys, Configuration.seedKeys, Configuration.Distributed.keys,
    Configuration.Watchdog.keys, Configuration.Verify.keys, Configuration.paranoidKeys,
  ].flatMap(\.self)
}
