import Files
import Problems
import SafeTensors

/// A checkpoint on the disk whose manifest, lengths and SHA-256 have been checked.
package struct Checkpoint: Sendable {
  private let place: Place
  /// Its directory.
  package var path: String { "\(place)" }
  /// What it says of itself.
  package let manifest: Manifest

  /// Reads the manifest in a directory and checks every file that it names, byte for byte.
  package init(verifying path: String) throws { try self.init(verifying: Place(trimmed(path))) }

  package init(verifying place: Place, pace: Pace? = nil) throws {
    self.place = place
    manifest = try Manifest(place.at(RunNames.manifest))
    for file in manifest.files {
      let input = try InputFile(place.at(file.name), followLinks: false)
      guard input.length == file.digest.length else {
        throw Problem(
          .badData, "file has another length than the manifest says",
          expected: counted(file.digest.length, "byte"), got: "\(input.length)", at: "\(input.place)")
      }
      let sha256 = try input.digest(pace).sha256
      guard sha256 == file.digest.sha256 else {
        throw Problem(
          .badData, "file has another SHA-256 than the manifest says", expected: quoted(file.digest.sha256),
          got: sha256, at: "\(input.place)")
      }
    }
  }

  /// Opens one of the files that the manifest names, for example `model.safetensors`.
  package func open(_ name: String) throws -> TensorFile {
    guard manifest.files.contains(where: { $0.name == name }) else {
      throw Problem(.badData, "checkpoint lacks a file", expected: quoted(name), got: "none", at: path)
    }
    return try TensorFile(InputFile(place.at(name), followLinks: false))
  }
}

/// A file of a checkpoint to be written.
package struct CheckpointFile {
  package let name: String
  package let tensors: [TensorSource]
  package let refusesNonFinite: Bool

  /// A safetensors file of these tensors. With `refusesNonFinite` an infinity or NaN in it is an error with exit code
  /// 76, and the checkpoint does not come to be.
  /// - Precondition: `name` is a plain file name.
  package init(name: String, tensors: [TensorSource], refusesNonFinite: Bool = true) {
    precondition(Manifest.File.isPlain(name), "\(name) is not a plain file name")
    self.name = name
    self.tensors = tensors
    self.refusesNonFinite = refusesNonFinite
  }
}

// MARK: Writing

extension RunDirectory {
  /// Writes a checkpoint so that it exists as a whole or not at all, whenever the machine stops:
  ///
  ///     checkpoints/.partial-step-00001200   files written, each fsynced; manifest.json last; the directory fsynced
  ///     all read back from the disk, and compared with the manifest
  ///     fsync of metrics.jsonl, which has the records that the manifest's chain speaks of, and of the run directory
  ///     rename to checkpoints/step-00001200, fsync of checkpoints
  ///
  /// The manifest gets the run's identity. Nothing is written where the run's directory is gone, or holds another run.
  ///
  /// One of the same step that stands there already (a damaged one that was passed over) is set aside as
  /// `.replaced-step-00001200` until the new one stands; `removeLeftovers` puts it back after a crash in between.
  package func writeCheckpoint(_ manifest: Manifest, files: [CheckpointFile]) throws {
    if case .unconfirmed(let problem) = try writeCheckpoint(manifest, files: files, pace: nil) { throw problem }
  }

  func writeCheckpoint(_ manifest: Manifest, files: [CheckpointFile], pace: Pace?) throws -> Confirmation {
    try write(manifest, files, in: checkpoints, pace)
  }

  /// What the disk says of a checkpoint that is complete and has its name.
  enum Confirmation {
    case confirmed
    /// The last fsync failed, that of the directory with the name: the checkpoint may not outlast a power failure.
    case unconfirmed(Problem)
  }

  /// Writes the dump of a step in the way of a checkpoint, as `dumps/step-00001200`; returns its path.
  /// Where there are `limit` dumps of other steps, none is written, and nil is returned.
  package func writeDump(_ manifest: Manifest, files: [CheckpointFile], limit: Int) throws -> String? {
    let steps = try entry(dumps) == .absent ? [] : names(in: dumps).compactMap(RunNames.step(of:))
    guard steps.count(where: { $0 != manifest.step }) < limit else { return nil }
    // One that the disk has not confirmed is worth as much until the next power failure.
    _ = try write(manifest, files, in: dumps, nil)
    return "\(dumps.at(RunNames.step(manifest.step)))"
  }

  private func write(
    _ manifest: Manifest, _ files: [CheckpointFile], in parent: Place, _ pace: Pace?
  ) throws -> Confirmation {
    let name = RunNames.step(manifest.step)
    let partial = parent.at(name).partial
    do {
      try checkIsThere()
      var manifest = manifest
      manifest.run = try identity ?? readIdentity()
      if try entry(parent) == .absent { try makeDurableDirectory(parent) }
      try removeTree(partial)
      try fill(partial, manifest, files, pace)
      _ = try Checkpoint(verifying: partial, pace: pace)
      try syncFile(metrics)
      try syncDirectory(place)
      return try publish(partial, as: name, in: parent)
    } catch {
      // The first error is the one to report; what stays behind is removed at the next start.
      try? removeTree(partial)
      throw error
    }
  }

  private func fill(_ partial: Place, _ manifest: Manifest, _ files: [CheckpointFile], _ pace: Pace?) throws {
    var manifest = manifest
    try makeDirectory(partial)
    for file in files {
      let digest = try TensorFileWriter.create(
        file.tensors, metadata: [:], at: partial.at(file.name), refuseNonFinite: file.refusesNonFinite, pace: pace)
      manifest.files.append(Manifest.File(name: file.name, digest: digest))
    }
    var file = try OutputFile(creating: partial.at(RunNames.manifest))
    try file.write(manifest.text)
    _ = try file.finish()
    try syncDirectory(partial)
  }

  private func publish(_ partial: Place, as name: String, in parent: Place) throws -> Confirmation {
    let target = parent.at(name)
    let replaced = parent.at(RunNames.replaced(name))
    let standsAlready = try entry(target, followLinks: false) != .absent
    if standsAlready {
      // A damaged one gives way, but one of another run is not ours to remove.
      if let other = try? Manifest(target.at(RunNames.manifest)) { try refuseForeign(other, at: target) }
      try removeTree(replaced)
      try move(target, to: replaced)
    }
    do {
      try move(partial, to: target)
    } catch {
      if standsAlready { try move(replaced, to: target) }
      throw error
    }
    do {
      try syncDirectory(parent)
    } catch {
      return .unconfirmed(error)
    }
    // The new checkpoint stands: what cannot be removed here is a leftover, not a failure.
    try? removeTree(replaced)
    return .confirmed
  }
}
