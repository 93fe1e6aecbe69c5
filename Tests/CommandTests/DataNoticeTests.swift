import Testing

extension Commands {
  struct DataNoticeTests {
    /// Seven kinds of remarks in one table.
    private static let table =
      "sep=;\n# by hand\nDate;v;w;\n2019-01-04;1,5;1;\n\n2019-01-03;2,5;;\n2019-01-01;3,5;2;\n2019-01-01;3,5;2;\n"
      + "2019-01-02;3,5;2;\n2019-01-05;3,5;2;\n"

    @Test func whatWasReadIsToldAndRecorded() throws {
      try Workspace.run { workspace in
        try workspace.put(Self.table, "t.csv")
        let settings = [
          "train", "--set", "task=forecasting", "--set", "data.path=t.csv", "--set", "data.columns=v,w", "--set",
          "data.missing=previous", "--set", "batch.steps=2", "--set", "model.hidden=4", "--steps", "1", "--fresh",
          "--run", "run",
        ]
        let short = try workspace.program(settings, ranks: 2)
        #expect(short.exitCode == 0, "\(short)")
        #expect(short.output.contains("data: 6 rows, 4 to train on, 2 held out\n"))
        #expect(short.errors.contains("notice: fractions of numbers stand behind a comma"))
        #expect(short.errors.contains(" more of the data; --verbose shows them"))
        let long = try workspace.program(settings + ["--verbose"], ranks: 2)
        #expect(!long.errors.contains("--verbose shows them"))
        #expect(
          long.errors.contains(
            "older than the one before it, by column \"Date\": 2 times (t.csv, line 6, t.csv, line 7)"))
        let records = try workspace.text("run/metrics.jsonl").split(separator: "\n")
        #expect(
          records[1].hasPrefix(
            #"{"event":"data","step":0,"files":1,"counts":[{"unit":"row","training":4,"heldOut":2}]"#))
        #expect(
          records[1].contains(#""what":"comment is passed over","hint":null,"count":1,"places":["t.csv, line 2"]"#))
      }
    }

    /// Words of a text that the vocabulary has not are one token, which is easy to predict.
    @Test func aPerplexityStandsBesideTheShareOfUnknownTargets() throws {
      try Workspace.run { workspace in
        try workspace.put(String(repeating: "a b c d e ", count: 40), "t.txt")
        try workspace.put("a b x y z a b c q", "other.txt")
        try workspace.put("a b c d e a b c", "held.txt")
        try workspace.output(
          [
            "train", "--text", "t.txt", "--set", "data.tokens=words", "--set", "data.validation=held.txt", "--set",
            "model.hidden=4", "--set", "batch.sequences=2", "--set", "batch.steps=4", "--steps", "1", "--run", "run",
          ], ranks: nil)
        let own = try workspace.program(["evaluate", "run"], ranks: nil)
        #expect(own.output.contains("text: ") && own.output.contains("held.txt, 7 targets"), "\(own)")
        #expect(!own.output.contains("<unk>") && own.errors.isEmpty, "\(own)")
        let other = try workspace.program(["evaluate", "run", "--data", "other.txt"], ranks: 2)
        #expect(other.output.contains("unknown: 50 % of the targets (4) are <unk>"), "\(other)")
        #expect(other.errors.contains("4 of 9 in other.txt"), "\(other)")
        let json = try workspace.output(["evaluate", "run", "--data", "other.txt", "--json"], ranks: nil)
        #expect(json.contains(#""name":"unknown targets","value":4"#), "\(json)")
      }
    }

    @Test(arguments: [
      ("train --hidden 64", "Did you mean '--set model.hidden=…'?"),
      ("train --lr 0.1", "Did you mean '--set optimizer.learningRate=…'?"),
      ("train --learning-rate 0.1", "Did you mean '--set optimizer.learningRate=…'?"),
      ("train --stpes 5", "Did you mean '--steps'?"), ("trian", "Did you mean 'train'?"),
      ("sample run --temperature -1", "--temperature"), ("config model.hiden", "did you mean model.hidden?"),
    ])
    func wrongWordsAreErrorsThatSayWhatMayBeMeant(command: String, hint: String) throws {
      try Workspace.run { workspace in
        let outcome = try workspace.program(command.split(separator: " ").map(String.init), ranks: nil)
        #expect([64, 74, 78].contains(outcome.exitCode) && outcome.errors.contains(hint), "\(outcome)")
        #expect(!outcome.errors.contains("Missing value"), "\(outcome)")
      }
    }

    @Test func theKeysAreListedAndExplained() throws {
      try Workspace.run { workspace in
        let all = try workspace.output(["config"], ranks: nil).split(separator: "\n")
        #expect(all.contains { $0.hasPrefix("model.hidden ") } && all.count > 80)
        let section = try workspace.output(["config", "schedule", "model.hidden"], ranks: nil)
        #expect(section.contains("schedule.warmUp: ") && section.contains("model.hidden: an integer from 1"))
        #expect(try workspace.output(["train", "--help"], ranks: nil).split(separator: "\n").count < 50)
      }
    }
  }
}
