import MPI
import Plan
import Timing

/// The reducer that the setup and the ranks' places call for: over shared memory, by messages, or both. Collective.
package func makeReducer(
  _ plan: ReductionPlan, reduction: ReductionMethod, memory: GradientMemory, sharing: NodeSharing, world: World,
  clock: StepClock
) throws -> any Reducer {
  if let node = sharing.node, let nodes = sharing.nodes {
    return try NodeReducer(plan, memory: memory, world: world, node: node, nodes: nodes, clock: clock)
  }
  if world.communicator.size == 1 || sharing.node != nil {
    return try SharedMemoryReducer(plan, memory: memory, world: world, node: sharing.node, clock: clock)
  }
  switch reduction {
  case .reproducible: return try MessageReducer(plan, memory: memory, world: world, clock: clock)
  case .mpi: return AllReduceReducer(plan, memory: memory, world: world, clock: clock)
  }
}
