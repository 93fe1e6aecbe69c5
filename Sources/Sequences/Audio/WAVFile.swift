import Files
import Problems

/// WAV files: RIFF with PCM of 8, 16, 24 or 32 bits or floats of 32 or 64, any number of channels, of which the mean is
/// taken.
///
/// An own reader, though libsndfile has one: that takes what a cut file still has for the whole clip, and headers that
/// contradict themselves. Files of other formats are named in the error, and any audio program converts them.
///
/// Format: IBM and Microsoft, "Multimedia Programming Interface and Data Specifications 1.0" (1991), and Microsoft's
/// WAVE_FORMAT_EXTENSIBLE.
package struct WAVFile {
  private let bytes: [UInt8]
  private let name: String

  /// The sound of the bytes of a file that errors call `name`. Anything but sound as above, fewer samples than the
  /// header says, and no samples at all are errors with exit code 65.
  package static func decode(
    _ bytes: [UInt8], name: String, account: DataAccount = DataAccount()
  ) throws(Problem) -> AudioClip {
    let file = WAVFile(bytes: bytes, name: name)
    try file.checkKind()
    let (formatChunk, data) = try file.chunks()
    let format = try file.format(formatChunk)
    if data.isEmpty, let more = file.unsaidBytes(behind: data) { throw file.neverCompleted(more) }
    file.tellRest(behind: data, account)
    AudioFile.tell(channels: format.channels, of: name, account)
    return AudioClip(rate: format.rate, samples: try file.samples(data, format))
  }

  private func bad(_ what: String, _ expected: String, _ got: String, hint: String? = nil) -> Problem {
    .data("\(what) — expected \(expected), got \(got) (\(name))", hint: hint)
  }

  // MARK: Chunks

  private func checkKind() throws(Problem) {
    guard !bytes.isEmpty else { throw bad("audio file is empty", "a WAV file", "no bytes") }
    if WAVFile.isWAV(bytes) { return }
    let kind = FileKind(bytes)
    throw bad(
      "neither a WAV nor a FLAC file", "RIFF and WAVE, or fLaC, at its beginning", kind?.name ?? "something else",
      hint: kind?.hint ?? "convert it, for example: ffmpeg -i input output.wav, or leave it out")
  }

  static func isWAV(_ bytes: [UInt8]) -> Bool {
    bytes.starts(with: "RIFF".utf8) && bytes.dropFirst(8).starts(with: "WAVE".utf8)
  }

  /// The format chunk and the data chunk. What the file says of its whole length is not used: programs that stream
  /// cannot know it.
  private func chunks() throws(Problem) -> (format: Range<Int>, data: Range<Int>) {
    var place = 12
    var format: Range<Int>?
    while place + 8 <= bytes.count {
      let (kind, start, size) = (text(place), place + 8, Int(integer(place + 4, bytes: 4)))
      if size > bytes.count - start {
        throw bad(
          "WAV file is shorter than its header says", "\(size) bytes of \(quoted(kind))", "\(bytes.count - start)",
          hint: "the file is cut off, or was streamed; write it anew, for example: ffmpeg -i input.wav output.wav")
      }
      if kind == "fmt " { format = start..<start + size }
      if kind == "data" {
        guard let format else { throw bad("WAV file without a format", "a fmt chunk before the data", "none") }
        return (format, start..<start + size)
      }
      place = start + size + size % 2
    }
    throw bad("WAV file without samples", "a data chunk", "the end of the file after \(bytes.count) bytes")
  }

  /// The chunks from a place on, as far as there are any, and the bytes behind them.
  private func chunks(from place: Int) -> (chunks: [(kind: String, count: Int)], rest: Int) {
    var (place, chunks) = (place, [(kind: String, count: Int)]())
    while place + 8 <= bytes.count {
      let size = Int(integer(place + 4, bytes: 4))
      let isNamed = bytes[place..<place + 4].allSatisfy { (0x20..<0x7F).contains($0) }
      guard isNamed, size <= bytes.count - place - 8 else { break }
      chunks.append((text(place), size))
      place += 8 + size + size % 2
    }
    return (chunks, max(0, bytes.count - place))
  }

  /// Bytes behind an empty data chunk that are no chunks: sound, where the length of the chunk was to be written last.
  private func unsaidBytes(behind data: Range<Int>) -> Int? {
    chunks(from: data.upperBound).rest > 1 ? bytes.count - data.upperBound : nil
  }

  private func neverCompleted(_ count: Int) -> Problem {
    bad(
      "WAV header was never completed", "the length of the sound", "0 and \(count) bytes behind it",
      hint: "the recording was cut off; write it anew, for example: ffmpeg -i input.wav output.wav")
  }

  /// Tells of sound that is passed over.
  private func tellRest(behind data: Range<Int>, _ account: DataAccount) {
    let (chunks, rest) = chunks(from: data.upperBound + data.count % 2)
    for chunk in chunks where chunk.kind == "data" {
      account.remark(
        "another data chunk is passed over: only the first one is read", at: "\(name), \(chunk.count) bytes")
    }
    if rest > 8 {
      account.remark("bytes behind the sound that are no chunk are passed over", at: "\(name), \(rest) bytes")
    }
  }

  // MARK: Format

  private struct Format {
    let isFloat: Bool
    let bytesPerSample: Int
    let channels: Int
    let rate: Int
  }

  private func format(_ chunk: Range<Int>) throws(Problem) -> Format {
    guard chunk.count >= 16 else { throw bad("WAV header too short", "16 bytes of format", "\(chunk.count)") }
    let at = chunk.lowerBound
    var tag = integer(at, bytes: 2)
    if tag == 0xFFFE {
      guard chunk.count >= 40 else { throw bad("WAV header too short", "40 bytes of format", "\(chunk.count)") }
      tag = integer(at + 24, bytes: 2)
    }
    let (channels, rate) = (Int(integer(at + 2, bytes: 2)), Int(integer(at + 4, bytes: 4)))
    let (frame, bits) = (Int(integer(at + 12, bytes: 2)), Int(integer(at + 14, bytes: 2)))
    let accepted: [UInt32: [Int]] = [1: [8, 16, 24, 32], 3: [32, 64]]
    guard let sizes = accepted[tag], sizes.contains(bits) else {
      let kinds: [UInt32: String] = [1: "PCM", 2: "ADPCM", 3: "float", 6: "A-law", 7: "mu-law", 0x55: "MP3"]
      throw bad(
        "encoding of the WAV file", "PCM of 8, 16, 24 or 32 bits, or float of 32 or 64",
        "\(kinds[tag] ?? "format \(tag)") of \(bits) bits",
        hint: "convert it, for example: ffmpeg -i input.wav output.wav")
    }
    guard channels >= 1, (1...1_000_000).contains(rate), frame == channels * bits / 8 else {
      throw bad(
        "WAV header contradicts itself",
        "1 or more channels, 1 to 1000000 samples a second, frames of channels × bits / 8",
        "\(channels) channels of \(bits) bits, \(rate) samples a second, frames of \(frame) bytes")
    }
    return Format(isFloat: tag == 3, bytesPerSample: bits / 8, channels: channels, rate: rate)
  }

  // MARK: Samples

  private func samples(_ data: Range<Int>, _ format: Format) throws(Problem) -> [Float] {
    let frame = format.channels * format.bytesPerSample
    guard !data.isEmpty else { throw bad("clip without samples", "at least one", "none", hint: "leave the file out") }
    guard data.count % frame == 0 else {
      throw bad("WAV data is cut off", "whole frames of \(frame) bytes", "\(data.count) bytes")
    }
    var samples: [Float] = []
    samples.reserveCapacity(data.count / frame)
    for start in stride(from: data.lowerBound, to: data.upperBound, by: frame) {
      var sum = 0.0
      for place in stride(from: start, to: start + frame, by: format.bytesPerSample) { sum += sample(place, format) }
      let mean = Float(sum / Double(format.channels))
      guard mean.isFinite else {
        throw bad("sample is not a number", "finite samples", "\(mean) in sample \(samples.count + 1)")
      }
      samples.append(mean)
    }
    return samples
  }

  /// One sample: whole numbers scaled by 2 to the power of 1 − bits; those of 8 bits have their zero at 128.
  private func sample(_ place: Int, _ format: Format) -> Double {
    let bits = integer(place, bytes: min(format.bytesPerSample, 4))
    switch (format.bytesPerSample, format.isFloat) {
    case (1, _): return (Double(bits) - 128) / 128
    case (4, true): return Double(Float(bitPattern: bits))
    case (8, _): return Double(bitPattern: UInt64(bits) | UInt64(integer(place + 4, bytes: 4)) << 32)
    case (let count, _):
      // Into the upper bytes of a word, whose sign bit is then the sample's.
      return Double(Int32(bitPattern: bits << UInt32(32 - 8 * count))) * 0x1p-31
    }
  }

  // MARK: Bytes

  /// A little-endian number of 1 to 4 bytes.
  private func integer(_ place: Int, bytes count: Int) -> UInt32 {
    (0..<count).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) }
  }

  /// Four bytes as text, fewer at the end of the file.
  private func text(_ place: Int) -> String {
    String(decoding: bytes.dropFirst(place).prefix(4), as: UTF8.self)
  }
}
