import Files
import Problems

/// Which run something belongs to: 128 random bits, made when the run is created, as 32 hexadecimal digits. It stands
/// in the run's `run.json`, its heartbeat, its metrics, and the manifest of each of its checkpoints.
package struct RunIdentity: Hashable, Sendable, CustomStringConvertible {
  /// The digits.
  package let description: String

  /// A new one.
  package init() {
    description = hexadecimal(UInt64.random(in: .min ... .max)) + hexadecimal(UInt64.random(in: .min ... .max))
  }

  /// Nil where the text is not one.
  package init?(_ text: String) {
    guard text.utf8.count == 32, text.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    description = text
  }
}

extension JSONReader {
  package mutating func runIdentity() throws -> RunIdentity {
    let text = try string("32 hexadecimal digits")
    guard let identity = RunIdentity(text) else { throw failure("32 hexadecimal digits", got: quoted(text)) }
    return identity
  }
}

// MARK: The run's own

extension RunDirectory {
  private static let identityVersion = 1

  private var identityPlace: Place { place.at(RunNames.identity) }

  /// What `run.json` says; nil where there is none, as in a run of a program from before there were identities.
  package func readIdentity() throws -> RunIdentity? {
    if try entry(identityPlace) == .absent { return nil }
    let file = try InputFile(identityPlace, followLinks: false)
    do {
      let bytes = try file.bytes(at: 0, count: min(file.length, 4096))
      let (version, identity) = try RunDirectory.identity(JSONReader(bytes))
      guard version == RunDirectory.identityVersion else {
        throw Problem(
          .badData, "identity of a run has another format version", expected: "\(RunDirectory.identityVersion)",
          got: "\(version)", at: "\(identityPlace)", hint: "the run was made by another version of this program")
      }
      return identity
    } catch let failure as JSONReader.Failure {
      throw Problem(
        .badData, "identity of a run is malformed at byte \(failure.offset)", expected: failure.expected,
        got: failure.got, at: "\(identityPlace)",
        hint: "the manifests of the run's checkpoints name its identity as \"run\"")
    }
  }

  private static func identity(_ json: JSONReader) throws -> (version: Int, RunIdentity) {
    var reader = json
    var (version, identity): (Int?, RunIdentity?)
    try reader.object { reader, key in
      switch key {
      case "formatVersion": version = try reader.integer(Int.self)
      case "run": identity = try reader.runIdentity()
      default: try reader.skipValue()
      }
    }
    try reader.end()
    guard let version, let identity else { throw reader.failure("formatVersion and run", got: "fewer of them") }
    return (version, identity)
  }

  /// The run's identity. Where `run.json` is missing it is the one that the run's parts name; where none does, it is made.
  package func ensureIdentity() throws -> RunIdentity {
    if let identity = try readIdentity() { return identity }
    let identity = try identityOfParts() ?? RunIdentity()
    let record: JSONRecord = [
      "formatVersion": .integer(RunDirectory.identityVersion), "run": .string("\(identity)"),
    ]
    try writeAtomically(record.text + "\n", to: identityPlace)
    return identity
  }

  /// What checkpoints and metrics name; nil where none of them names a run.
  private func identityOfParts() throws -> RunIdentity? {
    let ofCheckpoints = try checkpointSteps().compactMap { (try? manifest(step: $0))?.run }
    let named = Set(ofCheckpoints + (try MetricsLog.run(metrics).map { [$0] } ?? []))
    guard named.count <= 1 else {
      throw Problem(
        .badData, "\(RunNames.identity) is missing, and the run's parts are of several runs",
        expected: "one run", got: named.map(\.description).sorted().joined(separator: " and "), at: path,
        hint: "restore \(RunNames.identity), or move what is of another run out of \(path)")
    }
    return named.first
  }

  /// Takes back the identity of a directory in which no run has come to be.
  package func removeUnusedIdentity() {
    guard (try? entry(configurationPlace)) == .absent, (try? checkpointSteps().isEmpty) == true else { return }
    try? remove(identityPlace)
  }
}

// MARK: Held open

extension RunDirectory {
  /// The directory held open, whose identity is this one: from now on all is read and written in it, wherever it is
  /// moved and whatever takes its name.
  package func opened(as identity: RunIdentity) throws -> RunDirectory {
    let opened = RunDirectory(place: try place.opened(), identity: identity)
    try opened.checkIsThere()
    return opened
  }

  /// Throws where the run that this job has opened is not there any more: there is nowhere to write.
  package func checkIsThere() throws { if let loss = try loss() { throw loss } }

  private func loss() throws -> Problem? {
    guard let identity else { return nil }
    let got: String
    if place.openDirectory?.isRemoved == true {
      got = "one that has been removed"
    } else {
      let found = try readIdentity()
      if found == identity { return nil }
      got = found.map { "run \($0)" } ?? "one without \(RunNames.identity)"
    }
    return Problem(
      .inputOutput, "the run's directory is gone", expected: "that of run \(identity)", got: got, at: path,
      hint: "nothing can be saved in it: restore the run, or start it anew")
  }

  /// Follows a directory that has been renamed: the path before and now, where that has happened since the last call.
  /// - Throws: exit code 74 where it has been removed. What only cannot be read at the moment may come back.
  package func follow() throws -> (from: String, to: String)? {
    if let loss = try? loss() { throw loss }
    return place.openDirectory?.follow()
  }
}

// MARK: Others

extension RunDirectory {
  /// Throws, with exit code 65, where a checkpoint of another run lies among the run's own, or its metrics.
  package func refuseForeignParts() throws {
    guard let own = try identity ?? readIdentity() ?? identityOfParts() else { return }
    for step in try checkpointSteps() {
      // What is wrong with a damaged one is found when it is to be used.
      guard let other = (try? manifest(step: step))?.run else { continue }
      try refuse(other, own, "checkpoint", at: checkpointPlace(step: step))
    }
    if let other = try MetricsLog.run(metrics) { try refuse(other, own, "metrics", at: metrics) }
  }

  /// The same of one checkpoint. One of before there were identities names no run.
  package func refuseForeign(_ manifest: Manifest, at place: Place) throws {
    guard let other = manifest.run, let own = try identity ?? readIdentity() else { return }
    try refuse(other, own, "checkpoint", at: place)
  }

  private func refuse(_ other: RunIdentity, _ own: RunIdentity, _ what: String, at place: Place) throws {
    guard other != own else { return }
    throw Problem(
      .badData, "\(what) of another run", expected: "run \(own)", got: "run \(other)", at: "\(place)",
      hint: "move it out of \(path), back to its own run")
  }
}
