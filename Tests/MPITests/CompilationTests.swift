import Foundation
import TestSupport
import Testing

/// What must not compile. The rules of ownership are checked after type checking, hence `-emit-sil`.
@Suite(.serialized)
struct CompilationTests {
  /// Compiles the body of a function with a communicator `all` against the module that was built for these tests.
  private func compile(_ body: String) throws -> Outcome {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("snippet-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = directory.appendingPathComponent("snippet.swift")
    try "import MPI\nfunc snippet(_ all: Communicator) throws {\n\(body)\n}\n".write(
      to: file, atomically: true, encoding: .utf8)

    let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let isMPICH = ProcessInfo.processInfo.environment["LSTM_DIST_MPI"] == "mpich"
    let flags = try Launcher.run(["pkg-config", "--cflags-only-I", isMPICH ? "mpich" : "ompi-c"])
    try #require(flags.exitCode == 0, "\(flags)")
    let headers = flags.output.split(whereSeparator: \.isWhitespace).flatMap { ["-Xcc", String($0)] }
    return try Launcher.run(
      [
        "swiftc", "-swift-version", "6", "-emit-sil", "-o", "/dev/null", "-module-cache-path",
        directory.appendingPathComponent("cache").path,
        "-I", Launcher.productsDirectory.appendingPathComponent("Modules").path,
        "-I", package.appendingPathComponent("Sources/CMPI").path,
        "-I", Launcher.productsDirectory.appendingPathComponent("CSystem.build").path,
      ] + headers + [file.path], timeoutSeconds: 180)
  }

  private func expectRefusal(_ diagnostic: String, _ body: String) throws {
    let outcome = try compile(body)
    #expect(outcome.exitCode != 0, "compiled: \(body)")
    #expect(outcome.errors.contains("error: " + diagnostic), "\(outcome)")
    #expect(outcome.errors.components(separatedBy: ": error: ").count == 2, "one error only: \(outcome)")
  }

  @Test func startThenWaitThenUseCompiles() throws {
    let outcome = try compile(
      """
      var buffer = OwnedBuffer<Float>(count: 4, repeating: 1)
      let request = try all.startAllReduce(buffer, .sum)
      buffer = try request.wait()
      buffer[0] = 2
      let exchange = Exchange(sending: buffer, receiving: OwnedBuffer<Float>(count: 4, repeating: 0))
      let done = try all.startAllToAll(exchange).wait()
      let received = done.received
      _ = received.array()
      """)
    #expect(outcome.exitCode == 0, "\(outcome)")
  }

  @Test func readingABufferAfterStartDoesNotCompile() throws {
    try expectRefusal(
      "'buffer' used after consume",
      """
      let buffer = OwnedBuffer<Float>(count: 4, repeating: 1)
      let request = try all.startAllReduce(buffer, .sum)
      print(buffer[0])
      _ = try request.wait()
      """)
  }

  @Test func writingABufferAfterStartDoesNotCompile() throws {
    try expectRefusal(
      "'buffer' used after consume",
      """
      var buffer = OwnedBuffer<Float>(count: 4, repeating: 1)
      let request = try all.startSend(buffer, to: 0)
      buffer[0] = 2
      _ = try request.wait()
      """)
  }

  @Test func waitingTwiceDoesNotCompile() throws {
    try expectRefusal(
      "'request' consumed more than once",
      """
      let request = try all.startBarrier()
      try request.wait()
      try request.wait()
      """)
  }

  @Test func testingAfterWaitDoesNotCompile() throws {
    try expectRefusal(
      "'request' used after consume",
      """
      var request = try all.startBarrier()
      try request.wait()
      _ = try request.test()
      """)
  }

  @Test func copyingARequestDoesNotCompile() throws {
    try expectRefusal(
      "'request' consumed more than once",
      """
      let request = try all.startBarrier()
      let copy = request
      try request.wait()
      try copy.wait()
      """)
  }

  @Test func aBitwiseReductionOfFloatingPointDoesNotCompile() throws {
    try expectRefusal(
      "static property 'bitwiseAnd' requires that 'Float' conform to 'FixedWidthInteger'",
      "_ = try all.allReduce(Float(1), .bitwiseAnd)")
  }
}
