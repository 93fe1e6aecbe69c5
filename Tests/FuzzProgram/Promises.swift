import Checkpoints
import Configuration
import Sequences

/// What a reader gave back that it should not have.
struct Broken: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// What is wrong with an error: it must have the form "what — expected x, got y (where)", and the exit code of bad data
/// or a bad configuration.
func objection(to error: any Error) -> String? {
  let (message, exitCode): (String, Int32)
  switch error {
  case let error as CheckpointError: (message, exitCode) = (error.message, error.exitCode)
  case let error as SequenceError: (message, exitCode) = (error.message, error.exitCode)
  case let error as ConfigurationError: (message, exitCode) = (error.message, error.exitCode)
  default: return "an error of no known kind"
  }
  // A manifest may name a file that is not there.
  let isAbsence = exitCode == 74 && message.contains("nothing of that name")
  if ![65, 78].contains(exitCode), !isAbsence { return "exit code \(exitCode)" }
  return message.contains(" — expected ") ? nil : "a message without what was expected"
}
