import CSystem
import Files
import Glibc
import Problems
import Runs
import Synchronization

/// The file `heartbeat` of a run, as one rank of the job sees it: it writes its own record and reads those of others.
/// While ranks start and have no run yet, they do the same in memory that the ranks of a node share.
///
/// The record lies in memory that the system shares with the file. Saying what a rank is about is one store; it stands
/// in the file even where the process is killed in the next moment, and a process that is stopped stops its beat.
package final class Heartbeat: Sendable {
  /// The record of this rank as it was at the start.
  package let own: RankRecord
  private let place: Place?
  private let descriptor: Int32
  private nonisolated(unsafe) let page: UnsafeMutableRawPointer

  /// Opens the file that rank 0 has made with its `RunLock`, and writes the rank's record.
  /// - Parameter run: held open, so that the file is that of the rank's own job whatever takes the directory's name.
  package convenience init(_ run: RunDirectory, rank: Int, ranks: Int) throws {
    let descriptor = try checked("cannot open the heartbeat file", run.heartbeat) {
      openat($0, $1, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
    }
    try self.init(descriptor, run.heartbeat, RankRecord(ranks: ranks, run: run.identity), rank: rank)
  }

  /// The same in a file without a name, as many pages long as there are ranks: takes the descriptor over.
  package convenience init(memory descriptor: Int32, rank: Int, ranks: Int) throws {
    try self.init(descriptor, nil, RankRecord(ranks: ranks, run: nil), rank: rank)
  }

  private init(_ descriptor: Int32, _ place: Place?, _ own: RankRecord, rank: Int) throws {
    // A page that the file does not have could be mapped, but not written.
    var information = stat()
    let bytes = RankRecord.pageBytes
    guard fstat(descriptor, &information) == 0, Int(information.st_size) >= (rank + 1) * bytes,
      let page = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, off_t(rank * bytes)),
      page != MAP_FAILED
    else {
      close(descriptor)
      throw Problem(
        .inputOutput, "cannot use the heartbeat file", expected: "a page for rank \(rank)",
        got: "\(counted(Int(information.st_size), "byte"))", at: place?.description ?? "shared memory")
    }
    (self.place, self.descriptor, self.page, self.own) = (place, descriptor, page, own)
    page.copyMemory(from: own.bytes, byteCount: RankRecord.byteCount)
  }

  deinit {
    munmap(page, RankRecord.pageBytes)
    close(descriptor)
  }

  /// Removes the file, for a job that ends with a message of its own; the lock goes with rank 0's process.
  package func remove() { if let place { JobHealth.remove(place, ifOpenAs: descriptor) } }

  /// Bytes of a file for the records of as many ranks.
  package static func byteCount(ranks: Int) -> Int { ranks * RankRecord.pageBytes }

  // MARK: The own record

  /// Says what this rank is about; again in a long phase, to say that it makes progress.
  package func enter(_ phase: RankPhase, step: Int) {
    word(RankRecord.movesOffset).pointee.wrappingAdd(1, ordering: .relaxed)
    word(RankRecord.progressOffset).pointee.store(RankRecord.progress(phase, step: step), ordering: .relaxed)
  }

  /// Says that this process runs.
  package func beat() {
    word(RankRecord.beatSecondsOffset).pointee.store(unixSeconds().bitPattern, ordering: .relaxed)
    word(RankRecord.beatsOffset).pointee.wrappingAdd(1, ordering: .relaxed)
  }

  /// Starts to write the file out, for the eyes of other hosts; does not wait for the disk.
  package func publish() { system_start_writing(descriptor) }

  /// Phases that this rank has entered; it grows as long as the rank makes progress.
  package var moves: UInt64 { word(RankRecord.movesOffset).pointee.load(ordering: .relaxed) }

  private func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    (page + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  // MARK: Other records

  /// What a rank says of itself; nil where it has said nothing yet.
  package func record(ofRank rank: Int) -> RankRecord? { Heartbeat.record(rank, descriptor) }

  /// Whether a rank's process is known to be gone.
  package func isGone(_ record: RankRecord) -> Bool { record.isGone(seenBy: own) }

  package static func record(_ rank: Int, _ descriptor: Int32) -> RankRecord? {
    var bytes = [UInt8](repeating: 0, count: RankRecord.byteCount)
    let count = bytes.withUnsafeMutableBytes {
      pread(descriptor, $0.baseAddress!, $0.count, off_t(rank * RankRecord.pageBytes))
    }
    return count == bytes.count ? RankRecord(bytes) : nil
  }

  /// What the ranks of a job were about when they were last seen, those that were least far first: "rank 2 computing
  /// step 12; ranks 0, 1 adding up the gradients of step 12".
  package static func summary(_ descriptor: Int32, ranks: Int) -> String {
    var groups: [(record: RankRecord, ranks: [Int])] = []
    // The number of ranks comes from a file.
    for rank in 0..<max(0, min(ranks, 1 << 16)) {
      guard let record = record(rank, descriptor) else { continue }
      if let same = groups.firstIndex(where: { $0.record.activity == record.activity }) {
        groups[same].ranks.append(rank)
      } else if groups.count < 8 {
        groups.append((record, [rank]))
      }
    }
    return groups.sorted { $0.record.moves < $1.record.moves }.map { record, ranks in
      let list = ranks.prefix(16).map(String.init).joined(separator: ", ")
      return "rank\(ranks.count == 1 ? "" : "s") \(list)\(ranks.count > 16 ? ", …" : "") \(record.activity)"
    }.joined(separator: "; ")
  }
}
