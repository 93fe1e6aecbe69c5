import Foundation
import TestSupport
import Testing

extension Commands {
  /// `evaluate`, `sample` and `inspect` on a run that stands.
  struct EvaluationTests {
    private func withRun(_ arguments: [String] = [], _ body: (Workspace, Record) throws -> Void) throws {
      try Workspace.run { workspace in
        try body(workspace, try workspace.train("run", arguments, ranks: nil))
      }
    }

    /// What stands behind a label at the beginning of a line.
    private func value(_ label: String, in output: String) -> Substring? {
      output.split(separator: "\n").first { $0.hasPrefix(label) }?.dropFirst(label.count)
    }

    @Test func theLossIsThatOfTrainingOnAnyNumberOfRanks() throws {
      try withRun { workspace, record in
        let outputs = try [nil, 1, 2, 3, 4].map { try workspace.output(["evaluate", "run"], ranks: $0) }
        for output in outputs { #expect(output == outputs[0]) }
        let loss = try #require(value("loss: ", in: outputs[0])?.split(separator: " ").first)
        #expect(try workspace.metricsLines("run").last!.contains("\"validationLoss\":\(loss),"))
        #expect(Double(loss) == record.validationLoss)
        #expect(try workspace.output(["evaluate", checkpoint("run", step: 12)], ranks: 2) == outputs[0])
      }
    }

    @Test func anotherTextHasItsOwnLoss() throws {
      try withRun { workspace, _ in
        try workspace.put("the rain falls on the plains", "other.txt")
        let outputs = try [nil, 3].map { ranks in
          try workspace.output(["evaluate", "run", "--text", "other.txt"], ranks: ranks)
        }
        #expect(outputs[0] == outputs[1])
        #expect(outputs[0].contains("other.txt, 27 targets"))
        #expect(
          value("loss: ", in: outputs[0]) != value("loss: ", in: try workspace.output(["evaluate", "run"], ranks: nil)))
      }
    }

    @Test func theTextThatATrainingHeldOutStandsInItsOwnFile() throws {
      try Workspace.run { workspace in
        try workspace.put(Workspace.corpus(characters: 300), "held-out.txt")
        let record = try workspace.train("run", ["--set", "data.validation=held-out.txt"], ranks: 3)
        let output = try workspace.output(["evaluate", "run", "--text", "held-out.txt"], ranks: 2)
        #expect(value("loss: ", in: output) == "\(try #require(record.validationLoss)) nats a token")
      }
    }

    @Test func inspectShowsTheHashOfTheParameters() throws {
      try withRun { workspace, record in
        let outputs = try [nil, 3].map { try workspace.output(["inspect", "run"], ranks: $0) }
        #expect(outputs[0] == outputs[1])
        let file = try TensorReader(try workspace.get(checkpoint("run", step: 12) + "/model.safetensors"))
        let shown = value("parametersSHA256", in: outputs[0])?.drop { $0 == " " }
        #expect(shown.map(String.init) == record.parametersSHA256)
        #expect(shown.map(String.init) == file.sha256)
        for (name, tensor) in file.tensors {
          #expect(tensor.dtype == "F32")
          #expect(outputs[0].contains("\(name)  F32 \(tensor.shape)  \(tensor.bytes.count) bytes\n"))
        }
        #expect(file.tensors.count == 11)
        #expect(value("step", in: outputs[0])?.drop { $0 == " " } == "12")
        #expect(outputs[0].contains("    hidden: 12\n"))
        #expect(try workspace.output(["inspect", checkpoint("run", step: 12)], ranks: nil) == outputs[0])
      }
    }

    @Test func aCheckpointNamesItsProgramAndAnOlderOneWithoutThatIsReadAndResumed() throws {
      try withRun { workspace, _ in
        let version = try #require(try workspace.output(["--version"], ranks: nil).firstMatch(of: /\d+\.\d+\.\d+/))
          .output
        let (manifest, program) = (checkpoint("run", step: 12) + "/manifest.json", #","program":"\#(version)""#)
        func inspection() throws -> (text: String, json: NSDictionary) {
          let json = try workspace.output(["inspect", "run", "--json"], ranks: nil)
          return (
            try workspace.output(["inspect", "run"], ranks: nil),
            try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? NSDictionary)
          )
        }
        let named = try inspection()
        #expect(named.text.contains("\nprogram       lstm-dist \(version)\n"))
        #expect(named.json["program"] as? String == String(version))
        let first = try workspace.text("run/metrics.jsonl").prefix { $0 != "\n" }
        #expect(first.hasPrefix(#"{"event":"run""#) && first.contains(program), "\(first)")
        let text = try workspace.text(manifest)
        try #require(text.contains(program))
        try workspace.putSealed(text.replacing(program, with: ""), manifest)
        let older = try inspection()
        #expect(older.text == named.text.replacing("program       lstm-dist \(version)\n", with: ""))
        #expect(older.json["program"] is NSNull && older.json["parametersSHA256"] != nil)
        try workspace.train("run", ["--steps", "14"], ranks: 2)
        #expect(try workspace.text(checkpoint("run", step: 14) + "/manifest.json").contains(program))
      }
    }

    @Test func jsonHasTheSameFiguresUnrounded() throws {
      try withRun { workspace, record in
        func object(_ command: String, ranks: Int?) throws -> NSDictionary {
          let output = try workspace.output([command, "run", "--json"], ranks: ranks)
          #expect(output.split(separator: "\n").count == 1)
          return try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? NSDictionary)
        }
        let evaluation = try object("evaluate", ranks: nil)
        #expect(try object("evaluate", ranks: 3) == evaluation)
        #expect(evaluation["task"] as? String == "language-model" && evaluation["step"] as? Int == 12)
        let measurements = try #require(evaluation["measurements"] as? [NSDictionary])
        let loss = measurements.first { $0["unit"] as? String == "nats per token" }
        #expect(loss?["value"] as? Double == record.validationLoss)
        let inspection = try object("inspect", ranks: nil)
        #expect(try object("inspect", ranks: 3) == inspection)
        #expect(inspection["parametersSHA256"] as? String == record.parametersSHA256)
        let configuration = inspection["configuration"] as? NSDictionary
        #expect(configuration?["model.hidden"] as? Int == 12 && configuration?["data.files"] as? String == "")
        #expect(configuration?["data.path"] as? String == workspace.path("corpus.txt"))
        let files = try #require(inspection["files"] as? [NSDictionary])
        let model = files.first { $0["name"] as? String == "model.safetensors" }
        let file = try workspace.get(checkpoint("run", step: 12) + "/model.safetensors")
        #expect(model?["bytes"] as? Int == file.count)
        let tensors = try #require(model?["tensors"] as? [NSDictionary])
        for (name, tensor) in try TensorReader(file).tensors {
          let shown = tensors.first { $0["name"] as? String == name }
          #expect(shown?["shape"] as? [Int] == tensor.shape && shown?["bytes"] as? Int == tensor.bytes.count)
        }
      }
    }

    @Test func samplesFollowFromTheSeed() throws {
      try withRun { workspace, _ in
        func sample(_ arguments: [String], ranks: Int? = nil) throws -> String {
          try workspace.output(["sample", "run", "--prompt", "the ", "--length", "80"] + arguments, ranks: ranks)
        }
        let one = try sample(["--seed", "1"])
        #expect(one.hasPrefix("the "))
        #expect(one.unicodeScalars.count == 85)
        #expect(try sample([]) == one)
        #expect(try sample([], ranks: 3) == one)
        #expect(try sample(["--seed", "2"]) != one)
        let cold = try sample(["--temperature", "0"])
        #expect(cold != one)
        #expect(try sample(["--temperature", "0", "--seed", "2"]) == cold)
      }
    }

    @Test(arguments: [["data.tokens=bytes"], ["data.tokens=words", "batch.sequences=3"]])
    func otherTokensAreEvaluatedAndSampled(settings: [String]) throws {
      try withRun(settings.flatMap { ["--set", $0] }) { workspace, record in
        let output = try workspace.output(["evaluate", "run"], ranks: 2)
        #expect(value("loss: ", in: output) == "\(try #require(record.validationLoss)) nats a token")
        #expect(output.contains("perplexity: ") == (settings[0] == "data.tokens=words"))
        #expect(try !workspace.output(["sample", "run", "--length", "20"], ranks: nil).isEmpty)
      }
    }

    @Test func theBuiltInTaskIsEvaluatedAndSampled() throws {
      try Workspace.run { workspace in
        let trained = try workspace.output(["train", "--steps", "20"], ranks: 2)
        let outputs = try [nil, 3].map { try workspace.output(["evaluate", "runs/reber"], ranks: $0) }
        #expect(outputs[0] == outputs[1])
        let scores = outputs[0].split(separator: "\n").filter { $0.contains("by the grammar's own probabilities") }
        #expect(scores.count == 2)
        for score in scores { #expect(trained.contains(score)) }
        let strings = try workspace.output(["sample", "runs/reber", "--length", "6"], ranks: 2).split(separator: "\n")
        #expect(strings.count == 6)
        for string in strings { #expect(string.hasPrefix("B") && string.hasSuffix("legal"), "\(string)") }
      }
    }

    // MARK: What is printed

    /// A pipe and a file get whole lines, each once.
    @Test(arguments: [nil, 3])
    func onlyRankZeroPrintsAndWithoutCodesForATerminal(ranks: Int?) throws {
      try Workspace.run { workspace in
        let arguments = ["train", "--config", "small.yaml", "--set", "training.evaluateEvery=5", "--run"]
        let file = try workspace.output(arguments + ["file"], ranks: ranks)
        let launcher = ranks.map { "mpirun --oversubscribe -np \($0) " } ?? ""
        let program = Launcher.builtExecutable("lstm-dist").path
        let pipe = try Launcher.run(
          ["sh", "-c", launcher + "\"$0\" \"$@\" | cat", program] + arguments + ["pipe"],
          workingDirectory: workspace.url)
        #expect(pipe.exitCode == 0, "\(pipe)")
        for (output, run) in [(file, "file"), (pipe.output, "pipe")] {
          #expect(!output.contains("\r") && !output.contains("\u{1B}"), "\(output)")
          let lines = output.split(separator: "\n")
          #expect(Set(lines).count == lines.count, "\(output)")
          for start in ["run directory: \(run)", "step 5  validation loss", "step 12/12  loss", "finished at step 12"] {
            #expect(lines.filter { $0.hasPrefix(start) }.count == 1, "\(start): \(output)")
          }
        }
      }
    }
  }
}
