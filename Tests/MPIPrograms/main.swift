import Foundation
import MPI

/// `mpi-programs NAME …`: each program checks what it received against a plainly computed truth and throws where they
/// differ. Behind each that succeeds rank 0 prints `ok NAME P`.
let programs: [String: (World) throws -> Void] = [
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

let names = Array(CommandLine.arguments.dropFirst())
guard !names.isEmpty, names.allSatisfy({ programs[$0] != nil }) else {
  print("usage: mpi-programs NAME …, of \(programs.keys.sorted().joined(separator: " "))")
  exit(64)
}
World.run(threads: .serialized) { world in
  for name in names {
    do {
      try programs[name]!(world)
      try world.communicator.barrier()
    } catch  where !(error is Failure) {
      throw Failure("\(name): \(error)", exitCode: 1)
    }
    if world.communicator.rank == 0 { print("ok \(name) \(world.communicator.size)") }
  }
}
