import CSndFile
import Foundation

/// A FLAC file as libsndfile writes it, of 8, 16 or 24 bits.
public func flac(_ samples: [Float], bits: Int = 16, channels: Int = 1, rate: Int = 8000) throws -> [UInt8] {
  let depth = [8: SF_FORMAT_PCM_S8, 16: SF_FORMAT_PCM_16, 24: SF_FORMAT_PCM_24][bits]!
  var info = SF_INFO()
  (info.samplerate, info.channels, info.format) = (Int32(rate), Int32(channels), Int32(SF_FORMAT_FLAC | depth))
  let path = FileManager.default.temporaryDirectory.appending(path: "flac-\(UUID().uuidString)").path
  defer { try? FileManager.default.removeItem(atPath: path) }
  guard let file = sf_open(path, Int32(SFM_WRITE), &info) else { throw CocoaError(.fileWriteUnknown) }
  // Whole numbers of 32 bits, of which the upper ones are written: floats would be scaled by 2¹⁵ − 1.
  let numbers = samples.map { Int32(Double($0) * 0x1p31) }
  let written = numbers.withUnsafeBufferPointer { sf_write_int(file, $0.baseAddress, sf_count_t($0.count)) }
  guard Int(written) == samples.count, sf_close(file) == 0 else { throw CocoaError(.fileWriteUnknown) }
  return [UInt8](try Data(contentsOf: URL(filePath: path)))
}
