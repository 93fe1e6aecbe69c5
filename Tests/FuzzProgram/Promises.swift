import Problems

/// What a reader gave back that it should not have.
struct Broken: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// What is wrong with an error: it must have the form "what — expected x, got y (where)", and the exit code of bad data
/// or a bad configuration.
func objection(to error: any Error) -> String? {
  guard let problem = error as? Problem else { return "an error of no known kind" }
  // A manifest may name a file that is not there.
  let isAbsence = problem.exit == .inputOutput && problem.message.contains("nothing of that name")
  if ![.badData, .badConfiguration].contains(problem.exit), !isAbsence { return "exit code \(problem.exitCode)" }
  return problem.message.contains(" — expected ") ? nil : "a message without what was expected"
}
