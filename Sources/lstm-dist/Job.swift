import CMemory
import Glibc
import JobHealth
import Launching
import MPI
import Problems

/// Runs a command's body on all ranks and ends the process with the exit code that it returns. Errors become one
/// message and the exit code of their kind. Before anything else ranks compare the program that they run, begin to watch
/// each other, and compare `claims`, which is what it was called with.
func runJob(
  comparing claims: [World.Claim] = CommandArguments.ofThisProcess.all,
  presence: Presence = Presence(), _ body: (World) throws -> Int32
) -> Never {
  let describe: @Sendable (any Error) -> Failure = {
    let failure = failure(describing: $0)
    presence.failing(failure.exitCode)
    return failure
  }
  let code = World.run(describe: describe) { world in
    memory_name_rank(Int32(world.communicator.rank), Int32(world.communicator.size))
    // Where the arguments of some rank make no sense, it is here too, and ends the job.
    world.agree {}
    // Before anything that only the same program does in the same way.
    try world.agreeOnProgram()
    try presence.begin(world: world)
    try world.agree(on: claims)
    // Before anything is computed or written for nothing.
    world.requireOutput()
    presence.enter(.working)
    let code = try body(world)
    presence.end()
    // All files are complete before the first rank leaves with a code that makes the launcher end the others.
    world.requireOutput()
    return code
  }
  exit(code)
}

extension World {
  /// Ends all ranks where what rank 0 prints does not come out. Collective.
  fileprivate func requireOutput() {
    agree { if communicator.rank == 0, let failure = StandardOutput.failure { throw failure } }
  }
}

/// Says on rank 0 where ranks have no core of their own. Collective.
func warnOfPlacement(_ world: World) throws {
  if let warning = try Placement.warning(of: world) { printError(warning) }
}

/// The message and exit code of an error of any module.
private func failure(describing error: any Error) -> Failure {
  switch error {
  case let error as Problem:
    Failure(singleLine(error.message), hint: error.hint.map(singleLine), exitCode: error.exitCode)
  // A reader who has had enough needs no message.
  case let error as OutputFailure: Failure(describing: error.problem ?? Failure("", exitCode: OutputFailure.exitCode))
  // Without a code of MPI's it was refused before it reached MPI: a mistake of ours, not of a peer.
  case let error as MPIError: Failure(singleLine("\(error)"), exitCode: error.code == nil ? 70 : 77)
  default: Failure(describing: error)
  }
}
