import Files
import Foundation
import JobHealth
import Runs
import TestSupport
import Testing

private let brief: RunLock.Patience = {
  var patience = RunLock.Patience()
  (patience.heldSeconds, patience.heartbeatSeconds) = (0.2, 0.7)
  return patience
}()

private func take(_ run: RunDirectory, tell: (String) -> Void = { _ in }) throws -> RunLock {
  try RunLock(run, ranks: 3, patience: brief, tell: tell)
}

/// What a job that was killed leaves: rank 1 behind the others.
private func leaveHeartbeat(_ run: RunDirectory) throws {
  let lock = try take(run)
  for (rank, last) in [RankPhase.reducing, .computing, .reducing].enumerated() {
    let heartbeat = try Heartbeat(run, rank: rank, ranks: 3)
    for phase in [RankPhase.computing, .reducing] where phase.rawValue <= last.rawValue {
      heartbeat.enter(phase, step: 12)
    }
  }
  let bytes = try get(run.heartbeatPath)
  lock.release()
  try FileManager.default.createDirectory(atPath: run.path, withIntermediateDirectories: true)
  try put(bytes, run.heartbeatPath)
}

/// Gives the job of a heartbeat another machine, and perhaps another age.
private func moveToAnotherMachine(_ run: RunDirectory, ageSeconds: Double = 0) throws {
  var bytes = try get(run.heartbeatPath)
  bytes[64] ^= 1
  let beat = (Date().timeIntervalSince1970 - ageSeconds).bitPattern
  for place in 0..<8 { bytes[40 + place] = UInt8(truncatingIfNeeded: beat >> (8 * UInt64(place))) }
  try put(bytes, run.heartbeatPath)
}

private func withRunDirectory(_ body: (RunDirectory) throws -> Void) throws {
  try withDirectory { try body(RunDirectory(path: $0 + "/run")) }
}

@Suite struct RunLockTests {
  @Test func aSecondJobIsRefusedWithTheNameOfTheFirst() throws {
    try withRunDirectory { run in
      let first = try take(run)
      #expect(first.takenOver == nil)
      let error = failure { _ = try take(run) }
      #expect(error?.exitCode == 74)
      let words = try #require(error?.message)
      #expect(words.hasPrefix("the run directory is in use — expected no other job, got process \(getpid()) on host "))
      #expect(words.contains(", started 20") && words.hasSuffix(" UTC (\(run.path))"))
      first.release()
      #expect(try take(run).takenOver == nil)
    }
  }

  @Test func theDirectoryIsLeftAsItWas() throws {
    try withRunDirectory { run in
      try take(run).release()
      #expect(!exists(run.path))
      try makeDirectory(run.path)
      _ = try take(run)
      #expect(try list(run.path) == [])
      let lock = try take(run)
      #expect(try !run.exists())
      try run.create(configuration: "")
      lock.release()
      #expect(try list(run.path) == ["checkpoints", "config.yaml", "run.json"])
    }
  }

  @Test func theLockOfADeadJobIsTakenOverAndItsRanksAreNamed() throws {
    try withRunDirectory { run in
      try leaveHeartbeat(run)
      let lock = try take(run) { Issue.record("waited: \($0)") }
      let words = try #require(lock.takenOver)
      #expect(words.hasPrefix("process \(getpid()) on host "))
      #expect(words.hasSuffix("; rank 1 computing step 12; ranks 0, 2 adding up the gradients of step 12"))
      #expect(failure { _ = try take(run) }?.exitCode == 74)
    }
  }

  @Test func aSilentHeartbeatOfAnotherMachineIsTakenOver() throws {
    try withRunDirectory { run in
      try leaveHeartbeat(run)
      try moveToAnotherMachine(run)
      var told: [String] = []
      let lock = try take(run) { told.append($0) }
      #expect(told.count == 1 && told[0].contains("listening for its heartbeat"))
      #expect(lock.takenOver != nil)
      lock.release()
      // A heartbeat of last week needs no listening.
      try leaveHeartbeat(run)
      try moveToAnotherMachine(run, ageSeconds: 600_000)
      #expect(try take(run) { Issue.record("waited: \($0)") }.takenOver != nil)
    }
  }

  @Test func aBeatingHeartbeatOfAnotherMachineIsRespected() throws {
    try withRunDirectory { run in
      try leaveHeartbeat(run)
      let heartbeat = try Heartbeat(run, rank: 0, ranks: 3)
      try moveToAnotherMachine(run)
      // The job beats while the second one listens.
      let error = failure { _ = try take(run) { _ in heartbeat.beat() } }
      #expect(error?.exitCode == 74 && error?.message.contains("the run directory is in use") == true)
    }
  }

  @Test func nonsenseInTheFileIsNoJob() throws {
    try withRunDirectory { run in
      try makeDirectory(run.path)
      var random = SplitMix(state: 5)
      try leaveHeartbeat(run)
      let bytes = try get(run.heartbeatPath)
      for round in 0..<200 {
        // Boot id and time stay: another machine is waited for.
        var changed = bytes
        for place in [0, 8, 16, 24, 48, 49, 136, 140] where Bool.random(using: &random) {
          changed[place] = UInt8.random(in: 0...255, using: &random)
        }
        try put(
          round % 2 == 0 ? changed : Array(changed.prefix(Int.random(in: 0..<5000, using: &random))), run.heartbeatPath)
        let taken = try take(run).takenOver
        #expect(taken.map { $0.utf8.count < 2000 && !$0.contains("\n") } ?? true)
        try FileManager.default.createDirectory(atPath: run.path, withIntermediateDirectories: true)
      }
    }
  }
}
