import Foundation
import Problems
import Runs
import SafeTensors
import TestSupport
import Testing

/// The thread beside the training. What it writes, and what it does where it cannot.
@Suite struct CheckpointWriterTests {
  private final class Owner {}

  private func manifest(_ step: Int, validationLoss: Double? = nil) -> Manifest {
    Manifest(
      step: step, dataPosition: DataPosition(epoch: 0, stepInEpoch: step), seed: 1, shards: 8, configuration: "",
      validationLoss: validationLoss)
  }

  private func files(_ value: Float) -> [CheckpointFile] {
    [
      CheckpointFile(
        name: "model.safetensors",
        tensors: [TensorSource(name: "w", shape: [300_000], values: [Float](repeating: value, count: 300_000))])
    ]
  }

  private func withRun(_ retention: Retention = .all, _ body: (RunDirectory, CheckpointWriter) throws -> Void) throws {
    try withDirectory { directory in
      let run = RunDirectory(path: directory + "/run")
      try run.create(configuration: "seed: 1\n")
      try body(run, CheckpointWriter(run, retention: retention))
    }
  }

  /// Writes one and waits for it.
  private func write(
    _ writer: CheckpointWriter, _ manifest: Manifest, _ files: [CheckpointFile]
  ) throws -> CheckpointWriter.Outcome {
    writer.start(manifest, files: files, owner: Owner())
    for _ in 0..<60 { if let outcome = writer.wait() { return outcome } }
    throw Problem(.inputOutput, "writing does not end", expected: "an outcome", got: "none", at: "writer")
  }

  @Test func whatIsWrittenBesideIsWhatIsWrittenAtOnce() throws {
    try withRun { run, writer in
      #expect(writer.takeOutcome() == nil)
      try run.writeCheckpoint(manifest(1, validationLoss: 0.1), files: files(1.5))
      writer.start(manifest(2, validationLoss: nil), files: files(2.5), owner: Owner())
      var outcome: CheckpointWriter.Outcome?
      while outcome == nil {
        outcome = writer.takeOutcome()
        usleep(100)
      }
      #expect(outcome?.step == 2 && outcome?.error == nil && outcome?.removalError == nil)
      #expect(writer.takeOutcome() == nil)
      #expect(try write(writer, manifest(3), files(1.5)).error == nil)
      #expect(try list(run.checkpointsPath) == ["step-00000001", "step-00000002", "step-00000003"])
      #expect(
        try get(run.checkpointPath(step: 3) + "/model.safetensors")
          == get(run.checkpointPath(step: 1) + "/model.safetensors"))
      #expect(try run.checkpoint(step: 1).manifest.validationLoss == 0.1)
      #expect(try run.checkpoint(step: 2).manifest.validationLoss == nil)
      #expect(try run.checkpoint(step: 2).open("model.safetensors").values("w", as: Float.self)[299_999] == 2.5)
    }
  }

  /// Nobody waits: it takes its time. Somebody waits: it does not.
  @Test func itRestsUntilSomebodyWaits() throws {
    try withRun { run, writer in
      writer.start(manifest(1), files: files(1), owner: Owner())
      var alone: CheckpointWriter.Outcome?
      let start = Date()
      while alone == nil {
        alone = writer.takeOutcome()
        usleep(100)
      }
      let elapsed = -start.timeIntervalSinceNow
      let outcome = try #require(alone)
      #expect(outcome.busySeconds > 0 && outcome.workSeconds >= outcome.busySeconds)
      #expect(elapsed > outcome.workSeconds + 2 * outcome.busySeconds, "\(elapsed), \(outcome)")
    }
  }

  @Test func aFailureIsToldAndTheNextOneIsTried() throws {
    try withRun { run, writer in
      try FileManager.default.removeItem(atPath: run.checkpointsPath)
      try put([1], run.checkpointsPath)
      let outcome = try write(writer, manifest(1), files(1))
      #expect(outcome.error?.exitCode == 74 && outcome.error?.message.contains(run.checkpointsPath) == true)
      try FileManager.default.removeItem(atPath: run.checkpointsPath)
      #expect(try write(writer, manifest(2), files(2)).error == nil)
      #expect(try run.newestCheckpoint().newest?.manifest.step == 2)
      // The whole run is gone: it is not made anew in another place.
      try FileManager.default.moveItem(atPath: run.path, toPath: run.path + "-moved")
      #expect(try write(writer, manifest(3), files(3)).error?.exitCode == 74)
      #expect(!exists(run.path))
    }
  }

  @Test func whatIsSupersededGoesWhenTheNewerOneStands() throws {
    try withRun(Retention(last: 2, keepsBest: true, every: 4)) { run, writer in
      for step in 1...7 {
        let loss = step == 2 ? 0.5 : step == 3 ? nil : 1.0
        let outcome = try write(writer, manifest(step, validationLoss: loss), files(Float(step)))
        #expect(outcome.error == nil && outcome.removalError == nil)
      }
      #expect(try run.checkpointSteps() == [2, 4, 6, 7])
      #expect(try list(run.checkpointsPath).count == 4)
      for step in [2, 4, 6, 7] { #expect(throws: Never.self) { try run.checkpoint(step: step) } }
    }
  }

  /// The disk gives back other bytes than it was given: the new checkpoint does not come to be, and the old one stays.
  @Test func whatIsReadBackOtherwiseSupersedesNothing() throws {
    try withRun(Retention(last: 1, keepsBest: false, every: 0)) { run, writer in
      #expect(try write(writer, manifest(1), files(1)).error == nil)
      let partial = run.checkpointsPath + "/.partial-step-00000002/model.safetensors"
      // While the second file is written, a bit of the first one flips on the disk.
      let second = TensorSource(name: "v", dtype: .float32, shape: [1]) { write in
        var bytes = try get(partial)
        bytes[bytes.count / 2] ^= 1
        try put(bytes, partial)
        try withUnsafeBytes(of: Float(0)) { try write($0) }
      }
      let outcome = try write(
        writer, manifest(2), files(2) + [CheckpointFile(name: "state.safetensors", tensors: [second])])
      #expect(outcome.error?.message.contains("another SHA-256") == true, "\(outcome)")
      #expect(try list(run.checkpointsPath) == ["step-00000001"])
    }
  }

  @Test func whatIsNotFiniteSupersedesNothing() throws {
    try withRun(Retention(last: 1, keepsBest: false, every: 0)) { run, writer in
      let first = try write(writer, manifest(1), files(1))
      #expect(first.error == nil)
      for value in [Float.nan, .infinity, -.infinity, .signalingNaN] {
        var values = [Float](repeating: 1, count: 300_000)
        values[Int.random(in: values.indices)] = value
        let file = CheckpointFile(
          name: "model.safetensors", tensors: [TensorSource(name: "w", shape: [values.count], values: values)])
        #expect(try write(writer, manifest(2), [file]).error?.exitCode == 76)
      }
      #expect(try list(run.checkpointsPath) == ["step-00000001"])
      #expect(try run.newestCheckpoint().newest?.manifest.step == 1)
    }
  }
}
