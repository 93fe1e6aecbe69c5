import Foundation
import MPI

/// One scenario per job: `mpi-programs NAME`. A scenario checks what it received against a plainly computed truth and
/// throws where they differ. At the end rank 0 prints `ok NAME P`.
let scenarios: [String: (World) throws -> Void] = [
  "environment": environment,
  "communicators": communicators,
  "messages": messages,
  "reductions": reductions,
  "gathers": gathers,
  "exchanges": exchanges,
  "values": values,
  "nonBlockingMessages": nonBlockingMessages,
  "nonBlockingReductions": nonBlockingReductions,
  "nonBlockingGathers": nonBlockingGathers,
  "nonBlockingExchanges": nonBlockingExchanges,
  "requestQueue": requestQueue,
  "ownedBuffers": ownedBuffers,
  "sharedWindow": sharedWindow,
  "eachNode": eachNode,
  "eachNodeFails": eachNodeFails,
  "refusals": refusals,
  "libraryError": libraryError,
  "throwOnLast": throwOnLast,
  "throwOnAll": throwOnAll,
  "agreeAll": agreeAll,
  "agreeOne": agreeOne,
  "failWithLiveRequest": failWithLiveRequest,
  "dropRequest": dropRequest,
  "dropQueue": dropQueue,
  "shortMessage": shortMessage,
]

guard CommandLine.arguments.count == 2, let scenario = scenarios[CommandLine.arguments[1]] else {
  print("usage: mpi-programs \(scenarios.keys.sorted().joined(separator: "|"))")
  exit(64)
}
World.run(threads: .serialized) { world in
  try scenario(world)
  try world.communicator.barrier()
  if world.communicator.rank == 0 { print("ok \(CommandLine.arguments[1]) \(world.communicator.size)") }
}
