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
  package static func read(_ path: String) throws(Problem) -> AudioClip {
    try decode(TextFile.read(path, as: "audio file"), name: path)
  }

  /// As above, for the bytes of a file that errors call `name`.
  package static func decode(_ bytes: [UInt8], name: String) throws(Problem) -> AudioClip {
    FLACFile.isFLAC(bytes) ? try FLACFile.decode(bytes, name: name) : try WAVFile.decode(bytes, name: name)
  }
}
