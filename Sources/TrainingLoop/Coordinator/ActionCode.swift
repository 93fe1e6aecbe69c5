extension Coordinator.Action {
  /// The action as two numbers, for the other ranks.
  package var code: [Int] {
    switch self {
    case .train(let step): [0, step]
    case .evaluate(let step): [1, step]
    case .copyState(let step): [2, step]
    case .awaitCheckpoint(let step): [3, step]
    case .finish(let step): [4, step]
    case .stop(let exitCode): [5, Int(exitCode)]
    case .rollBack(let step): [6, step]
    case .log: preconditionFailure("a report stays on rank 0")
    }
  }

  /// The action that rank 0 has sent as `code`.
  package init(code: [Int]) {
    switch code[0] {
    case 0: self = .train(step: code[1])
    case 1: self = .evaluate(step: code[1])
    case 2: self = .copyState(step: code[1])
    case 3: self = .awaitCheckpoint(step: code[1])
    case 4: self = .finish(step: code[1])
    case 6: self = .rollBack(from: code[1])
    default: self = .stop(exitCode: Int32(code[1]))
    }
  }
}
