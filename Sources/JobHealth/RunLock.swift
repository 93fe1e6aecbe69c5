import Files
import Glibc
import Problems
import Runs

/// Holds a run directory for one job, on rank 0. The file `heartbeat` is locked with `flock`, which the system gives
/// back whatever becomes of the process, and says who the job is and of which run; it is removed at the job's end.
///
/// A file whose lock is free belonged to a job that ended without a word, and is taken over: at once where that job ran
/// on this machine, which would know of the lock. Where it ran on another one, whose locks a network file system need
/// not show here, its heartbeat decides.
package final class RunLock {
  /// How long to look before deciding, in seconds.
  package struct Patience: Sendable {
    /// For a lock to be given back: ranks outlive an mpirun that was killed by about a second.
    package var heldSeconds = 3.0
    /// For the heartbeat of another host: written every 5 seconds, and later seen over a network file system.
    package var heartbeatSeconds = 30.0
    /// An age at which no heartbeat is awaited, whatever the clocks of two hosts may differ by.
    package var oldSeconds = 600.0

    /// What is right for real jobs.
    package init() {}
  }

  /// What the job that ended without a word had been about; nil where there was none.
  package private(set) var takenOver: String?
  /// The directory, held open.
  package let directory: RunDirectory
  private var descriptor: Int32 = -1
  private let madeDirectory: Bool

  /// Takes the directory, which is made if there is none, for a job of `ranks` ranks. A run gets its identity here, if
  /// it has none.
  /// - Parameter tell: called with a sentence before a wait that a user would wonder about.
  /// - Throws: exit code 74 where another job holds it.
  package init(
    _ run: RunDirectory, ranks: Int, patience: Patience = Patience(), tell: (String) -> Void = { _ in }
  ) throws {
    madeDirectory = try entry(run.place) == .absent
    try makeDirectories(run.path)
    let opened = RunDirectory(place: try run.place.opened(), identity: nil)
    let (earlier, isEnforced) = try RunLock.openLocked(opened, patience)
    defer { close(earlier) }
    let first = Heartbeat.record(0, earlier)
    if let first, !isEnforced || !first.isOnMachine(of: RankRecord(ranks: ranks, run: nil)) {
      try RunLock.awaitSilence(of: first, earlier, opened, patience, tell)
    }
    directory = RunDirectory(place: opened.place, identity: try opened.ensureIdentity())
    takenOver = first.map { "\($0.jobDescription); \(Heartbeat.summary(earlier, ranks: $0.ranks))" }
    // A new file, so that what is left of an earlier job writes into the old one.
    descriptor = try makeFile(RankRecord(ranks: ranks, run: directory.identity))
  }

  deinit { release() }

  /// Gives the directory back, wherever it is now, and removes it where it was made and nothing came of it. Does
  /// nothing a second time.
  package func release() {
    guard descriptor >= 0 else { return }
    // Before another job can take the directory, and with it the identity.
    directory.removeUnusedIdentity()
    remove(directory.heartbeat, ifOpenAs: descriptor)
    if madeDirectory { directory.removeIfEmpty() }
    close(descriptor)
    descriptor = -1
  }

  // MARK: Taking

  /// The file with its lock, which nobody has replaced meanwhile; false where the file system has no locks.
  private static func openLocked(_ run: RunDirectory, _ patience: Patience) throws -> (Int32, isEnforced: Bool) {
    let start = unixSeconds()
    while true {
      let file = try checked("cannot open the heartbeat file", run.heartbeat) {
        openat($0, $1, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o644)
      }
      let code = flock(file, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
      if code == EWOULDBLOCK || code == EINTR {
        let holder = Heartbeat.record(0, file)
        close(file)
        if unixSeconds() - start > patience.heldSeconds { throw run.inUse(by: holder) }
        usleep(100_000)
        continue
      }
      if isFile(run.heartbeat, openAs: file) { return (file, code == 0) }
      close(file)
    }
  }

  /// Returns when the heartbeat of a job on another host has stopped.
  private static func awaitSilence(
    of first: RankRecord, _ file: Int32, _ run: RunDirectory, _ patience: Patience, _ tell: (String) -> Void
  ) throws {
    let start = unixSeconds()
    if first.phase == .ended || start - first.beatSeconds > patience.oldSeconds { return }
    tell(
      "an earlier job may hold \(run.path) (\(first.jobDescription)): listening for its heartbeat for up to "
        + "\(Int(patience.heartbeatSeconds)) s")
    while unixSeconds() - start < patience.heartbeatSeconds {
      usleep(200_000)
      if let now = Heartbeat.record(0, file), now.beats != first.beats { throw run.inUse(by: now) }
    }
  }

  private func makeFile(_ own: RankRecord) throws -> Int32 {
    let partial = directory.heartbeat.partial
    try removeTree(partial)
    let file = try checked("cannot make the heartbeat file", partial) {
      openat($0, $1, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    }
    do {
      // Every page must be there before it is mapped: a full disk is an error here, and a signal later.
      let code = posix_fallocate(file, 0, off_t(own.ranks * RankRecord.pageBytes))
      if code != 0 { throw Problem("cannot make the heartbeat file", code: code, at: partial) }
      try own.bytes.withUnsafeBytes { try writeAll($0, to: file, partial) }
      // Without locks in the file system the heartbeat alone decides.
      _ = flock(file, LOCK_EX | LOCK_NB)
      try move(partial, to: directory.heartbeat)
      return file
    } catch {
      close(file)
      try? removeTree(partial)
      throw error
    }
  }
}

extension RunDirectory {
  fileprivate func inUse(by holder: RankRecord?) -> Problem {
    Problem(
      .inputOutput, "the run directory is in use", expected: "no other job",
      got: holder?.jobDescription ?? "one that has not yet said who it is", at: path,
      hint: "wait for its end, stop it, or name another directory with --run")
  }
}

/// Removes a file if it is still the open one. Nothing depends on it: a heartbeat file that stays has a free lock, and
/// is taken over.
package func remove(_ place: Place, ifOpenAs descriptor: Int32) {
  if isFile(place, openAs: descriptor) { try? remove(place) }
}
