import Files
import Foundation
import Runs
import SafeTensors
import TestSupport
import Testing

private func manifest(_ step: Int) -> Manifest {
  Manifest(
    step: step, dataPosition: DataPosition(epoch: 2, stepInEpoch: 7), seed: .max, shards: 8,
    configuration: "seed: 1\nname: \"ü\"\n")
}

private func files(_ value: Float) -> [CheckpointFile] {
  [
    CheckpointFile(name: "model.safetensors", tensors: [TensorSource(name: "w", shape: [1], values: [value])]),
    CheckpointFile(name: "state.safetensors", tensors: [TensorSource(name: "best", shape: [1], values: [1.5])]),
  ]
}

/// A run with checkpoints of steps 10, 20 and 30, whose parameter is the step.
private func withRun(_ body: (RunDirectory) throws -> Void) throws {
  try withDirectory { directory in
    let run = RunDirectory(path: directory + "/runs/a/")
    try run.create(configuration: "seed: 1\n")
    for step in [10, 20, 30] { try run.writeCheckpoint(manifest(step), files: files(Float(step))) }
    try body(run)
  }
}

private func parameter(_ checkpoint: Checkpoint?) throws -> Float? {
  try checkpoint?.open("model.safetensors").values("w", as: Float.self).first
}

@Suite struct RunDirectoryTests {
  /// Of equal ones the newest, of those without an evaluation none, and of damaged ones the next.
  @Test func theBestCheckpointHasTheLowestValidationLoss() throws {
    try withRun { run in
      #expect(try run.bestCheckpoint().newest == nil)
      #expect(
        failure { _ = try ResolvedRun(run.path, best: true) }?.message.contains("one with a validation loss") == true)
      for (step, loss) in [(40, 1.5), (50, 1.25), (60, 1.25), (70, 1.75)] {
        let evaluated = Manifest(
          step: step, dataPosition: DataPosition(epoch: 2, stepInEpoch: 7), seed: 1, shards: 8,
          configuration: "seed: 1\n", validationLoss: loss)
        try run.writeCheckpoint(evaluated, files: files(Float(step)))
      }
      #expect(try run.bestCheckpoint().newest?.manifest.step == 60)
      let model = run.checkpointPath(step: 60) + "/model.safetensors"
      var bytes = try get(model)
      bytes[bytes.count - 1] ^= 1
      try put(bytes, model)
      let resolved = try ResolvedRun(run.path, best: true)
      #expect(resolved.checkpoint.manifest.step == 50 && resolved.damaged.map(\.path) == [run.checkpointPath(step: 60)])
      #expect(try ResolvedRun(run.path).checkpoint.manifest.step == 70)
    }
  }

  @Test func aCheckpointComesBackAsItWasWritten() throws {
    try withRun { run in
      #expect(try list(run.path) == ["checkpoints", "config.yaml", "run.json"])
      #expect(try list(run.checkpointsPath) == ["step-00000010", "step-00000020", "step-00000030"])
      #expect(
        try list(run.checkpointPath(step: 30)) == ["manifest.json", "model.safetensors", "state.safetensors"])
      let search = try run.newestCheckpoint()
      let newest = try #require(search.newest)
      #expect(search.damaged.isEmpty)
      #expect(newest.path == run.checkpointPath(step: 30))
      #expect(newest.manifest.step == 30)
      #expect(newest.manifest.dataPosition == DataPosition(epoch: 2, stepInEpoch: 7))
      #expect(newest.manifest.seed == .max && newest.manifest.shards == 8)
      #expect(newest.manifest.configuration == "seed: 1\nname: \"ü\"\n")
      #expect(newest.manifest.files.map(\.name) == ["model.safetensors", "state.safetensors"])
      #expect(try parameter(newest) == 30)
      #expect(try run.readConfiguration(atMost: 100) == "seed: 1\n")
      #expect(failure { _ = try newest.open("other") }?.message.hasPrefix("checkpoint lacks a file") == true)
    }
  }

  @Test func aDamagedCheckpointIsNamedAndPassedOver() throws {
    try withRun { run in
      let model = run.checkpointPath(step: 30) + "/model.safetensors"
      var bytes = try get(model)
      bytes[bytes.count - 1] ^= 1
      try put(bytes, model)
      try put(
        try get(run.checkpointPath(step: 20) + "/model.safetensors").dropLast(),
        run.checkpointPath(step: 20) + "/model.safetensors")
      let search = try run.newestCheckpoint()
      #expect(try parameter(search.newest) == 10)
      #expect(search.damaged.map(\.path) == [run.checkpointPath(step: 30), run.checkpointPath(step: 20)])
      #expect(search.damaged[0].error.message.hasPrefix("file has another SHA-256 than the manifest says — expected"))
      #expect(search.damaged[1].error.message.hasPrefix("file has another length than the manifest says — expected"))
      #expect(search.damaged[1].error.message.contains(run.checkpointPath(step: 20) + "/model.safetensors"))

      // Training reaches step 30 again: the damaged one gives way to the new one.
      try run.writeCheckpoint(manifest(30), files: files(31))
      #expect(try parameter(run.newestCheckpoint().newest) == 31)
      #expect(try list(run.checkpointsPath) == ["step-00000010", "step-00000020", "step-00000030"])
    }
  }

  @Test func everyFlippedBitOfACheckpointIsFound() throws {
    try withDirectory { directory in
      let run = RunDirectory(path: directory + "/a")
      try run.create(configuration: "")
      try run.writeCheckpoint(manifest(1), files: files(1))
      let path = run.checkpointPath(step: 1)
      for name in try list(path) {
        let bytes = try get(path + "/" + name)
        for place in bytes.indices {
          var changed = bytes
          changed[place] ^= 1 << UInt8(place % 8)
          try put(changed, path + "/" + name)
          #expect(failure { _ = try Checkpoint(verifying: path) }?.exitCode == 65, "\(name), byte \(place)")
        }
        try put(bytes, path + "/" + name)
      }
    }
  }

  @Test(arguments: [
    ("", "expected an object, got the end of the text"), ("{}", "manifest lacks a key — expected \"formatVersion\""),
    (#"{"formatVersion":3}"#, "another format version — expected 2, got 3"),
    // Of a newer version nothing else is taken for what it was.
    (#"{"formatVersion":3,"step":"now","files":{"a":[]},"parts":1}"#, "another format version — expected 2, got 3"),
    (#"{"formatVersion":2,"step":-1}"#, "expected 0 or more, got -1"),
    (#"{"formatVersion":2,"step":1,"step":2}"#, "got \"step\" twice"),
    (#"{"x":"# + String(repeating: "[", count: 100_000), "expected at most 32 levels of nesting, got more"),
    (#"{"files":[{"name":"../model","length":1}]}"#, "names a file that may not be"),
    (#"{"files":[{"name":"a/b","length":1}]}"#, "names a file that may not be"),
    (#"{"files":[{"name":"/etc/passwd","length":1}]}"#, "names a file that may not be"),
    (#"{"files":[{"name":"..","length":1}]}"#, "names a file that may not be"),
    (#"{"files":[{"name":"","length":1}]}"#, "names a file that may not be"),
    (#"{"files":[{"name":"a\u0000b","length":1}]}"#, "names a file that may not be"),
    (#"{"files":[{"name":"manifest.json","length":1}]}"#, "names a file that may not be"),
    (#"{"files":[{"name":"model"}]}"#, "lacks a file's digest"),
    (#"{"program":""}"#, "expected a version of 1 to 64 ASCII characters without spaces, got \"\""),
    (#"{"program":"1.0\u001b[31m"}"#, "expected a version of 1 to 64 ASCII characters without spaces"),
    (
      #"{"formatVersion":2,"step":1,"shards":1,"seed":1,"dataPosition":{"epoch":0,"stepInEpoch":0},"configuration":"","#
        + #""parameterChain":"0000000000000000","files":[]}"#,
      "expected one file or more, each named once, got none"
    ),
  ])
  func malformedManifestsAreOneClearError(_ text: String, _ message: String) throws {
    try withRun { run in
      try put(text.utf8, run.checkpointPath(step: 30) + "/manifest.json")
      let search = try run.newestCheckpoint()
      #expect(try parameter(search.newest) == 20)
      let error = try #require(search.damaged.first?.error)
      #expect(error.message.contains(message), "\(error.message)")
      #expect(error.exitCode == 65)
    }
  }

  @Test func linksOutOfACheckpointAreNotFollowed() throws {
    try withRun { run in
      let model = run.checkpointPath(step: 30) + "/model.safetensors"
      try FileManager.default.moveItem(atPath: model, toPath: run.path + "/elsewhere")
      try FileManager.default.createSymbolicLink(atPath: model, withDestinationPath: run.path + "/elsewhere")
      let search = try run.newestCheckpoint()
      #expect(try parameter(search.newest) == 20)
      #expect(search.damaged.first?.error.exitCode == 74)
    }
  }

  @Test func aCheckpointUnderTheNameOfAnotherStepIsDamaged() throws {
    try withRun { run in
      try FileManager.default.moveItem(atPath: run.checkpointPath(step: 30), toPath: run.checkpointPath(step: 40))
      let search = try run.newestCheckpoint()
      #expect(try parameter(search.newest) == 20)
      #expect(
        search.damaged.first?.error.message.contains("another step than its directory — expected 40, got 30") == true)
    }
  }

  @Test func valuesThatAreNotFiniteNeverBecomeACheckpoint() throws {
    try withRun { run in
      for value in [Float.nan, .infinity, -.infinity] {
        let error = failure { try run.writeCheckpoint(manifest(30), files: files(value)) }
        #expect(error?.exitCode == 76)
        #expect(error?.message.contains("tensor \"w\"") == true)
      }
      #expect(try list(run.checkpointsPath) == ["step-00000010", "step-00000020", "step-00000030"])
      #expect(try parameter(run.newestCheckpoint().newest) == 30)
      let best = CheckpointFile(
        name: "state.safetensors", tensors: [TensorSource(name: "best", shape: [1], values: [Double.infinity])],
        refusesNonFinite: false)
      try run.writeCheckpoint(manifest(40), files: [best])
      #expect(try run.newestCheckpoint().newest?.manifest.step == 40)
    }
  }

  @Test func leftoversOfACrashAreRemovedAndAReplacedCheckpointComesBack() throws {
    try withRun { run in
      // A crash while step 40 was written, and one between the two renames that replace step 30.
      try makeDirectory(run.checkpointsPath + "/.partial-step-00000040")
      try put([1], run.checkpointsPath + "/.partial-step-00000040/model.safetensors")
      try FileManager.default.moveItem(
        atPath: run.checkpointPath(step: 30), toPath: run.checkpointsPath + "/.replaced-step-00000030")
      try FileManager.default.copyItem(
        atPath: run.checkpointPath(step: 20), toPath: run.checkpointsPath + "/.replaced-step-00000020")
      try put([1], run.path + "/.partial-config.yaml")
      #expect(try run.newestCheckpoint().newest?.manifest.step == 20)
      #expect(
        try run.removeLeftovers() == [".partial-config.yaml", ".partial-step-00000040", ".replaced-step-00000020"])
      #expect(try list(run.checkpointsPath) == ["step-00000010", "step-00000020", "step-00000030"])
      #expect(try list(run.path) == ["checkpoints", "config.yaml", "run.json"])
      #expect(try parameter(run.newestCheckpoint().newest) == 30)
    }
  }

  @Test func aLeftoverDoesNotStandInTheWayOfTheNextCheckpoint() throws {
    try withRun { run in
      try makeDirectory(run.checkpointsPath + "/.partial-step-00000040")
      try put([1], run.checkpointsPath + "/.partial-step-00000040/model.safetensors")
      try run.writeCheckpoint(manifest(40), files: files(40))
      #expect(try parameter(run.newestCheckpoint().newest) == 40)
    }
  }

  @Test func freshMovesTheRunAsideAndDeletesNothing() throws {
    try withRun { run in
      #expect(try run.moveAside() == run.path + ".old-1")
      #expect(try !run.exists() && run.moveAside() == nil)
      try run.create(configuration: "seed: 2\n")
      #expect(try run.moveAside() == run.path + ".old-2")
      #expect(try RunDirectory(path: run.path + ".old-1").newestCheckpoint().newest?.manifest.step == 30)
      #expect(try text(run.path + ".old-2/config.yaml") == "seed: 2\n")
    }
  }

  @Test func aRunIsCreatedAsAWholeOrNotAtAll() throws {
    try withDirectory { directory in
      let run = RunDirectory(path: directory + "/runs/a")
      #expect(try !run.exists())
      try put([1], directory + "/file")
      #expect(failure { try RunDirectory(path: directory + "/file/a").create(configuration: "") }?.exitCode == 74)
      #expect(failure { _ = try RunDirectory(path: directory + "/file").exists() }?.exitCode == 74)
      try makeDirectory(directory + "/other")
      #expect(try !RunDirectory(path: directory + "/other").exists())
      try put([1], directory + "/other/thesis.tex")
      let other = RunDirectory(path: directory + "/other")
      #expect(failure { _ = try other.exists() }?.message.contains("got a directory without config.yaml") == true)
      #expect(failure { try other.create(configuration: "") }?.exitCode == 74)
      #expect(try list(directory) == ["file", "other"])
      #expect(try list(directory + "/other") == ["thesis.tex"])
      try run.create(configuration: "a: 1\n")
      try run.writeConfiguration("a: 2\n")
      #expect(try run.exists() && run.readConfiguration(atMost: 100) == "a: 2\n")
      #expect(try list(run.path) == ["checkpoints", "config.yaml", "run.json"])
    }
  }

  @Test func anArgumentIsARunOrOneCheckpointOrAClearError() throws {
    try withRun { run in
      #expect(try ResolvedRun(run.path).checkpoint.manifest.step == 30)
      #expect(try ResolvedRun(run.checkpointPath(step: 10) + "/").checkpoint.manifest.step == 10)
      let model = run.checkpointPath(step: 30) + "/model.safetensors"
      #expect(failure { _ = try ResolvedRun(model) }?.exitCode == 74)
      #expect(failure { _ = try ResolvedRun(run.path + "/none") }?.exitCode == 74)
      let neither = failure { _ = try ResolvedRun(run.checkpointsPath) }
      #expect(neither?.exitCode == 65)
      #expect(neither?.message.contains("expected config.yaml of a run or manifest.json of a checkpoint") == true)
      try put([1], model)
      #expect(failure { _ = try ResolvedRun(run.checkpointPath(step: 30)) }?.exitCode == 65)
      let resolved = try ResolvedRun(run.path)
      #expect(resolved.checkpoint.manifest.step == 20)
      #expect(resolved.damaged.map(\.path) == [run.checkpointPath(step: 30)])
      for step in [10, 20] { try put([1], run.checkpointPath(step: step) + "/manifest.json") }
      let none = failure { _ = try ResolvedRun(run.path) }
      #expect(none?.exitCode == 65)
      #expect(none?.message.contains("3 damaged; the newest: file has another length") == true)
    }
  }
}
