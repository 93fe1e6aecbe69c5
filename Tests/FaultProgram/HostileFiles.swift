import Foundation
import TestSupport

/// Files changed at random, for every reader of the program, in processes of their own: a trap ends only one of them.
func hostileFiles(_ trials: Trials) throws -> Row {
  var row = Row("hostile files for every reader")
  let (parts, inputs) = trials.isLong ? (10, 100_000) : (1, 20_000)
  for part in 0..<parts {
    let seed = trials.seed &* 1000 &+ UInt64(part)
    let outcome = try Job([trials.fuzzProgram, "--inputs", "\(inputs)", "--seed", "\(seed)"]).wait(timeoutSeconds: 1200)
    guard outcome.exitCode == 0, let last = outcome.output.split(separator: "\n").last, last.hasPrefix("all: ") else {
      row.add(trials: inputs, ["\(outcome)"])
      continue
    }
    let numbers = last.split(separator: " ").compactMap { Int($0) }
    row.add(trials: numbers[0], [])
    row.saw("refused", times: numbers[1])
  }
  return row
}
