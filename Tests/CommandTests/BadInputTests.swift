import Files
import Foundation
import TestSupport
import Testing

extension Commands {
  /// Texts and settings that cannot be trained on: one clear error, its exit code, and nothing left behind.
  struct BadInputTests {
    private static let small = ["train", "--config", "small.yaml", "--run", "run"]

    private func expectRefusal(
      _ arguments: [String], exitCode: Int32, _ words: [String], hint: String? = nil, ranks: [Int?] = [nil, 3],
      prepare: (Workspace) throws -> Void = { _ in }
    ) throws {
      try Workspace.run { workspace in
        try prepare(workspace)
        try workspace.expectRefusal(Self.small + arguments, exitCode: exitCode, words, hint: hint, ranks: ranks)
      }
    }

    // MARK: What a terminal must not see

    @Test(arguments: ["\u{1B}[31mred", "two\nlines", String(repeating: "long ", count: 20_000)])
    func whatAnErrorQuotesIsOneShortLineWithoutControlCharacters(text: String) throws {
      try expectRefusal(["--set", "\(text)=1"], exitCode: 78, ["unknown key "])
      try Workspace.run { workspace in
        let outcome = try workspace.program(Self.small + ["--set", "\(text)=1"], ranks: nil)
        let isHarmless = outcome.errors.unicodeScalars.allSatisfy { $0.value >= 32 || $0 == "\n" }
        #expect(isHarmless && outcome.errorLines.count == 1 && outcome.errors.utf8.count < 10_000, "\(outcome)")
      }
    }

    // MARK: Texts

    @Test func aMissingTextIsRefused() throws {
      try expectRefusal(
        ["--text", "missing.txt"], exitCode: 74,
        ["text file cannot be read — expected ", ", got nothing of that name", "missing.txt"])
    }

    @Test func aDirectoryInPlaceOfATextIsRefused() throws {
      try expectRefusal(["--text", "."], exitCode: 74, [" — expected a file, got a directory"])
    }

    @Test(.disabled(if: geteuid() == 0, "root may read every file"))
    func anUnreadableTextIsRefused() throws {
      try expectRefusal(["--text", "secret.txt"], exitCode: 74, ["got \"permission denied\"", "secret.txt"]) {
        try $0.put("text", "secret.txt")
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: $0.path("secret.txt"))
      }
    }

    @Test(arguments: ["characters", "bytes", "words"])
    func anEmptyTextIsRefused(tokens: String) throws {
      try expectRefusal(
        ["--text", "empty.txt", "--set", "data.tokens=\(tokens)"], exitCode: 65,
        ["expected at least 2 tokens, got an empty file (empty.txt)"]
      ) { try $0.put("", "empty.txt") }
    }

    @Test(arguments: ["a", "é"])
    func aTextOfOneCharacterIsRefused(text: String) throws {
      try expectRefusal(["--text", "one.txt"], exitCode: 65, [" — expected at least ", "one.txt"]) {
        try $0.put(text, "one.txt")
      }
    }

    @Test(arguments: ["characters", "words"])
    func aTextThatIsNotUTF8IsRefused(tokens: String) throws {
      try expectRefusal(
        ["--text", "binary", "--set", "data.tokens=\(tokens)"], exitCode: 65, ["UTF-8", "binary"], hint: "bytes"
      ) { try $0.put(Array(Workspace.corpus(characters: 900).utf8) + [0xC3, 0x28, 0xFF], "binary") }
    }

    @Test func aTextThatIsShorterThanTheBatchNeedsIsRefused() throws {
      try expectRefusal(
        ["--text", "short.txt"], exitCode: 65, ["expected at least 113 training tokens", "got 90 (short.txt)"],
        hint: "batch.sequences"
      ) { try $0.put(Workspace.corpus(characters: 100).replacing(/[^ -~]/, with: "x"), "short.txt") }
    }

    @Test func aMissingOrUnfitTextOfValidationIsRefused() throws {
      try expectRefusal(["--set", "data.validation=missing.txt"], exitCode: 74, ["missing.txt"])
      try expectRefusal(["--set", "data.validation=one.txt"], exitCode: 65, ["at least 2 tokens", "one.txt"]) {
        try $0.put("a", "one.txt")
      }
    }

    // MARK: Settings

    @Test func moreRanksThanShardsAreRefused() throws {
      try expectRefusal(
        ["--set", "batch.shards=2"], exitCode: 78, ["more ranks than shards — expected at most 2 ranks, got 3"],
        hint: "mpirun -np 2", ranks: [3])
      try expectRefusal(
        ["--set", "batch.sequences=3"], exitCode: 78, ["expected at most 3 ranks, got 4"], hint: "batch.shards",
        ranks: [4])
    }

    @Test(arguments: [("model.hiden", "model.hidden"), ("hidden", "model.hidden"), ("lr", "optimizer.learningRate")])
    func anUnknownKeyIsRefusedWithTheNearest(key: String, nearest: String) throws {
      try expectRefusal(
        ["--set", "\(key)=5"], exitCode: 78, ["unknown key \(key) with value 5 — expected "], hint: nearest)
    }

    @Test(arguments: [
      ("model.hidden", "0"), ("model.dropout", "1"), ("training.steps", "many"), ("optimizer.learningRate", "-1"),
      ("optimizer.name", "adamm"), ("distributed.reduction", "ring"), ("data.tokens", "symbols"), ("task", "reber"),
    ])
    func anImpossibleValueIsRefused(key: String, value: String) throws {
      let got = key == "task" ? "got \"corpus.txt\"" : "got \(value)"
      let name = key == "task" ? "data.path" : key
      try expectRefusal(["--set", "\(key)=\(value)"], exitCode: 78, ["impossible value of \(name) — expected ", got])
    }

    @Test(arguments: [("steps", "training.steps", "0"), ("seed", "seed", "-1")])
    func anImpossibleValueOfAFlagIsRefused(flag: String, key: String, value: String) throws {
      try expectRefusal(
        ["--\(flag)=\(value)"], exitCode: 78, ["impossible value of \(key) — expected ", "got \(value) (--\(flag))"])
    }

    @Test func aModelThatIsLargerThanTheMemoryIsRefused() throws {
      try expectRefusal(
        ["--set", "model.hidden=65536", "--set", "model.layers=64"], exitCode: 78, ["do not fit — expected at most "],
        hint: "model.hidden")
    }

    @Test func anUnknownKeyInAFileIsRefused() throws {
      try expectRefusal(
        ["--config", "wrong.yaml"], exitCode: 78, ["unknown key model.hiden with value 5", "wrong.yaml"],
        hint: "model.hidden"
      ) { try $0.put("model:\n  hiden: 5\n", "wrong.yaml") }
      try expectRefusal(["--config", "missing.yaml"], exitCode: 74, [" — expected ", "missing.yaml"])
    }

    @Test func aWrongWayToUseItIsRefused() throws {
      try expectRefusal(["--hidden", "5"], exitCode: 64, ["error: Unknown option '--hidden'"])
      try Workspace.run { workspace in
        try workspace.expectRefusal(["tarin"], exitCode: 64, ["tarin"])
        try workspace.expectRefusal(["sample", "run", "--temperature=-1"], exitCode: 64, ["--temperature — expected "])
        try workspace.expectRefusal(["sample", "run", "--length", "0"], exitCode: 64, ["--length — expected "])
        try workspace.expectRefusal(["sample", "run", "--top-k", "0"], exitCode: 64, ["--top-k — expected "])
        for share in ["0", "1.5", "nan"] {
          try workspace.expectRefusal(["sample", "run", "--top-p", share], exitCode: 64, ["--top-p — expected "])
        }
        try workspace.expectRefusal(["evaluate"], exitCode: 64, ["run"])
      }
    }

    /// As where a shell variable is not set: no reason to train on something else.
    @Test(arguments: ["--text", "--config", "--run"])
    func anEmptyPathIsRefused(flag: String) throws {
      try Workspace.run { workspace in
        try workspace.expectRefusal(["train", flag, ""], exitCode: 64, ["\(flag) — expected a path, got nothing"])
      }
    }

    @Test func aPlaceThatIsNotARunIsRefused() throws {
      try Workspace.run { workspace in
        try workspace.put("a file", "run")
        try workspace.expectRefusal(Self.small, exitCode: 74, ["expected a directory, got a file (run)"])
        try workspace.expectRefusal(Self.small + ["--fresh"], exitCode: 74, ["expected a directory, got a file (run)"])
        try workspace.makeDirectory("photos")
        try workspace.put("a file", "photos/1")
        try workspace.expectRefusal(
          ["train", "--config", "small.yaml", "--run", "photos"], exitCode: 74, ["without config.yaml (photos)"],
          hint: "--run")
      }
    }
  }
}
