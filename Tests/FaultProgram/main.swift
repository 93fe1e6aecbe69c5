import ArgumentParser
import Foundation

/// `fault-matrix`: every kind of fault, many times, on a training so small that a trial takes a second or two.
struct FaultMatrix: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fault-matrix",
    abstract: "Kills, stops, damages and starves jobs of lstm-dist, and checks that nothing is lost.",
    discussion: "Exit code 0 where every trial of every row passed, else 1. Rows: \(names.joined(separator: ", ")).")

  @Option(help: "Seed of all moments, victims and places.") var seed: UInt64 = 1
  @Option(help: ArgumentHelp("One row; repeatable. All of them where none is named.", valueName: "row"))
  var only: [String] = []
  @Flag(help: "As many trials as a release wants: the better part of an hour.") var long = false
  @Option(help: "The fuzz-program to use, such as one with the address sanitizer.") var fuzzProgram: String?
  @Option(help: "Where the runs lie while they are needed; by default a temporary directory.") var directory: String?

  private static let rows: [(name: String, make: @Sendable (Trials) throws -> Row)] = [
    ("kill", killedRanks), ("call", failingCalls), ("damage", damagedFiles), ("disk", fullDisks),
    ("stop", stoppedRanks), ("nan", badNumbers), ("preempt", preemptions), ("interrupt", interruptedSteps),
    ("fuzz", hostileFiles), ("move", movedDirectories), ("slow", slowDisks), ("stuck", stuckRanks),
  ]
  private static var names: [String] { rows.map(\.name) }

  func validate() throws {
    for name in only where !Self.names.contains(name) {
      throw ValidationError("--only — expected one of \(Self.names.joined(separator: ", ")), got \(name)")
    }
  }

  func run() throws {
    let folder = directory ?? FileManager.default.temporaryDirectory.appending(path: "faults-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { if directory == nil { try? FileManager.default.removeItem(atPath: folder) } }
    let training = try TinyTraining(folder: folder)
    var rows: [Row] = []
    for (number, (name, make)) in Self.rows.enumerated() where only.isEmpty || only.contains(name) {
      rows.append(try make(Trials(training, isLong: long, fuzzProgram: fuzzProgram, seed: seed, row: number)))
      for failure in rows.last!.failures.prefix(10) { print("FAILED \(name): \(failure)") }
    }
    print("\(long ? "long" : "short") form, seed \(seed)\n\(Row.table(rows))")
    if !rows.allSatisfy(\.isPassed) { throw ExitCode.failure }
  }
}

FaultMatrix.main()
