import CSystem
import Glibc
import Synchronization

/// The file `heartbeat` of a run, as one rank of the job sees it: it writes its own record and reads those of others.
///
/// The record lies in memory that the system shares with the file. Saying what a rank is about is one store; it stands
/// in the file even where the process is killed in the next moment, and a process that is stopped stops its beat.
public final class Heartbeat: Sendable {
  /// The record of this rank as it was at the start.
  public let own: RankRecord
  private let path: String
  private let descriptor: Int32
  private nonisolated(unsafe) let page: UnsafeMutableRawPointer

  /// Opens the file that rank 0 has made with its `RunLock`, and writes the rank's record.
  public init(_ run: RunDirectory, rank: Int, ranks: Int) throws {
    let path = run.heartbeatPath
    let descriptor = try checked("open", path) { open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW) }
    // A page that the file does not have could be mapped, but not written.
    var information = stat()
    let bytes = RankRecord.pageBytes
    guard fstat(descriptor, &information) == 0, Int(information.st_size) >= (rank + 1) * bytes,
      let page = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, off_t(rank * bytes)),
      page != MAP_FAILED
    else {
      close(descriptor)
      throw CheckpointError(
        .inputOutput, "cannot use the heartbeat file", expected: "a page for rank \(rank)",
        got: "\(counted(Int(information.st_size), "byte"))", at: path)
    }
    (self.path, self.descriptor, self.page) = (path, descriptor, page)
    own = RankRecord(ranks: ranks)
    page.copyMemory(from: own.bytes, byteCount: RankRecord.byteCount)
  }

  deinit {
    munmap(page, RankRecord.pageBytes)
    close(descriptor)
  }

  /// Removes the file, for a job that ends with a message of its own; the lock goes with rank 0's process.
  public func remove() { unlink(path, ifOpenAs: descriptor) }

  // MARK: The own record

  /// Says what this rank is about.
  public func enter(_ phase: RankPhase, step: Int) {
    word(RankRecord.progressOffset).pointee.store(RankRecord.progress(phase, step: step), ordering: .relaxed)
  }

  /// Says that this process runs.
  public func beat() {
    word(RankRecord.beatSecondsOffset).pointee.store(unixSeconds().bitPattern, ordering: .relaxed)
    word(RankRecord.beatsOffset).pointee.wrappingAdd(1, ordering: .relaxed)
  }

  /// Starts to write the file out, for the eyes of other hosts; does not wait for the disk.
  public func publish() { system_start_writing(descriptor) }

  /// The number in which the rank's step and phase are; it changes as long as the rank gets on.
  public var progress: UInt64 { word(RankRecord.progressOffset).pointee.load(ordering: .relaxed) }

  private func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    (page + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  // MARK: Other records

  /// What a rank says of itself; nil where it has said nothing yet.
  public func record(ofRank rank: Int) -> RankRecord? { Heartbeat.record(rank, descriptor) }

  /// Whether a rank's process is known to be gone.
  public func isGone(_ record: RankRecord) -> Bool { record.isGone(seenBy: own) }

  /// Whether another rank is less far than this one, or as far and of a lower number.
  public func isBehind(_ record: RankRecord, rank: Int, ofOwnRank own: Int) -> Bool {
    record.phase != .ended && (record.progress, rank) < (progress, own)
  }

  static func record(_ rank: Int, _ descriptor: Int32) -> RankRecord? {
    var bytes = [UInt8](repeating: 0, count: RankRecord.byteCount)
    let count = bytes.withUnsafeMutableBytes {
      pread(descriptor, $0.baseAddress!, $0.count, off_t(rank * RankRecord.pageBytes))
    }
    return count == bytes.count ? RankRecord(bytes) : nil
  }

  /// What the ranks of a job were about when they were last seen, those that were least far first: "rank 2 computing
  /// step 12; ranks 0, 1 adding up the gradients of step 12".
  static func summary(_ descriptor: Int32, ranks: Int) -> String {
    var groups: [UInt64: (activity: String, ranks: [Int])] = [:]
    // Not more than a terminal shows; the number comes from a file.
    for rank in 0..<min(ranks, 1 << 16) {
      guard let record = record(rank, descriptor) else { break }
      groups[record.progress, default: (record.activity, [])].ranks.append(rank)
    }
    return groups.sorted { $0.key < $1.key }.prefix(8).map { _, group in
      let list = group.ranks.prefix(16).map(String.init).joined(separator: ", ")
      return "rank\(group.ranks.count == 1 ? "" : "s") \(list)\(group.ranks.count > 16 ? ", …" : "") \(group.activity)"
    }.joined(separator: "; ")
  }
}
