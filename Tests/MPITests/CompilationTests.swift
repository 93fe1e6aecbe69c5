import Foundation
import TestSupport
import Testing

/// What must not compile. Each snippet is the body of a function with a communicator `all`, in a file of its own; one
/// call of the compiler takes all files whose errors one stage finds.
@Suite(.serialized)
struct CompilationTests {
  private static let compiling = """
    var buffer = OwnedBuffer<Float>(count: 4, repeating: 1)
    let request = try all.startAllReduce(buffer, .sum)
    buffer = try request.wait()
    buffer[0] = 2
    let exchange = Exchange(sending: buffer, receiving: OwnedBuffer<Float>(count: 4, repeating: 0))
    let done = try all.startAllToAll(exchange).wait()
    let received = done.received
    _ = received.array()
    """

  private enum Rule: String, CaseIterable {
    case readingABufferAfterStart, writingABufferAfterStart, waitingTwice, testingAfterWait, copyingARequest

    var snippet: String {
      switch self {
      case .readingABufferAfterStart:
        """
        let buffer = OwnedBuffer<Float>(count: 4, repeating: 1)
        let request = try all.startAllReduce(buffer, .sum)
        print(buffer[0])
        _ = try request.wait()
        """
      case .writingABufferAfterStart:
        """
        var buffer = OwnedBuffer<Float>(count: 4, repeating: 1)
        let request = try all.startSend(buffer, to: 0)
        buffer[0] = 2
        _ = try request.wait()
        """
      case .waitingTwice:
        """
        let request = try all.startBarrier()
        try request.wait()
        try request.wait()
        """
      case .testingAfterWait:
        """
        var request = try all.startBarrier()
        try request.wait()
        _ = try request.test()
        """
      case .copyingARequest:
        """
        let request = try all.startBarrier()
        let copy = request
        try request.wait()
        try copy.wait()
        """
      }
    }

    var diagnostic: String {
      switch self {
      case .readingABufferAfterStart, .writingABufferAfterStart: "'buffer' used after consume"
      case .waitingTwice, .copyingARequest: "'request' consumed more than once"
      case .testingAfterWait: "'request' used after consume"
      }
    }
  }

  /// Compiles snippets, by their names, against the module that was built for these tests.
  private static func compile(_ snippets: [String: String]) throws -> Outcome {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("snippets-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let files = try snippets.sorted { $0.key < $1.key }.map { name, body in
      let file = directory.appendingPathComponent(name + ".swift")
      try "import MPI\nfunc \(name)(_ all: Communicator) throws {\n\(body)\n}\n".write(
        to: file, atomically: true, encoding: .utf8)
      return file.path
    }

    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let isMPICH = ProcessInfo.processInfo.environment["LSTM_DIST_MPI"] == "mpich"
    let flags = try Launcher.run(["pkg-config", "--cflags-only-I", isMPICH ? "mpich" : "ompi-c"])
    try #require(flags.exitCode == 0, "\(flags)")
    let headers = flags.output.split(whereSeparator: \.isWhitespace).flatMap { ["-Xcc", String($0)] }
    // The rules of ownership are checked after type checking, hence `-emit-sil`.
    return try Launcher.run(
      [
        "swiftc", "-swift-version", "6", "-emit-sil", "-wmo", "-o", "/dev/null", "-module-name", "Snippets",
        "-module-cache-path", directory.appendingPathComponent("cache").path,
        "-I", Launcher.productsDirectory.appendingPathComponent("Modules").path,
        "-I", package.appendingPathComponent("Sources/CMPI").path,
        "-I", Launcher.productsDirectory.appendingPathComponent("CSystem.build").path,
      ] + headers + files, timeoutSeconds: 180)
  }

  /// The errors that the compiler has found in a snippet.
  private func errors(in name: String, _ outcome: Outcome) -> [String] {
    outcome.errors.split(separator: "\n").filter { $0.contains("/\(name).swift:") }.compactMap { line in
      line.range(of: ": error: ").map { String(line[$0.upperBound...]) }
    }
  }

  private static let ofOwnership = Result {
    try compile(Dictionary(uniqueKeysWithValues: Rule.allCases.map { ($0.rawValue, $0.snippet) }))
  }

  private func expectOneError(_ rule: Rule) throws {
    let outcome = try Self.ofOwnership.get()
    let errors = errors(in: rule.rawValue, outcome)
    #expect(errors.count == 1 && errors[0].hasPrefix(rule.diagnostic), "\(errors) of \(outcome)")
  }

  @Test func startThenWaitThenUseCompiles() throws {
    let outcome = try Self.compile(["startThenWaitThenUse": Self.compiling])
    #expect(outcome.exitCode == 0 && outcome.errors.isEmpty, "\(outcome)")
  }

  @Test func readingABufferAfterStartDoesNotCompile() throws { try expectOneError(.readingABufferAfterStart) }

  @Test func writingABufferAfterStartDoesNotCompile() throws { try expectOneError(.writingABufferAfterStart) }

  @Test func waitingTwiceDoesNotCompile() throws { try expectOneError(.waitingTwice) }

  @Test func testingAfterWaitDoesNotCompile() throws { try expectOneError(.testingAfterWait) }

  @Test func copyingARequestDoesNotCompile() throws { try expectOneError(.copyingARequest) }

  /// Found before ownership is looked at.
  @Test func aBitwiseReductionOfFloatingPointDoesNotCompile() throws {
    let name = "bitwiseReduction"
    let outcome = try Self.compile([name: "_ = try all.allReduce(Float(1), .bitwiseAnd)"])
    let errors = errors(in: name, outcome)
    #expect(
      outcome.exitCode != 0 && errors.count == 1
        && errors[0].hasPrefix(
          "static property 'bitwiseAnd' requires that 'Float' conform to 'FixedWidthInteger'"),
      "\(outcome)")
  }
}
