import Reduction
import TestSupport
import Testing

/// The rows of all peers, gathered when the last one has brought its own.
final class VirtualGather {
  private var peers: [VirtualPeer] = []

  var isComplete: Bool { peers.count == peers.first?.plan.peers }

  func join(_ peer: VirtualPeer) {
    peers.append(peer)
    guard isComplete else { return }
    for receiver in peers {
      for sender in peers {
        let (from, to) = (sender.seen!.own, receiver.seen!.all)
        (to.baseAddress! + sender.rank * from.count).update(from: from.baseAddress!, count: from.count)
      }
    }
  }

  func clear() { peers = [] }
}

/// Does what an `ExchangeStateMachine` says, in memory of its own.
final class VirtualPeer {
  let plan: ExchangePlan
  let rank: Int
  private(set) var machine: ExchangeStateMachine
  /// The gradient of each of the peer's subtrees.
  let gradients: [UnsafeMutableBufferPointer<Float>]
  /// Elements that have been sent in each phase.
  private(set) var sent: [ExchangeStateMachine.Phase: Int] = [:]
  /// Parts that have departed and arrived, in order.
  private(set) var (departed, arrived): ([Int], [Int]) = ([], [])

  let seen: SeenRows?
  private let network: VirtualNetwork
  private let gather: VirtualGather
  private let (received, packed, zeros): (Memory, Memory, Memory)
  private let treeSum: TreeSum
  private var terms: [UnsafePointer<Float>]
  private var requests: [ExchangeStateMachine.Phase: [VirtualNetwork.Request]] = [:]

  private typealias Memory = UnsafeMutableBufferPointer<Float>

  /// - Parameter count: elements of the flat gradient.
  init(
    _ plan: ExchangePlan, rank: Int, count: Int, mostElements: Int, network: VirtualNetwork, gather: VirtualGather
  ) {
    func memory(_ count: Int, _ value: Float) -> Memory {
      let memory = Memory.allocate(capacity: count)
      memory.initialize(repeating: value)
      return memory
    }
    self.plan = plan
    self.rank = rank
    self.network = network
    self.gather = gather
    machine = ExchangeStateMachine(plan, rank: rank, mostElements: mostElements)
    seen = machine.seen
    gradients = plan.subtrees[rank].map { _ in memory(count, .nan) }
    received = memory(machine.receivedCount, .nan)
    packed = memory(machine.packedCount, .nan)
    zeros = memory(plan.table?.size ?? 0, 0)
    treeSum = TreeSum(root: 0..<plan.shardCount, subtrees: plan.sortedSubtrees)
    terms = Array(repeating: UnsafePointer(gradients[0].baseAddress!), count: plan.sortedSubtrees.count)
  }

  deinit { for memory in gradients + [received, packed, zeros] { memory.deallocate() } }

  func receive(_ event: ExchangeStateMachine.Event) { machine.receive(event) { act($0) } }

  /// Tells the machine of one thing that has happened, in whatever order; false where nothing has.
  func advance(_ random: inout SplitMix) -> Bool {
    for phase in ExchangeStateMachine.Phase.allCases.shuffled(using: &random) {
      guard let pending = machine.pending(phase) else { continue }
      let own = requests[phase, default: []]
      guard own.prefix(pending).allSatisfy(\.isComplete) else { continue }
      requests[phase] = Array(own.dropFirst(pending))
      receive(.completed(phase))
      return true
    }
    if machine.awaitsRows, gather.isComplete {
      receive(.rowsGathered)
      return true
    }
    return false
  }

  func endStep() {
    #expect(requests.values.allSatisfy { $0.isEmpty }, "no request is left")
    machine.endStep()
    // What a step leaves behind is not for the next one.
    for memory in [received, packed] { memory.update(repeating: .nan) }
    (sent, departed, arrived) = ([:], [], [])
  }

  private func act(_ action: ExchangeStateMachine.Action) {
    switch action {
    case .departed(let part): departed.append(part)
    case .gatherRows: gather.join(self)
    case .copy(let from, let to, let count):
      _ = elements(to, count).update(fromContentsOf: elements(from, count))
    case .receive(let message):
      let request = VirtualNetwork.Request(elements(message.place, message.count))
      requests[message.phase, default: []].append(request)
      network.receive(request, at: rank, from: message.peer, tag: message.tag)
    case .send(let message):
      #expect(message.count > 0 && message.peer != rank)
      let request = VirtualNetwork.Request(elements(message.place, message.count))
      requests[message.phase, default: []].append(request)
      sent[message.phase, default: 0] += message.count
      network.send(request, from: rank, to: message.peer, tag: message.tag)
    case .term(let index, let place): terms[index] = UnsafePointer(elements(place, 0).baseAddress!)
    case .sum(let range):
      var scratch = [Float](repeating: .nan, count: treeSum.scratchCount)
      treeSum.add(
        terms, at: 0, into: gradients[0].baseAddress! + range.lowerBound, count: range.count, scratch: &scratch)
    case .arrived(let part): arrived.append(part)
    }
  }

  private func elements(_ place: ExchangeStateMachine.Place, _ count: Int) -> Memory {
    let (memory, first) =
      switch place {
      case .gradient(let subtree, let element): (gradients[subtree], element)
      case .received(let element): (received, element)
      case .packed(let element): (packed, element)
      case .zeros: (zeros, 0)
      }
    return Memory(rebasing: memory[first..<first + count])
  }
}
