import Files
import Foundation
import JobHealth
import Problems
import Runs
import SafeTensors
import TestSupport
import Testing
import Version

private func manifest(_ step: Int) -> Manifest {
  Manifest(
    step: step, dataPosition: DataPosition(epoch: 0, stepInEpoch: step), seed: 1, shards: 1, configuration: "seed: 1\n")
}

private func files(_ value: Float) -> [CheckpointFile] {
  [CheckpointFile(name: "model.safetensors", tensors: [TensorSource(name: "w", shape: [1], values: [value])])]
}

/// A run that a job has locked, with a checkpoint of step 10.
private func withJob(_ body: (_ folder: String, RunLock) throws -> Void) throws {
  try withDirectory { folder in
    let lock = try RunLock(RunDirectory(path: folder + "/run"), ranks: 1)
    defer { lock.release() }
    try lock.directory.create(configuration: "seed: 1\n")
    try lock.directory.writeCheckpoint(manifest(10), files: files(10))
    try body(folder, lock)
  }
}

@Suite struct RunIdentityTests {
  @Test func oneIdentityStandsInRunLockManifestsDumpsAndMetrics() throws {
    try withJob { _, lock in
      let run = lock.directory
      let identity = try #require(run.identity)
      #expect(try run.readIdentity() == identity)
      #expect(try text(run.path + "/run.json") == #"{"formatVersion":1,"run":"\#(identity)"}"# + "\n")
      #expect(String(decoding: try get(run.heartbeatPath)[392..<424], as: UTF8.self) == "\(identity)")
      #expect(try run.newestCheckpoint().newest?.manifest.run == identity)
      let dump = try #require(try run.writeDump(manifest(10), files: files(1), limit: 1))
      #expect(try Checkpoint(verifying: dump).manifest.run == identity)
      let log = try MetricsLog(run.metrics, of: identity, keeping: .start)
      try log.append(["event": "step", "step": 1])
      _ = try MetricsLog(run.metrics, of: identity, keeping: .start)
      let commit = Version.commit.map { #","commit":"\#($0)""# } ?? ""
      #expect(
        try text(run.metricsPath)
          == #"{"event":"run","step":0,"run":"\#(identity)","program":"\#(Version.number)"\#(commit)}"# + "\n")
      lock.release()
      // The next job finds the same one, another run has another.
      let again = try RunLock(run, ranks: 1)
      #expect(again.directory.identity == identity)
    }
  }

  @Test func aRunOfBeforeThereWereIdentitiesGetsOne() throws {
    try withDirectory { folder in
      let run = RunDirectory(path: folder + "/run")
      try run.create(configuration: "")
      try FileManager.default.removeItem(atPath: run.path + "/run.json")
      try run.writeCheckpoint(manifest(10), files: files(10))
      #expect(try run.newestCheckpoint().newest?.manifest.run == nil)
      let lock = try RunLock(run, ranks: 1)
      #expect(try run.newestCheckpoint().newest?.manifest.step == 10)
      try lock.directory.writeCheckpoint(manifest(20), files: files(20))
      lock.release()
      #expect(try run.newestCheckpoint().newest?.manifest.run == lock.directory.identity)
      #expect(try list(run.path) == ["checkpoints", "config.yaml", "run.json"])
    }
  }

  /// As after a copy that left the file out.
  @Test func aLostIdentityIsTheOneThatTheRunsPartsName() throws {
    try withJob { folder, lock in
      let (run, identity) = (lock.directory, try #require(lock.directory.identity))
      lock.release()
      try FileManager.default.removeItem(atPath: run.path + "/run.json")
      try RunDirectory(path: run.path).refuseForeignParts()
      let again = try RunLock(RunDirectory(path: run.path), ranks: 1)
      #expect(again.directory.identity == identity)
      #expect(try run.readIdentity() == identity)
      try again.directory.refuseForeignParts()
      again.release()
      // With a checkpoint of another run beside it nobody can know which one is meant.
      let other = try RunLock(RunDirectory(path: folder + "/other"), ranks: 1)
      try other.directory.create(configuration: "seed: 1\n")
      try other.directory.writeCheckpoint(manifest(20), files: files(20))
      other.release()
      try FileManager.default.copyItem(
        atPath: folder + "/other/checkpoints/step-00000020", toPath: run.path + "/checkpoints/step-00000020")
      try FileManager.default.removeItem(atPath: run.path + "/run.json")
      for body in [
        { _ = try RunLock(RunDirectory(path: run.path), ranks: 1) }, RunDirectory(path: run.path).refuseForeignParts,
      ] {
        let error = failure(body)
        #expect(error?.exitCode == 65 && error?.message.contains("\(identity)") == true, "\(String(describing: error))")
      }
    }
  }

  @Test(arguments: [
    ("", "malformed"), ("{}", "malformed"), (#"{"formatVersion":1,"run":"0123"}"#, "expected 32 hexadecimal digits"),
    (#"{"formatVersion":1,"run":"0123456789ABCDEF0123456789abcdef"}"#, "expected 32 hexadecimal digits"),
    (#"{"formatVersion":2,"run":"0123456789abcdef0123456789abcdef"}"#, "another format version — expected 1, got 2"),
  ])
  func aMalformedIdentityIsAnError(_ bytes: String, _ message: String) throws {
    try withDirectory { folder in
      try put(bytes.utf8, folder + "/run.json")
      let error = failure { _ = try RunDirectory(path: folder).readIdentity() }
      #expect(error?.exitCode == 65 && error?.message.contains(message) == true, "\(String(describing: error))")
    }
  }

  // MARK: Renamed, removed, replaced

  @Test func aRenamedDirectoryIsWrittenToUnderItsNewName() throws {
    try withJob { folder, lock in
      let run = lock.directory
      try #expect(run.follow() == nil)
      try FileManager.default.moveItem(atPath: folder + "/run", toPath: folder + "/moved")
      try makeDirectory(folder + "/run")
      try run.writeCheckpoint(manifest(20), files: files(20))
      try run.writeConfiguration("seed: 2\n")
      try MetricsLog(run.metrics, keeping: .init(step: 20)).append(["event": "step", "step": 1])
      #expect(try list(folder + "/run") == [])
      #expect(try list(folder + "/moved/checkpoints") == ["step-00000010", "step-00000020"])
      #expect(try list(folder + "/moved") == ["checkpoints", "config.yaml", "heartbeat", "metrics.jsonl", "run.json"])
      let moved = try #require(try run.follow())
      #expect(moved.from == folder + "/run" && moved.to.hasSuffix("/moved") && run.path == moved.to)
      try #expect(run.follow() == nil)
      // A job that begins at the old path has a run of its own.
      let other = try RunLock(RunDirectory(path: folder + "/run"), ranks: 1)
      #expect(other.directory.identity != run.identity)
      other.release()
      lock.release()
      #expect(try list(folder + "/moved") == ["checkpoints", "config.yaml", "metrics.jsonl", "run.json"])
      // Nothing had come of it, and it was there before.
      #expect(try list(folder + "/run") == [])
    }
  }

  @Test func aRemovedDirectoryIsAnErrorAndIsNotMadeAgain() throws {
    try withJob { folder, lock in
      let run = lock.directory
      try FileManager.default.removeItem(atPath: run.path)
      for error in [
        failure { try run.writeCheckpoint(manifest(20), files: files(20)) }, failure { _ = try run.follow() },
      ] {
        #expect(error?.exitCode == 74)
        #expect(
          error?.message.hasPrefix(
            "the run's directory is gone — expected that of run \(run.identity!), got one that has been removed (")
            == true)
      }
      // A directory that takes its name is none of this job's.
      try makeDirectory(folder + "/run")
      #expect(failure { try run.writeCheckpoint(manifest(20), files: files(20)) }?.exitCode == 74)
      #expect(failure { try run.writeConfiguration("") }?.exitCode == 74)
      lock.release()
      #expect(try list(folder + "/run") == [])
    }
  }

  @Test func aDirectoryWithoutItsIdentityOrWithAnotherIsGone() throws {
    try withJob { folder, lock in
      let (run, file) = (lock.directory, folder + "/run/run.json")
      let own = try get(file)
      try FileManager.default.removeItem(atPath: file)
      #expect(failure { _ = try run.follow() }?.message.contains("got one without run.json") == true)
      try put(#"{"formatVersion":1,"run":"0123456789abcdef0123456789abcdef"}"#.utf8, file)
      let error = failure { try run.writeCheckpoint(manifest(20), files: files(20)) }
      #expect(error?.message.contains("got run 0123456789abcdef0123456789abcdef") == true)
      try put(own, file)
      try run.writeCheckpoint(manifest(20), files: files(20))
    }
  }

  @Test func aRankTakesNoHeartbeatOfAnotherRun() throws {
    try withJob { folder, lock in
      let identity = try #require(lock.directory.identity)
      try FileManager.default.moveItem(atPath: folder + "/run", toPath: folder + "/moved")
      let other = try RunLock(RunDirectory(path: folder + "/run"), ranks: 1)
      defer { other.release() }
      let named = RunDirectory(path: folder + "/run")
      #expect(failure { _ = try named.opened(as: identity) }?.exitCode == 74)
      #expect(try named.opened(as: other.directory.identity!).identity == other.directory.identity)
    }
  }

  // MARK: Other runs

  @Test func aCheckpointOfAnotherRunIsRefusedByNameAndNeverTouched() throws {
    try withJob { folder, lock in
      let run = lock.directory
      let other = RunDirectory(path: folder + "/other")
      try other.create(configuration: "")
      for step in [5, 30] { try other.writeCheckpoint(manifest(step), files: files(1)) }
      let theirs = try #require(try other.readIdentity())
      for step in [5, 30] {
        let place = run.checkpointPath(step: step)
        try FileManager.default.copyItem(atPath: other.checkpointPath(step: step), toPath: place)
        for error in [
          failure { _ = try run.newestCheckpoint() }, failure { _ = try run.bestCheckpoint() },
          failure { _ = try ResolvedRun(run.path) }, failure { _ = try run.checkpoint(step: step) },
        ] {
          #expect(error?.exitCode == 65)
          #expect(
            error?.message == "checkpoint of another run — expected run \(run.identity!), got run \(theirs) (\(place))")
          #expect(error?.hint?.contains("move it out of") == true)
        }
        let before = try get(place + "/manifest.json")
        #expect(failure { try run.writeCheckpoint(manifest(step), files: files(2)) }?.exitCode == 65)
        let writer = CheckpointWriter(run, retention: Retention(last: 1, keepsBest: false, every: 0))
        writer.start(manifest(40), files: files(2), owner: writer)
        while true { if let outcome = writer.wait() { #expect(outcome.error == nil); break } }
        #expect(try get(place + "/manifest.json") == before)
        try FileManager.default.removeItem(atPath: place)
      }
      #expect(try run.newestCheckpoint().newest?.manifest.step == 40)
      // The metrics likewise.
      try put(#"{"event":"run","step":0,"run":"\#(theirs)"}"#.utf8 + [0x0a], run.metricsPath)
      #expect(failure { _ = try run.newestCheckpoint() }?.message.hasPrefix("metrics of another run") == true)
    }
  }

  // MARK: Names and refusals

  @Test func aNameThatIsNotUTF8IsShownWithItsBytes() throws {
    try withJob { folder, lock in
      #expect(
        mkdir([CChar](("\(folder)/run/checkpoints/").utf8.map { CChar(bitPattern: $0) }) + [97, -1, 0], 0o755) == 0)
      let error = failure { _ = try lock.directory.newestCheckpoint() }
      #expect(error?.exitCode == 65)
      #expect(error?.message.contains(#"expected UTF-8, got "a\xff" ("#) == true, "\(String(describing: error))")
    }
  }

  @Test(arguments: [
    (ENOSPC, "free space, got a full disk"), (EDQUOT, "free space, got a quota that is used up"),
    (EROFS, "a file system to write to, got a read-only one"), (EACCES, "permission, got none"),
    (EPERM, "permission, got none"), (ENOENT, "got nothing of that name"), (ENOTDIR, "got a file on the way"),
    (EIO, "got an input/output error"), (EMFILE, "got too many open files"), (ENFILE, "got too many open files"),
    (ENAMETOOLONG, "got one that is too long"), (EFBIG, "got one that would exceed it"),
    (ESTALE, "got one that its file server no longer has"), (EEXIST, "got one that is taken"),
    (EISDIR, "a file, got a directory"),
  ])
  func aRefusalOfTheSystemIsToldInWords(_ code: Int32, _ words: String) {
    let error = Problem("cannot write", code: code, at: Place("runs/a"))
    #expect(error.exitCode == 74 && error.message.hasPrefix("cannot write — expected "))
    #expect(error.message.contains(words) && error.message.hasSuffix(" (runs/a)"), "\(error)")
    #expect(!error.message.contains(String(cString: strerror(code))) || code == EIO)
  }
}
