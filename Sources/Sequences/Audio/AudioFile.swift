import Files
import Problems

/// Sound in one channel.
package struct AudioClip: Sendable, Equatable {
  /// Samples a second.
  package let rate: Int
  /// Samples, −1 to 1 (numbers of float files as they are).
  package let samples: [Float]
}

/// Files of sound, WAV or FLAC as their first bytes say.
package enum AudioFile {
  /// Reads the file at `path`. What is no sound, and none at all, are errors with exit code 65.
  package static func read(
    _ path: String, account: DataAccount = DataAccount()
  ) throws(Problem) -> AudioClip {
    try decode(TextFile.read(path, as: "audio file"), name: path, account: account)
  }

  /// As above, for the bytes of a file that errors call `name`.
  package static func decode(
    _ bytes: [UInt8], name: String, account: DataAccount = DataAccount()
  ) throws(Problem) -> AudioClip {
    let untagged = withoutTag(bytes)
    return FLACFile.isFLAC(untagged)
      ? try FLACFile.decode(untagged, name: name, account: account)
      : try WAVFile.decode(WAVFile.isWAV(untagged) ? untagged : bytes, name: name, account: account)
  }

  /// The bytes behind an ID3 tag, which some programs put before a FLAC file: "ID3", two bytes of a version, flags, and a
  /// length of four times seven bits (id3.org, "ID3 tag version 2.4.0 — Main Structure", 3.1).
  private static func withoutTag(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.starts(with: "ID3".utf8), bytes.count >= 10 else { return bytes }
    let length = bytes[6..<10].reduce(0) { $0 << 7 | Int($1 & 0x7F) }
    let footer = bytes[5] & 0x10 == 0 ? 0 : 10
    return Array(bytes.dropFirst(10 + length + footer))
  }

  /// Tells that the mean of several channels is read.
  static func tell(channels: Int, of name: String, _ account: DataAccount) {
    guard channels > 1 else { return }
    account.remark("the mean of the channels is read", at: "\(name), \(channels) channels")
  }
}
