import Configuration
import Foundation
import Problems
import TestSupport
import Testing

@Suite struct YAMLTests {
  private func load(_ yaml: String) throws -> Configuration { try Configuration(yaml: yaml, name: "run.yaml") }

  @Test func sectionsAndDottedNamesMeanTheSame() throws {
    let nested = try load("model:\n  hidden: 9\n  dropout: 0.5\nseed: 7\n")
    #expect(nested.model.hidden == 9 && nested.model.dropout == 0.5 && nested.seed == 7)
    #expect(try load("model.hidden: 9\nmodel.dropout: 0.5\nseed: 7") == nested)
    #expect(try load("{model: {hidden: 9, dropout: 0.5}, seed: 7}") == nested)
  }

  @Test(
    arguments: [
      "", "# nothing\n", "---\n", "model:\n  # hidden: 9\nseed: 1\n", "{}", "model: {}\n",
    ])
  func commentsAndSectionsWithoutKeysLeaveTheDefaults(yaml: String) throws {
    #expect(try load(yaml) == resolve())
  }

  @Test(
    arguments: [
      ("model:\n  hidden: large", "expected an integer from 1 to 65536, got large (run.yaml, line 2)"),
      ("model:\n  hidden: 2.5", "got 2.5 (run.yaml, line 2)"), ("model:\n  hidden: '256'", "got \"256\" (run.yaml"),
      ("model:\n  hidden: [1]", "got a list (run.yaml"), ("model:\n  hidden: {a: 1}", "got a mapping (run.yaml"),
      ("model:\n  hidden: true", "got true (run.yaml"), ("model:\n  hidden:", "got nothing (run.yaml"),
      ("model:\n  hidden: ~", "got nothing (run.yaml"), ("model: 5", "expected a mapping of its keys, got 5 (run.yaml"),
      ("model: [hidden]", "expected a mapping of its keys, got a list"), ("seed: 0o17", "got 0o17"),
      ("optimizer: {learningRate: .inf}", "got .inf"), ("optimizer: {learningRate: 1:30}", "got 1:30"),
      ("seed: 1\ndata:\n  path:", "got nothing (run.yaml, line 3)"),
      ("task: reber\n? [a]\n: 1", "expected a name, got a list"),
      ("5: 6", "unknown key 5 with value 6"), ("<<: {seed: 1}", "unknown key <<"),
      ("sed: {a: {b: 1}}", "unknown key sed"),
      ("model:\n  hiden: 4", "unknown key model.hiden with value 4"),
    ])
  func wrongTypesAreRefusedWithWhatWasExpectedAndTheLine(yaml: String, expected: String) {
    let error = #expect(throws: Problem.self) { try load(yaml) }
    #expect(error?.exitCode == 78 && error?.message.contains(expected) == true, "\(String(describing: error))")
  }

  @Test(
    arguments: [
      "seed: 1\nseed: 1\n", "model: {hidden: 1, hidden: 2}", "model: {hidden: 1}\nmodel: {layers: 2}",
      "model: {hidden: 1}\nmodel.hidden: 1", "model.hidden: 1\n\"model.hidden\": 2",
    ])
  func aKeyGivenTwiceIsRefusedHoweverItIsWritten(yaml: String) {
    let error = #expect(throws: Problem.self) { try load(yaml) }
    #expect(error?.exitCode == 78 && error?.message.contains("twice") == true, "\(String(describing: error))")
  }

  @Test(
    arguments: [
      "just text", "- a\n- b", "5", "a: b: c", "seed: [1", "seed: 1\n---\nseed: 2\n", "\tseed: 1", "seed: \"1",
      "seed: 1\n}", "%YAML 9.9\n---\nseed: 1", "seed: @1", "seed: *a", "\u{1}",
    ])
  func whatIsNotOneMappingOfYAMLIsRefused(yaml: String) {
    let error = #expect(throws: Problem.self) { try load(yaml) }
    #expect(error?.exitCode == 78 && error?.message.contains("run.yaml") == true, "\(String(describing: error))")
    #expect(error?.message.contains("\n") == false)
  }

  @Test(
    arguments: [
      "seed: &a 1", "a: &a [x, x]\nb: &b [*a, *a]\n? *b\n: 1", "model: &m\n  hidden: 3", "seed: !!int &a 1", "- &a\n",
      "{\"a\":&b 1}",
    ])
  func anchorsAreRefusedBeforeTheyCanMultiply(yaml: String) {
    let error = #expect(throws: Problem.self) { try load(yaml) }
    #expect(error?.exitCode == 78)
    if !yaml.hasSuffix("&a\n") { #expect(error?.message.contains("anchors are not accepted") == true) }
  }

  @Test func anAmpersandInsideAWordOrAloneIsNoAnchor() throws {
    #expect(try load("data: {path: R&D & more}").data.path == "R&D & more")
  }

  @Test func deepNestingAndLargeFilesAreRefusedNotFollowed() {
    for yaml in [
      String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 100_000),
      (0..<2000).map { String(repeating: " ", count: $0) + "a:\n" }.joined().prefix(1 << 19).description,
      String(repeating: "# comment\n", count: 110_000),
    ] {
      let error = #expect(throws: Problem.self) { try load(yaml) }
      #expect(error?.exitCode == 78 && (error?.message.utf8.count ?? .max) < 5000)
    }
  }

  @Test func unreadableFilesHaveExitCode74AndWrongOnes78() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "configuration-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    for path in ["", folder.appending(path: "absent.yaml").path, folder.path, "/dev/null"] {
      let error = #expect(throws: Problem.self) { try Configuration.load(file: path) }
      #expect(error?.exitCode == 74 && error?.message.contains("(\(path))") == true)
    }
    let large = folder.appending(path: "large.yaml")
    try Data(count: 2 << 20).write(to: large)
    let binary = folder.appending(path: "binary.yaml")
    try Data([0x73, 0xFF, 0xFE]).write(to: binary)
    for file in [large, binary] {
      let error = #expect(throws: Problem.self) { try Configuration.load(file: file.path) }
      #expect(error?.exitCode == 78)
    }
    let link = folder.appending(path: "link.yaml")
    try Data("seed: 6".utf8).write(to: folder.appending(path: "real.yaml"))
    try FileManager.default.createSymbolicLink(atPath: link.path, withDestinationPath: "real.yaml")
    #expect(try Configuration.load(file: link.path).seed == 6)
  }
}

@Suite struct ResolvedTextTests {
  private static let paths = [
    "plain.txt", "with space.txt", "quote\"back\\slash'", "# no comment", "日本語/é e\u{301}", "tab\tline\nend\r",
    "\u{85}\u{2028}\u{FEFF}\u{FFFE}\u{7F}", "emoji 🦜", "12", "null", "~", "a: b", "- a", "*a", "true",
    " lead and trail ",
  ]

  @Test(arguments: paths)
  func itReadsBackToTheSameConfigurationAndTextWhateverThePath(path: String) throws {
    let configuration = try Configuration.load(overrides: [
      .init(key: "data.path", value: path, origin: "--text"),
      .init(key: "data.validation", value: "x" + path, origin: "--set"),
    ])
    let again = try Configuration(yaml: configuration.yaml, name: "config.yaml")
    #expect(again == configuration && again.yaml == configuration.yaml)
    #expect(Array(again.data.path.utf8) == Array(path.utf8))
  }

  @Test(arguments: ["R&D.txt", "a &b.txt", "&x"])
  func anAmpersandInAPathReadsBack(path: String) throws {
    let configuration = try resolve("data.path=\(path)")
    #expect(try Configuration(yaml: configuration.yaml, name: "config.yaml") == configuration)
  }

  @Test(arguments: [0.1, 1e-8, 1.0 / 3, 123.456e-7, 999.999])
  func numbersReadBackExactly(value: Double) throws {
    let configuration = try resolve("optimizer.learningRate=\(value)")
    let again = try Configuration(yaml: configuration.yaml, name: "config.yaml")
    #expect(again.optimizer.values[.learningRate] == value)
  }

  @Test func itNamesEveryKeyOfTheTableOnce() throws {
    let configuration = try resolve()
    #expect(Set(ConfigurationKey.all.map(\.name)).count == ConfigurationKey.all.count)
    for key in ConfigurationKey.all {
      let last = key.name.split(separator: ".").last!
      let value = try #require(configuration.text(ofKey: key.name))
      #expect(configuration.yaml.contains("\(last): \(value)\n"))
      #expect(!key.documentation.isEmpty && !key.expected.isEmpty && !key.defaultText.isEmpty)
      #expect(
        try Configuration.reference(of: key.name).contains(
          "\(key.name): \(key.expected)\n  default: \(key.defaultText)\n"))
    }
    #expect(configuration.yaml.contains("  epsilon: 1.0e-08\n"))
  }

  @Test func everyKeyReadsBackToTheSameValue() throws {
    #expect(KeyExample.all.map(\.key.name) == ConfigurationKey.all.map(\.name))
    for example in KeyExample.all {
      let configuration = try Configuration.resolved(example.settings + [example.setting])
      let again = try Configuration(yaml: configuration.yaml, name: "config.yaml")
      #expect(again == configuration && again.yaml == configuration.yaml, "\(example.setting)")
    }
  }

  @Test func ofTheKeysThatChangeAResultNoneMayChangeOnResume() throws {
    let sections = ["training.", "checkpoint.", "nonFinite.", "watchdog.", "verify."]
    let names = ["batch.accumulate", "distributed.sharedMemory", "distributed.embedding", "paranoid"]
    // Of these a checkpoint knows more, and says it where it is opened.
    let later = ["data.path", "model.vectors", "schedule.begin", "schedule.end"]
    // Keys whose defaults follow from the one that is changed.
    let followers = [
      "task": [
        "data.trainingStrings", "data.heldOutStrings", "data.relevantSymbols", "batch.steps", "training.evaluateEvery",
        "training.checkpointEvery",
      ],
      "data.source": ["data.files", "data.textColumn", "data.labelColumn"], "model.tied": ["model.adaptiveFactor"],
      "batch.sequences": ["batch.shards"], "optimizer.name": ["optimizer.weightDecay"],
      "training.evaluateEvery": ["training.checkpointEvery"], "schedule.name": ["schedule.every"],
    ]
    for example in KeyExample.all {
      let name = example.key.name
      let stored = try Configuration.resolved(example.settings)
      #expect(stored.differences(from: stored).isEmpty)
      let changed = try Configuration.resolved(example.settings + [example.setting])
      #expect(changed.differences(from: stored).map(\.key) == [name] + (followers[name] ?? []))
      let mayChange = sections.contains { name.hasPrefix($0) } || names.contains(name)
      #expect(example.key.mayChangeOnResume == mayChange, "\(name)")
      guard !later.contains(name) else { continue }
      if mayChange {
        #expect(throws: Never.self, "\(name)") { try changed.checkResume(of: stored, run: "runs/x") }
      } else {
        let error = #expect(throws: Problem.self, "\(name)") { try changed.checkResume(of: stored, run: "runs/x") }
        #expect(error?.exitCode == 78 && error?.message.hasPrefix("\(name) differs") == true)
        #expect(error?.hint?.contains("--fresh") == true)
      }
    }
  }

  @Test func aResumeMayChangeThePlaceOfTheDataButNotOfWordVectors() throws {
    let here = try resolve("data.path=a.txt", "data.validation=c", "model.vectors=v", "data.tokens=words")
    let stored = here.mappingPlaces { "/x/" + $0 }
    #expect(stored.data.path == "/x/a.txt" && stored.data.validation == .file("/x/c"))
    #expect(stored.model.vectors == "/x/v")
    let placeless = try resolve()
    #expect(placeless.mappingPlaces { "/x/" + $0 } == placeless)
    let there = here.mappingPlaces { "/y/" + $0 }
    #expect(throws: Never.self) { try there.checkResume(of: stored, run: "r") }
    let vectors = #expect(throws: Problem.self) {
      try there.checkPlaces(of: stored, hasCheckpoint: true, run: "r")
    }
    #expect(vectors?.message.hasPrefix("model.vectors differs") == true && vectors?.exitCode == 78)
    let path = #expect(throws: Problem.self) {
      try there.checkPlaces(of: stored, hasCheckpoint: false, run: "r")
    }
    #expect(path?.message.hasPrefix("data.path differs") == true)
    let share = try resolve("data.path=a.txt", "model.vectors=v", "data.tokens=words")
    #expect(throws: Problem.self) { try share.checkResume(of: here, run: "r") }
  }

  @Test func whatIsGivenGoesOverWhatIsStoredIfAResumeMayChangeIt() throws {
    let stored = try resolve("model.hidden=9", "training.steps=70", "seed=3").yaml
    func given(_ settings: String...) throws -> Configuration {
      try Configuration.Given(overrides: settings.map { try .init(set: $0) })
        .resolved(over: stored, name: "config.yaml", run: "runs/x")
    }
    #expect(try given() == Configuration(yaml: stored, name: "again"))
    let longer = try given("training.steps=90", "seed=3")
    #expect(longer.training.steps == 90 && longer.model.hidden == 9 && longer.seed == 3)
    for (setting, key) in [("seed=4", "seed"), ("task=copy", "task"), ("schedule.name=cosine", "schedule.name")] {
      let error = #expect(throws: Problem.self) { try given(setting) }
      #expect(error?.exitCode == 78 && error?.message.hasPrefix("\(key) differs from the run") == true)
    }
  }

  @Test func aRepetitionMayDifferInWhatAResumeMayChange() throws {
    let stored = try resolve("data.path=x", "data.tokens=words")
    for setting in ["data.path=y", "data.validation=z", "model.vectors=v", "training.steps=9", "paranoid=true"] {
      #expect(throws: Never.self) {
        try resolve("data.path=x", "data.tokens=words", setting).checkRepetition(of: stored, run: "runs/x")
      }
    }
    for key in ["model.hidden", "seed", "batch.shards"] {
      let changed = try resolve("data.path=x", "data.tokens=words", "\(key)=9")
      let error = #expect(throws: Problem.self) { try changed.checkRepetition(of: stored, run: "runs/x") }
      #expect(error?.exitCode == 78 && error?.message.hasPrefix("\(key) differs from the run to be verified") == true)
    }
  }

  @Test func theTableOfKeysHasARowForEveryKey() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "config")
    let page = try String(contentsOf: folder.appending(path: "README.md"), encoding: .utf8)
    #expect(page.hasSuffix("\n\n" + Configuration.table), "Launch/config-page writes it")
    let rows = Configuration.table.matches(of: /(?m)^\| `([^`]+)` \|.*\|$/)
    #expect(rows.map { String($0.1) } == ConfigurationKey.all.map(\.name))
    // A bar within a cell would begin another one.
    for row in rows { #expect(row.0.replacing("\\|", with: "").count { $0 == "|" } == 5, "\(row.1)") }
  }

  @Test func theExampleFilesLoadAndTheOneOfTheBuiltInTaskIsItsDefaults() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appending(path: "config")
    #expect(try Configuration.load(file: folder.appending(path: "reber.yaml").path) == resolve())
    let shakespeare = try Configuration.load(file: folder.appending(path: "tinyshakespeare.yaml").path)
    #expect(shakespeare.schedule.name == "cosine" && shakespeare.schedule.end == shakespeare.training.steps)
    for file in try FileManager.default.contentsOfDirectory(atPath: folder.path) where file.hasSuffix(".yaml") {
      for steps in [[], ["training.steps=2"]] {
        #expect(throws: Never.self, "\(file)") {
          try Configuration.load(file: folder.appending(path: file).path, overrides: steps.map { try .init(set: $0) })
        }
      }
    }
  }
}
