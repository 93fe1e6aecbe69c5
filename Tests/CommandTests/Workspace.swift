import Crypto
import Files
import Foundation
import TestSupport
import Testing

/// The suites that run the program itself. As many tests run at once as the machine has cores, and beside them some of
/// those that mostly sleep: no outcome may depend on how long anything takes, and a limit leaves 3 s at least.
/// `swift test --no-parallel` shows how long each of them takes.
@Suite enum Commands {}

/// A temporary directory in which the program runs, with a text to learn and the configuration of a small model.
struct Workspace {
  let url: URL

  /// Two layers, dropout, and an odd number of sequences; an epoch has 7 steps.
  static let smallModel = """
    data: {path: corpus.txt}
    model: {embedding: 6, hidden: 12, layers: 2, dropout: 0.25}
    batch: {sequences: 7, steps: 16}
    optimizer: {learningRate: 0.02}
    training: {steps: 12, evaluateEvery: 0, checkpointEvery: 0}
    checkpoint: {keepLast: 0}
    """

  /// Runs `body` in a new workspace, and removes it.
  static func run(_ body: (Workspace) throws -> Void) throws {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("command-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    let workspace = Workspace(url: url)
    try workspace.put(smallModel, "small.yaml")
    try workspace.put(corpus(characters: 950), "corpus.txt")
    try body(workspace)
  }

  /// Words in an order without an end, some of them beyond ASCII.
  static func corpus(characters: Int) -> String {
    let words = ["the", "rain", "in", "été", "falls", "mainly", "on", "plains,", "never", "漢字"]
    var (text, state) = ("", UInt32(7))
    while text.unicodeScalars.count < characters {
      state = state &* 1_664_525 &+ 1_013_904_223
      text += words[Int(state >> 16) % words.count] + " "
    }
    return String(String.UnicodeScalarView(text.unicodeScalars.prefix(characters)))
  }

  // MARK: The program

  /// Runs the program under mpirun, or alone where `ranks` is nil.
  func program(_ arguments: [String], ranks: Int?, environment: [String: String] = [:]) throws -> Outcome {
    try Launcher.run(
      "lstm-dist", arguments, ranks: ranks, environment: environment, workingDirectory: url, timeoutSeconds: 120)
  }

  /// Runs the program, which must succeed, and returns its output.
  @discardableResult
  func output(_ arguments: [String], ranks: Int?) throws -> String {
    let outcome = try program(arguments, ranks: ranks)
    try #require(outcome.exitCode == 0, "\(arguments) at \(ranks ?? 1): \(outcome)")
    return outcome.output
  }

  /// Trains the small model to the end and returns the last record of its metrics.
  @discardableResult
  func train(_ run: String, _ arguments: [String] = [], ranks: Int?) throws -> Record {
    try output(["train", "--config", "small.yaml", "--run", run] + arguments, ranks: ranks)
    let last = try #require(try metrics(run).last)
    try #require(last.event == "finished")
    return last
  }

  // MARK: Files

  func path(_ name: String) -> String { url.appendingPathComponent(name).path }

  func put(_ text: String, _ name: String) throws { try put(Array(text.utf8), name) }

  func put(_ bytes: [UInt8], _ name: String) throws { try Data(bytes).write(to: url.appendingPathComponent(name)) }

  func get(_ name: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: url.appendingPathComponent(name))) }

  func text(_ name: String) throws -> String { String(decoding: try get(name), as: UTF8.self) }

  func copy(_ name: String, to other: String) throws {
    try FileManager.default.copyItem(atPath: path(name), toPath: path(other))
  }

  func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: path(name)) }

  func makeDirectory(_ name: String) throws {
    try FileManager.default.createDirectory(atPath: path(name), withIntermediateDirectories: true)
  }

  /// Turns over all bits of a byte near the end of a file, where the values of a tensor are.
  func damage(_ name: String) throws {
    var bytes = try get(name)
    bytes[bytes.count - 5] ^= 255
    try put(bytes, name)
  }

  /// Replaces a file of a checkpoint, whose manifest then says so.
  func put(_ bytes: [UInt8], _ name: String, ofCheckpoint checkpoint: String) throws {
    let (file, manifest) = ("\(checkpoint)/\(name)", "\(checkpoint)/manifest.json")
    let before = sha256(try get(file))
    let text = try text(manifest)
    let digest = { (bytes: Int, sha256: String) in #""length":\#(bytes),"sha256":"\#(sha256)""# }
    let recorded = digest(try get(file).count, before)
    try #require(text.contains(recorded))
    try put(bytes, file)
    try putSealed(text.replacing(recorded, with: digest(bytes.count, sha256(bytes))), manifest)
  }

  /// Writes the text of a manifest, with the seal that it then must have.
  func putSealed(_ text: String, _ manifest: String) throws {
    let sealed = try #require(text.range(of: ",\"manifestSHA256\"")).lowerBound
    try put("\(text[..<sealed]),\"manifestSHA256\":\"\(sha256(Array(text[..<sealed].utf8)))\"}\n", manifest)
  }

  private func sha256(_ bytes: [UInt8]) -> String {
    SHA256.hash(data: bytes).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
  }

  /// Every file below a directory with its bytes, and every directory with none.
  func contents(_ name: String = "") throws -> [String: [UInt8]] {
    var all: [String: [UInt8]] = [:]
    for file in try FileManager.default.subpathsOfDirectory(atPath: path(name)) {
      let place = name.isEmpty ? file : "\(name)/\(file)"
      var isDirectory: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: path(place), isDirectory: &isDirectory)
      all[file] = isDirectory.boolValue ? [] : try get(place)
    }
    return all
  }

  // MARK: Metrics

  /// The lines of a run's `metrics.jsonl`.
  func metricsLines(_ run: String) throws -> [String] {
    try text("\(run)/metrics.jsonl").split(separator: "\n").map(String.init)
  }

  /// Its records, without the times, and without what is told of ranks that were slow and of the run's identity.
  func metrics(_ run: String) throws -> [Record] {
    try metricsLines(run).map { try JSONDecoder().decode(Record.self, from: Data($0.utf8)) }
      .filter { !["run", "data", "straggler"].contains($0.event) }
  }
}

/// A line of `metrics.jsonl`, without what depends on the clock.
struct Record: Decodable, Equatable {
  let event: String
  let step: Int
  let trainLoss: Double?
  let gradientNorm: Double?
  let validationLoss: Double?
  let parametersSHA256: String?
}

/// The name of a step's checkpoint.
func checkpoint(_ run: String, step: Int) -> String {
  let digits = String(step)
  return "\(run)/checkpoints/step-" + String(repeating: "0", count: 8 - digits.count) + digits
}
