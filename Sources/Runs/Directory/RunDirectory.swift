import Files
import Glibc
import Problems

/// The directory of a run:
///
///     runs/<name>/run.json        which run this is
///                 config.yaml     resolved configuration
///                 metrics.jsonl   one object per line
///                 stop            made by the user: the run is to stop, and the file to go
///                 heartbeat       while a job runs: who it is, and what each rank is about
///                 checkpoints/step-00001200/{model,optimizer,state}.safetensors, manifest.json
///                 dumps/step-00001200/{model,batch}.safetensors, manifest.json: steps that were not finite
///
/// Only rank 0 writes to it, but that each rank has a page of the heartbeat. Names that begin with a dot are work in
/// progress, or what a crash left of it.
package struct RunDirectory: Sendable {
  package let place: Place
  /// The run's identity, where the directory is held open.
  package let identity: RunIdentity?

  /// Names a run directory; touches nothing.
  package init(path: String) { self.init(place: Place(trimmed(path)), identity: nil) }

  package init(place: Place, identity: RunIdentity?) { (self.place, self.identity) = (place, identity) }

  package var configurationPlace: Place { place.at(RunNames.configuration) }
  /// `metrics.jsonl`
  package var metrics: Place { place.at(RunNames.metrics) }
  package var checkpoints: Place { place.at(RunNames.checkpoints) }
  package var dumps: Place { place.at(RunNames.dumps) }
  /// `heartbeat`
  package var heartbeat: Place { place.at(RunNames.heartbeat) }

  package func checkpointPlace(step: Int) -> Place { checkpoints.at(RunNames.step(step)) }

  /// Where the directory is or will be; the other paths below, as this one, are for messages.
  package var path: String { "\(place)" }
  /// `config.yaml`
  package var configurationPath: String { "\(configurationPlace)" }
  /// `metrics.jsonl`
  package var metricsPath: String { "\(metrics)" }
  /// `heartbeat`
  package var heartbeatPath: String { "\(heartbeat)" }
  /// `checkpoints`
  package var checkpointsPath: String { "\(checkpoints)" }
  /// The directory of the checkpoint of a step.
  package func checkpointPath(step: Int) -> String { "\(checkpointPlace(step: step))" }

  // MARK: Creation

  /// Whether a run is there. A file, or a directory with other content, is an error: nothing is written into what is
  /// not ours.
  package func exists() throws -> Bool {
    switch try entry(place) {
    case .absent: return false
    case .file:
      throw Problem(
        .inputOutput, "cannot use the run directory", expected: "a directory", got: "a file", at: path)
    case .directory:
      if try entry(configurationPlace) == .file { return true }
      if try names(in: place).allSatisfy(RunDirectory.isTransient) { return false }
      throw Problem(
        .inputOutput, "cannot use the run directory", expected: "a run, an empty directory or none",
        got: "a directory without \(RunNames.configuration)", at: path, hint: "name another directory with --run")
    }
  }

  /// What a job has in a directory before there is a run in it.
  private static func isTransient(_ name: String) -> Bool {
    [RunNames.heartbeat, RunNames.identity, RunNames.stop].contains(name) || name.hasPrefix(partialPrefix)
  }

  /// Makes the run: it is there as soon as its `config.yaml` is, and after an error it is not.
  package func create(configuration: String) throws {
    _ = try exists()
    if place.openDirectory == nil { try makeDirectories(path) }
    do {
      _ = try ensureIdentity()
      try writeConfiguration(configuration)
      try syncDirectory(place.directory)
    } catch {
      removeUnusedIdentity()
      removeIfEmpty()
      throw error
    }
    if try entry(checkpoints) == .absent { try makeDurableDirectory(checkpoints) }
  }

  /// Removes the directory if nothing is in it, and if its path leads to it where it is held open.
  package func removeIfEmpty() {
    if let opened = place.openDirectory, !isFile(Place(path), openAs: opened.descriptor) { return }
    rmdir(path)
  }

  /// Replaces `config.yaml`, at once.
  package func writeConfiguration(_ configuration: String) throws {
    try writeAtomically(configuration, to: configurationPlace)
  }

  /// Whether somebody has made the file `stop`, which is removed: it stops one job.
  package func takeStopFile() throws -> Bool {
    let stop = place.at(RunNames.stop)
    if try entry(stop, followLinks: false) == .absent { return false }
    try remove(stop)
    return true
  }

  /// The text of `config.yaml`, which may have `maximumBytes` bytes.
  package func readConfiguration(atMost maximumBytes: Int) throws -> String {
    let file = try InputFile(configurationPlace)
    guard file.length <= maximumBytes else {
      throw Problem(
        .badData, "configuration is too long", expected: "at most \(maximumBytes) bytes", got: "\(file.length)",
        at: configurationPath)
    }
    guard let text = String(validating: try file.bytes(at: 0, count: file.length), as: UTF8.self) else {
      throw Problem(
        .badData, "configuration is not text", expected: "UTF-8", got: "other bytes", at: configurationPath)
    }
    return text
  }

  /// Moves an existing run to the first free one of `<run>.old-1`, `.old-2`, …; deletes nothing. Returns the new place,
  /// or nil where there is no run.
  package func moveAside() throws -> String? {
    if try !exists() { return nil }
    var number = 1
    while try entry(Place("\(path).old-\(number)"), followLinks: false) != .absent { number += 1 }
    let target = "\(path).old-\(number)"
    if let opened = place.openDirectory, !isFile(Place(path), openAs: opened.descriptor) {
      throw Problem(
        .inputOutput, "cannot move the run aside", expected: "the directory that was opened", got: "another one",
        at: path)
    }
    try move(Place(path), to: Place(target))
    try syncDirectory(Place(directory(of: path)))
    return target
  }

  /// Removes what a crash left of files and checkpoints that were being written; puts back a checkpoint that had been
  /// set aside for one that did not come. Returns the names removed. Only rank 0 may call this, before it writes.
  @discardableResult
  package func removeLeftovers() throws -> [String] {
    var removed: [String] = []
    for name in try names(in: place) where name.hasPrefix(partialPrefix) {
      try removeTree(place.at(name))
      removed.append(name)
    }
    for parent in [checkpoints, dumps] where try entry(parent) != .absent {
      removed += try removeLeftovers(in: parent)
    }
    return removed
  }

  private func removeLeftovers(in parent: Place) throws -> [String] {
    var removed: [String] = []
    for name in try names(in: parent) {
      let original = RunNames.original(ofReplaced: name)
      guard original != nil || name.hasPrefix(partialPrefix) else { continue }
      let place = parent.at(name)
      if let original, try entry(parent.at(original), followLinks: false) == .absent {
        try move(place, to: parent.at(original))
      } else {
        try removeTree(place)
        removed.append(name)
      }
    }
    try syncDirectory(parent)
    return removed
  }
}
