import Files
import Foundation
import Problems
import Runs
import TestSupport
import Testing
import TrainingLoop

/// What rank 0 writes to `metrics.jsonl`, in a directory of its own.
@Suite struct RunRecordsTests {
  private func lines(_ run: RunDirectory) throws -> [String] {
    try text(run.metricsPath).split(separator: "\n").filter { !$0.contains("\"run\"") }.map(String.init)
  }

  private func withRecords(_ body: (RunRecords, RunDirectory, _ lost: () -> [Problem]) throws -> Void) throws {
    try withDirectory { directory in
      let run = RunDirectory(path: directory + "/run")
      try run.create(configuration: "old")
      var lost: [Problem] = []
      let records = RunRecords(directory: run, configuration: "new") {
        if case .recordLost(let problem) = $0 { lost.append(problem) } else { Issue.record("\($0)") }
      }
      try body(records, run) { lost }
    }
  }

  /// A run that resumes has records behind its checkpoint, which come again.
  @Test func recordsBehindTheResumePointGiveWay() throws {
    try withRecords { records, run, lost in
      records.begin(at: .start)
      #expect(try text(run.configurationPath) == "old", "nothing is written before there is a record")
      for step in 1...3 { try records.evaluated(step: step, validationLoss: Double(step)) }
      #expect(try text(run.configurationPath) == "new")
      records.begin(at: MetricsLog.ResumePoint(step: 2, rollbacks: 0))
      #expect(try lines(run).count == 3, "nor is anything taken away")
      try records.skipped(step: 4, inARow: 1)
      let events = try lines(run)
      #expect(events.count == 3 && events[1].contains("\"step\":2") && events[2].contains("\"skipped\""))
      #expect(lost().isEmpty)
    }
  }

  /// Lost records are told of once, and the training goes on; the last record of a run must be there.
  @Test func aRecordThatCannotBeWrittenIsLostAndTheEndIsNot() throws {
    try withRecords { records, run, lost in
      records.begin(at: .start)
      try FileManager.default.createDirectory(atPath: run.metricsPath, withIntermediateDirectories: false)
      for step in 1...2 { try records.evaluated(step: step, validationLoss: 1) }
      #expect(lost().count == 1 && lost()[0].exitCode == 74)
      let problem = failure {
        try records.finished(step: 2, trainLoss: nil, validationLoss: 1, parametersSHA256: "")
      }
      #expect(problem?.exitCode == 74)
      try FileManager.default.removeItem(atPath: run.metricsPath)
      try records.evaluated(step: 3, validationLoss: 1)
      try records.finished(step: 3, trainLoss: nil, validationLoss: 1, parametersSHA256: "")
      #expect(try lines(run).count == 2 && lost().count == 1)
    }
  }
}
