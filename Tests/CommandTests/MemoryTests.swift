import Foundation
import TestSupport
import Testing

extension Commands {
  /// What cannot fit is refused before it is allocated; what the system refuses all the same ends the job in good order.
  struct MemoryTests {
    /// 64 MB of parameters, and four times that with gradient, moments and packed weights.
    private static let large = ["--set", "model.hidden=2000", "--set", "batch.sequences=8"]
    private static let train = ["train", "--steps", "2", "--run", "run"]

    /// Runs the program under mpirun, or alone where `ranks` is nil, behind the words of a shell that limits it.
    private func program(
      _ limit: String, _ arguments: [String], ranks: Int?, in workspace: Workspace
    ) throws -> Outcome {
      let launcher = ranks.map { "mpirun --oversubscribe --timeout 60 -np \($0) " } ?? ""
      return try Launcher.run(
        ["bash", "-c", "\(limit) && exec \(launcher)\"$0\" \"$@\"", Launcher.builtExecutable("lstm-dist").path]
          + arguments, workingDirectory: workspace.url, timeoutSeconds: 90)
    }

    private func expectRefusal(_ outcome: Outcome, _ limit: String, in workspace: Workspace) throws {
      #expect(outcome.jobExitCode == 78 && outcome.errorLines.count == 1, "\(outcome)")
      let sizes = try Regex(
        "error: model and batch do not fit — expected at most [0-9]+ MB more a rank \\(\(limit) MB\\), got an estimate "
          + "of [0-9]+ MB")
      #expect(outcome.errorLines.first?.contains(sizes) == true, "\(outcome)")
      #expect(outcome.errors.contains("hint: lower model.hidden"), "\(outcome)")
      #expect(!FileManager.default.fileExists(atPath: workspace.path("run")), "\(outcome)")
    }

    @Test(.enabled(if: ControlGroup.canBeMade, "no control group can be made here"), arguments: [nil, 3])
    func aControlGroupIsALimit(ranks: Int?) throws {
      try Workspace.run { workspace in
        let group = try ControlGroup(megabytes: 150)
        defer { group.remove() }
        let refused = try program(group.enter, Self.train + Self.large, ranks: ranks, in: workspace)
        try expectRefusal(refused, "control group of 150", in: workspace)
        // The system had nothing to refuse.
        #expect(try group.timesAtTheLimit() == 0)
        let trained = try program(group.enter, Self.train, ranks: ranks, in: workspace)
        #expect(trained.exitCode == 0, "\(trained)")
      }
    }

    @Test(arguments: [nil, 3]) func aLimitOfTheAddressSpaceIsALimit(ranks: Int?) throws {
      try Workspace.run { workspace in
        let huge = ["--set", "model.hidden=8000"]
        let refused = try program("ulimit -v 1500000", Self.train + huge, ranks: ranks, in: workspace)
        try expectRefusal(refused, "ulimit -v of 1464", in: workspace)
        let trained = try program("ulimit -v 1500000", Self.train, ranks: ranks, in: workspace)
        #expect(trained.exitCode == 0, "\(trained)")
      }
    }

    /// What a saved model takes is known before any of it is read.
    @Test(arguments: [["evaluate"], ["verify"], ["sample"]]) func savedModelsAreRefusedToo(command: [String]) throws {
      try Workspace.run { workspace in
        let small = ["batch.sequences=1", "data.trainingStrings=8", "data.heldOutStrings=8"]
        try workspace.output(
          Self.train + ["--set", "model.hidden=2000"] + small.flatMap { ["--set", $0] }, ranks: nil)
        let outcome = try program("ulimit -v 400000", command + ["run"], ranks: nil, in: workspace)
        #expect(outcome.exitCode == 78 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains("more a rank (ulimit -v of 390 MB), got an estimate of "), "\(outcome)")
      }
    }

    /// A file of 3 GB, without content on the disk, is read whole by every rank.
    @Test(arguments: [nil, 3]) func anAllocationThatFailsEndsTheJobWithOneMessage(ranks: Int?) throws {
      try Workspace.run { workspace in
        try workspace.train("run", ["--steps", "1"], ranks: nil)
        try workspace.put("", "huge.txt")
        let file = try FileHandle(forWritingTo: workspace.url.appendingPathComponent("huge.txt"))
        try file.truncate(atOffset: 3_000_000_000)
        try file.close()
        let outcome = try program("ulimit -v 1500000", ["predict", "run", "huge.txt"], ranks: ranks, in: workspace)
        #expect(outcome.jobExitCode == 70 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(
          outcome.errorLines.first?.contains("error: out of memory — expected 2861 MB more, got none (rank ") == true,
          "\(outcome)")
        #expect(!outcome.errors.contains("Fatal error"), "\(outcome)")
      }
    }
  }
}

/// A control group with a limit of memory, of version 1 or 2 of the interface.
private struct ControlGroup {
  private static let directory = ["/sys/fs/cgroup/memory", "/sys/fs/cgroup"].first {
    FileManager.default.fileExists(atPath: $0 + "/cgroup.procs")
  }

  /// Whether this process may make one.
  static var canBeMade: Bool {
    guard let group = try? ControlGroup(megabytes: 150) else { return false }
    group.remove()
    return true
  }

  private let path: String

  init(megabytes: Int) throws {
    path = "\(Self.directory ?? "/sys/fs/cgroup")/lstm-dist-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    do {
      let file = path + (isVersion1 ? "/memory.limit_in_bytes" : "/memory.max")
      try Data("\(megabytes << 20)".utf8).write(to: URL(fileURLWithPath: file), options: [])
    } catch {
      remove()
      throw error
    }
  }

  private var isVersion1: Bool { FileManager.default.fileExists(atPath: path + "/memory.limit_in_bytes") }

  /// The words of a shell that enters it.
  var enter: String { "echo $$ > \(path)/cgroup.procs" }

  /// How often the group had all that it may have.
  func timesAtTheLimit() throws -> Int {
    if isVersion1 { return try number(of: "/memory.failcnt", line: 0, word: 0) }
    // low, high, max, …
    return try number(of: "/memory.events", line: 2, word: 1)
  }

  private func number(of file: String, line: Int, word: Int) throws -> Int {
    let text = try String(contentsOfFile: path + file, encoding: .utf8)
    return try #require(Int(text.split(separator: "\n")[line].split(separator: " ")[word]))
  }

  /// Processes that end take a moment to leave it.
  func remove() {
    for _ in 0..<100 {
      if rmdir(path) == 0 { return }
      usleep(50_000)
    }
  }
}
