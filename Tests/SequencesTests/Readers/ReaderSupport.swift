import Foundation
import Problems
import Testing

/// A folder that is gone when the test is.
final class TestFolder {
  let path = FileManager.default.temporaryDirectory.appending(path: "readers-\(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }
  deinit { try? FileManager.default.removeItem(atPath: path) }

  @discardableResult
  func write(_ bytes: some Sequence<UInt8>, _ name: String) throws -> String {
    let url = URL(filePath: path).appending(path: name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }
}

/// Expects bad data, with a message that contains each of `parts`.
func expectBadData(
  _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation, _ read: () throws -> Void
) {
  let error = #expect(throws: Problem.self, sourceLocation: sourceLocation) { try read() }
  #expect(error?.exitCode == 65, sourceLocation: sourceLocation)
  for part in parts {
    #expect(error?.message.contains(part) == true, "\(error?.message ?? "")", sourceLocation: sourceLocation)
  }
}

/// The folder of real data sets, where there is one.
enum RealData {
  static let folder = ProcessInfo.processInfo.environment["LSTM_DIST_DATA"]
  static let absence: Comment = "LSTM_DIST_DATA is not set"

  /// The path of a data set; nil where there is no folder or it does not have this one.
  static func path(_ name: String) -> String? {
    folder.map { "\($0)/\(name)" }.flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
  }
}
