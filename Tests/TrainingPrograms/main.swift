import Glibc
import MPI

/// `training-programs NAME ARGUMENTS`: trainings with what no command can give them, such as a fault or a counter of
/// allocations. What each does with its arguments is said in its file.
let programs: [String: (World, [String]) throws -> Void] = [
  "allocations": allocations,
  "classifier": classifier,
  "memory": memory,
  "nonfinite": nonFinite,
  "paranoid": paranoid,
  "replay": replay,
  "watchdog": watchdog,
]

let arguments = Array(CommandLine.arguments.dropFirst())
guard let program = arguments.first.flatMap({ programs[$0] }) else {
  print("usage: training-programs \(programs.keys.sorted().joined(separator: "|")) ARGUMENTS")
  exit(64)
}
World.run { world in try program(world, Array(arguments.dropFirst())) }
