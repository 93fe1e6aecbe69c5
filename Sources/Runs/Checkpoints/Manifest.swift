import Crypto
import Files
import Problems
import Version

/// Where the data of the next step begins.
package struct DataPosition: Equatable, Sendable {
  /// Complete passes through the data so far.
  package let epoch: Int
  /// Complete steps of the pass that is under way.
  package let stepInEpoch: Int

  /// The position after `epoch` whole passes and `stepInEpoch` steps more.
  package init(epoch: Int, stepInEpoch: Int) {
    self.epoch = epoch
    self.stepInEpoch = stepInEpoch
  }
}

/// What `manifest.json` says of a checkpoint. It is written last, so that a directory with a manifest is complete.
/// Its last member is the SHA-256 of all the text before that: no bit of it can change unnoticed.
package struct Manifest: Equatable, Sendable {
  /// The version that this program writes and reads. Keys may be added within a version: readers skip unknown ones.
  package static let formatVersion = 2

  /// One file of the checkpoint.
  package struct File: Equatable, Sendable {
    /// Its name in the checkpoint's directory: never a path.
    package let name: String
    /// Its length and SHA-256.
    package let digest: FileDigest
  }

  /// The run that it is of; nil where it was written before there were identities.
  package internal(set) var run: RunIdentity?
  /// The number of the program's version that wrote it, as in `1.0.0`; nil where the program did not say so yet. The
  /// commit is not in it: checkpoints of the same bits from two builds of a version are the same files.
  package internal(set) var program: String? = Version.number
  /// Of a checkpoint the steps completed since the start of the run; of a dump the step that was not finite.
  package let step: Int
  /// Where the data of the step after `step` begins.
  package let dataPosition: DataPosition
  /// The run's seed.
  package let seed: UInt64
  /// S, logical shards of the global batch.
  package let shards: Int
  /// The resolved configuration, as in `config.yaml`.
  package let configuration: String
  /// The link of the last record of parameters up to this step, its own included; 0 where there is none.
  package let parameterChain: UInt64
  /// Mean validation loss after this step in nats a token, where it was evaluated.
  package let validationLoss: Double?
  /// The files, in the order in which they were written; empty until they are.
  package internal(set) var files: [File] = []

  /// What a checkpoint to be written says of itself.
  package init(
    step: Int, dataPosition: DataPosition, seed: UInt64, shards: Int, configuration: String, parameterChain: UInt64 = 0,
    validationLoss: Double? = nil
  ) {
    self.step = step
    self.dataPosition = dataPosition
    self.seed = seed
    self.shards = shards
    self.configuration = configuration
    self.parameterChain = parameterChain
    self.validationLoss = validationLoss
  }

  /// The content of `manifest.json`.
  package var text: String {
    var record: JSONRecord = [
      "formatVersion": .integer(Manifest.formatVersion), "step": .integer(step),
      "dataPosition": .object([
        "epoch": .integer(dataPosition.epoch), "stepInEpoch": .integer(dataPosition.stepInEpoch),
      ]),
      "seed": .unsigned(seed), "shards": .integer(shards),
      "files": .array(
        files.map {
          .object(["name": .string($0.name), "length": .integer($0.digest.length), "sha256": .string($0.digest.sha256)])
        }),
      "parameterChain": .string(hexadecimal(parameterChain)), "validationLoss": .number(validationLoss),
      "configuration": .string(configuration),
    ]
    if let run { record.append("run", .string("\(run)")) }
    if let program { record.append("program", .string(program)) }
    let open = String(record.text.dropLast())
    return open + Manifest.seal(of: open.utf8)
  }

  /// What ends a manifest that begins with `text`.
  private static func seal(of text: some Sequence<UInt8>) -> String {
    ",\"manifestSHA256\":\"\(hexadecimal(SHA256.hash(data: Array(text))))\"}\n"
  }
}

// MARK: Reading

extension Manifest {
  package static let maxBytes = 16 << 20

  /// Reads `manifest.json`, as hostile input.
  package init(_ place: Place) throws {
    let path = "\(place)"
    let file = try InputFile(place, followLinks: false)
    guard file.length <= Manifest.maxBytes else {
      throw Problem(
        .badData, "manifest is too long", expected: "at most \(Manifest.maxBytes) bytes", got: "\(file.length)",
        at: path)
    }
    do {
      let bytes = try file.bytes(at: 0, count: file.length)
      try Manifest.checkVersion(JSONReader(bytes), path)
      try self.init(JSONReader(bytes), path)
      try Manifest.checkSeal(bytes, path)
    } catch let failure as JSONReader.Failure {
      throw Problem(
        .badData, "manifest is malformed at byte \(failure.offset)", expected: failure.expected, got: failure.got,
        at: path)
    }
  }

  private static func checkSeal(_ bytes: [UInt8], _ path: String) throws {
    let text = bytes.dropLast(seal(of: []).utf8.count)
    guard bytes.dropFirst(text.count).elementsEqual(seal(of: text).utf8) else {
      throw Problem(
        .badData, "manifest has been changed", expected: "the SHA-256 of its text at its end", got: "another one",
        at: path)
    }
  }

  /// Refuses another version before anything else is read, whose form may be another.
  private static func checkVersion(_ json: JSONReader, _ path: String) throws {
    var reader = json
    var version: Int?
    try reader.object { reader, key in
      if key == "formatVersion" { version = try reader.count() } else { try reader.skipValue() }
    }
    // That there is none is found with all else that is missing.
    guard let version else { return }
    guard version == formatVersion else {
      throw Problem(
        .badData, "manifest has another format version", expected: "\(formatVersion)", got: "\(version)",
        at: path, hint: "the checkpoint was written by another version of this program")
    }
  }

  private init(_ json: JSONReader, _ path: String) throws {
    var reader = json
    var numbers: [String: Int] = [:]
    var seed: UInt64?
    var run: RunIdentity?
    var program: String?
    var parameterChain: UInt64?
    var validationLoss: Double?
    var configuration: String?
    var files: [File] = []
    try reader.object { reader, key in
      switch key {
      case "formatVersion", "step", "shards": numbers[key] = try reader.count()
      case "dataPosition":
        try reader.object { reader, key in
          if ["epoch", "stepInEpoch"].contains(key) {
            numbers[key] = try reader.count()
          } else {
            try reader.skipValue()
          }
        }
      case "run": run = try reader.runIdentity()
      case "program": program = try reader.programVersion()
      case "seed": seed = try reader.integer(UInt64.self)
      case "parameterChain": parameterChain = try reader.hash()
      case "validationLoss": validationLoss = try reader.optionalDouble()
      case "configuration": configuration = try reader.string()
      case "files": try reader.array { files.append(try File(&$0, path)) }
      default: try reader.skipValue()
      }
    }
    try reader.end()
    func required<Value>(_ value: Value?, _ key: String) throws -> Value {
      guard let value else {
        throw Problem(.badData, "manifest lacks a key", expected: quoted(key), got: "none", at: path)
      }
      return value
    }
    _ = try required(numbers["formatVersion"], "formatVersion")
    self.init(
      step: try required(numbers["step"], "step"),
      dataPosition: DataPosition(
        epoch: try required(numbers["epoch"], "epoch"), stepInEpoch: try required(numbers["stepInEpoch"], "stepInEpoch")
      ),
      seed: try required(seed, "seed"), shards: try required(numbers["shards"], "shards"),
      configuration: try required(configuration, "configuration"),
      parameterChain: try required(parameterChain, "parameterChain"),
      validationLoss: validationLoss)
    self.files = files
    self.run = run
    self.program = program
    guard Set(files.map(\.name)).count == files.count, !files.isEmpty else {
      throw Problem(
        .badData, "manifest's files are wrong", expected: "one file or more, each named once",
        got: files.isEmpty ? "none" : "a name twice", at: path)
    }
  }
}

extension JSONReader {
  /// The version of a program, which is shown to users: no control characters, and short.
  fileprivate mutating func programVersion() throws -> String {
    let version = try string()
    guard (1...64).contains(version.utf8.count), version.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
      throw failure("a version of 1 to 64 ASCII characters without spaces", got: quoted(version))
    }
    return version
  }
}

extension Manifest.File {
  fileprivate init(_ reader: inout JSONReader, _ path: String) throws {
    var name = ""
    var length: Int?
    var sha256 = ""
    try reader.object { reader, key in
      switch key {
      case "name": name = try reader.string()
      case "length": length = try reader.count()
      case "sha256": sha256 = try reader.string()
      default: try reader.skipValue()
      }
    }
    guard Manifest.File.isPlain(name) else {
      throw Problem(
        .badData, "manifest names a file that may not be", expected: "a plain name without / that begins with no dot",
        got: quoted(name), at: path)
    }
    guard let length, sha256.utf8.count == 64 else {
      throw Problem(
        .badData, "manifest lacks a file's digest", expected: "a length and a SHA-256", got: "neither or one",
        at: "\(path), \(quoted(name))")
    }
    self.init(name: name, digest: FileDigest(length: length, sha256: sha256))
  }

  /// Whether the name can only lie in the checkpoint's own directory.
  package static func isPlain(_ name: String) -> Bool {
    !name.isEmpty && !name.hasPrefix(".") && name != RunNames.manifest && name.utf8.count <= 255
      && name.utf8.allSatisfy { $0 >= 0x20 && $0 != UInt8(ascii: "/") && $0 != 0x7f }
  }
}
