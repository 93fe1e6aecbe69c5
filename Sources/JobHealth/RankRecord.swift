import CSystem
import Files
import Glibc
import Problems
import Runs

/// What a rank is about. Within a step a rank passes the phases in this order.
package enum RankPhase: UInt8, Sendable {
  case starting, computing, reducing, updating, evaluating, saving, waiting, finishing
  /// The rank has left in good order.
  case ended
  /// Busy for as long as it may take, as with reading its data or with a whole evaluation: enters no phases meanwhile.
  case working

  /// In words, to follow "rank 2".
  package func description(step: Int) -> String {
    switch self {
    case .starting: "starting"
    case .computing: "computing step \(step)"
    case .reducing: "adding up the gradients of step \(step)"
    case .updating: "updating the parameters of step \(step)"
    case .evaluating: "evaluating after step \(step)"
    case .saving: "saving step \(step)"
    case .waiting: "waiting for rank 0's decision after step \(step)"
    case .finishing: "finishing"
    case .ended: "at its end"
    case .working: "at work"
    }
  }
}

/// What one rank says of itself in the file `heartbeat`: its page holds, little-endian,
///
///     0 magic  8 ranks of the job  16 process id  24 start, Unix seconds (Double)
///     32 beats  40 last beat, Unix seconds (Double)  48 step · 256 + phase
///     56 moves
///     64 boot id of the machine (40 bytes)  104 process-id namespace (32)  136 host (256), each ended by zeros
///     392 identity of the run (32), zeros in records of before there were identities
///
/// Every rank has a page of its own, so that several nodes never write the same page.
package struct RankRecord: Sendable, Equatable {
  /// Bytes from one rank's record to the next.
  package static let pageBytes = 4096
  package static let byteCount = 424
  private static let magic: UInt64 = 0x3154_4145_4254_4D4C

  /// Ranks of the job.
  package let ranks: Int
  /// The process id, on its host.
  package let process: Int
  /// When the job was started, in Unix seconds by the host's clock.
  package let startedSeconds: Double
  /// Grows as long as the process runs.
  package internal(set) var beats: UInt64 = 0
  /// When it last grew, in Unix seconds by the host's clock.
  package internal(set) var beatSeconds: Double
  /// What the rank is about.
  package internal(set) var phase: RankPhase = .starting
  /// The step that it is about.
  package internal(set) var step = 0
  /// Phases entered so far. Ranks enter the same ones in the same order: who has fewer is behind.
  package internal(set) var moves: UInt64 = 0
  /// Identifies a machine from one boot to the next: hosts may share a name, and containers a machine.
  package let bootID: String
  package let processNamespace: String
  /// The host's name.
  package let host: String
  /// The run that the job works on.
  package let run: RunIdentity?

  /// This process.
  package init(ranks: Int, run: RunIdentity?) {
    self.ranks = ranks
    self.run = run
    process = Int(getpid())
    startedSeconds = unixSeconds()
    beatSeconds = startedSeconds
    bootID = KernelFile.firstLine("/proc/sys/kernel/random/boot_id") ?? ""
    processNamespace = RankRecord.linkTarget("/proc/self/ns/pid")
    host = String(cString: system_host_name())
  }

  private static func linkTarget(_ path: String) -> String {
    var target = [UInt8](repeating: 0, count: 31)
    let length = target.withUnsafeMutableBytes { readlink(path, $0.baseAddress!, $0.count) }
    return String(decoding: target.prefix(max(0, length)), as: UTF8.self)
  }

  // MARK: As bytes

  package static let beatsOffset = 32
  package static let beatSecondsOffset = 40
  package static let progressOffset = 48
  package static let movesOffset = 56

  /// Nil where the bytes are not a record: a file is input like any other.
  package init?(_ bytes: [UInt8]) {
    func number(_ offset: Int) -> UInt64 { (0..<8).reduce(0) { $0 | UInt64(bytes[offset + $1]) << (8 * UInt64($1)) } }
    func text(_ range: Range<Int>) -> String { String(decoding: bytes[range].prefix { $0 != 0 }, as: UTF8.self) }
    guard bytes.count == Self.byteCount, number(0) == Self.magic, let ranks = Int(exactly: number(8)),
      let process = Int(exactly: number(16)), let phase = RankPhase(rawValue: bytes[Self.progressOffset])
    else { return nil }
    self.ranks = ranks
    self.process = process
    startedSeconds = Double(bitPattern: number(24))
    beats = number(Self.beatsOffset)
    beatSeconds = Double(bitPattern: number(Self.beatSecondsOffset))
    self.phase = phase
    step = Int(number(Self.progressOffset) >> 8)
    moves = number(Self.movesOffset)
    bootID = text(64..<104)
    processNamespace = text(104..<136)
    host = text(136..<392)
    run = RunIdentity(text(392..<424))
  }

  package var bytes: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.byteCount)
    func put(_ value: UInt64, _ offset: Int) {
      for place in 0..<8 { bytes[offset + place] = UInt8(truncatingIfNeeded: value >> (8 * UInt64(place))) }
    }
    func put(_ text: String, _ range: Range<Int>) {
      for (place, byte) in zip(range, text.utf8) { bytes[place] = byte }
    }
    put(Self.magic, 0)
    put(UInt64(ranks), 8)
    put(UInt64(process), 16)
    put(startedSeconds.bitPattern, 24)
    put(beats, Self.beatsOffset)
    put(beatSeconds.bitPattern, Self.beatSecondsOffset)
    put(Self.progress(phase, step: step), Self.progressOffset)
    put(moves, Self.movesOffset)
    put(bootID, 64..<103)
    put(processNamespace, 104..<135)
    put(host, 136..<391)
    if let run { put("\(run)", 392..<424) }
    return bytes
  }

  /// Step and phase in one number, so that they are written at once.
  package static func progress(_ phase: RankPhase, step: Int) -> UInt64 { UInt64(step) << 8 | UInt64(phase.rawValue) }

  // MARK: Judging

  /// Whether both run under the same kernel since the same boot.
  package func isOnMachine(of other: RankRecord) -> Bool { !bootID.isEmpty && bootID == other.bootID }

  /// Whether the process is known to be gone. Seen from another machine, or from another container, it never is.
  package func isGone(seenBy other: RankRecord) -> Bool {
    isOnMachine(of: other) && processNamespace == other.processNamespace
      && kill(pid_t(truncatingIfNeeded: process), 0) == -1
      && errno == ESRCH
  }

  /// "process 4711 on host a, started 2025-03-01 12:00:00 UTC"
  package var jobDescription: String {
    "process \(process) on host \(hostText), started \(utcText(startedSeconds))"
  }

  /// "computing step 12"
  package var activity: String { phase.description(step: step) }

  /// The host's name, fit for one line.
  package var hostText: String {
    host.unicodeScalars.allSatisfy { $0.isASCII && $0.value > 32 } ? host : quoted(host)
  }
}

/// Unix seconds by this host's clock.
package func unixSeconds() -> Double {
  var now = timespec()
  clock_gettime(CLOCK_REALTIME, &now)
  return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
}

/// "2025-03-01 12:00:00 UTC"
private func utcText(_ seconds: Double) -> String {
  guard var whole = time_t(exactly: seconds.rounded(.down)) else { return "at an unknown time" }
  var parts = tm()
  var text = [CChar](repeating: 0, count: 64)
  guard gmtime_r(&whole, &parts) != nil, strftime(&text, text.count, "%Y-%m-%d %H:%M:%S UTC", &parts) > 0 else {
    return "at an unknown time"
  }
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
