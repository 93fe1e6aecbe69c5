private import CSndFile
import Glibc
import Problems

/// FLAC files, decoded by libsndfile: no loss, so that the samples are the same bits everywhere.
///
/// What the header says of the length is not believed: samples are taken as they come, up to a limit, since a few bytes
/// of FLAC can stand for very many.
package enum FLACFile {
  /// Samples of a channel; three quarters of an hour at 48,000 a second.
  package static let mostSamples = 1 << 27

  static func isFLAC(_ bytes: [UInt8]) -> Bool { bytes.starts(with: Array("fLaC".utf8)) }

  /// The mean of the channels. Anything that libsndfile cannot read to its end, another number of samples than the
  /// header says, more than `most`, and none at all are errors with exit code 65.
  package static func decode(
    _ bytes: [UInt8], name: String, most: Int = mostSamples, account: DataAccount = DataAccount()
  ) throws(Problem) -> AudioClip {
    let memory = Memory(bytes)
    var (io, info) = (memory.io, SF_INFO())
    guard let file = sf_open_virtual(&io, Int32(SFM_READ), &info, Unmanaged.passUnretained(memory).toOpaque()) else {
      throw bad("a whole FLAC file", reason(nil), name)
    }
    defer { withExtendedLifetime(memory) { _ = sf_close(file) } }
    guard Int(info.format) & Int(SF_FORMAT_TYPEMASK) == Int(SF_FORMAT_FLAC), info.channels >= 1, info.samplerate >= 1
    else { throw bad("channels and samples", "\(info.channels) channels, \(info.samplerate) samples a second", name) }
    let samples = try samples(file, channels: Int(info.channels), most: most, name)
    guard !samples.isEmpty else {
      throw .data("clip without samples — expected at least one, got none (\(name))", hint: "leave the file out")
    }
    let stated = Int(info.frames)
    guard stated == samples.count || stated == 0 || stated == Int.max else {
      throw bad("\(stated) samples as its header says", "\(samples.count)", name)
    }
    AudioFile.tell(channels: Int(info.channels), of: name, account)
    return AudioClip(rate: Int(info.samplerate), samples: samples)
  }

  private static func samples(
    _ file: OpaquePointer, channels: Int, most: Int, _ name: String
  ) throws(Problem) -> [Float] {
    var samples: [Float] = []
    var block = [Double](repeating: 0, count: 4096 * channels)
    while true {
      let frames = Int(sf_readf_double(file, &block, 4096))
      guard sf_error(file) == 0 else { throw bad("a whole FLAC file", reason(file), name) }
      guard frames > 0 else { return samples }
      for frame in 0..<frames {
        let sum = block[frame * channels..<(frame + 1) * channels].reduce(0, +)
        samples.append(Float(sum / Double(channels)))
      }
      guard samples.count <= most else {
        throw .data(
          "clip is too long — expected at most \(most) samples, got more (\(name))", hint: "cut it into parts")
      }
    }
  }

  private static func reason(_ file: OpaquePointer?) -> String { "\"\(String(cString: sf_strerror(file)))\"" }

  private static func bad(_ expected: String, _ got: String, _ name: String) -> Problem {
    .data(
      "FLAC file cannot be read — expected \(expected), got \(got) (\(name))",
      hint: "write it anew, for example: ffmpeg -i input.flac output.flac")
  }
}

/// The bytes of a file, for libsndfile to read like one.
private final class Memory {
  private let bytes: [UInt8]
  private var place = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private static func of(_ pointer: UnsafeMutableRawPointer?) -> Memory {
    Unmanaged<Memory>.fromOpaque(pointer!).takeUnretainedValue()
  }

  var io: SF_VIRTUAL_IO {
    SF_VIRTUAL_IO(
      get_filelen: { sf_count_t(Memory.of($0).bytes.count) },
      seek: { Memory.of($2).seek(Int($0), whence: $1) },
      read: { Memory.of($2).read(into: $0!, count: Int($1)) },
      write: { _, _, _ in 0 },
      tell: { sf_count_t(Memory.of($0).place) })
  }

  /// The new place; −1, and nothing has changed, where there is none.
  private func seek(_ offset: Int, whence: CInt) -> sf_count_t {
    let base =
      switch whence {
      case SEEK_SET: 0
      case SEEK_CUR: place
      default: bytes.count
      }
    let (target, overflows) = base.addingReportingOverflow(offset)
    guard !overflows, (0...bytes.count).contains(target) else { return -1 }
    place = target
    return sf_count_t(place)
  }

  private func read(into target: UnsafeMutableRawPointer, count: Int) -> sf_count_t {
    let count = max(0, min(count, bytes.count - place))
    bytes.withUnsafeBytes { target.copyMemory(from: $0.baseAddress! + place, byteCount: count) }
    place += count
    return sf_count_t(count)
  }
}
