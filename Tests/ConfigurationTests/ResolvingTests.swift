import Configuration
import Foundation
import Optimization
import Problems
import Testing

/// A configuration from settings in the form of `--set`.
func resolve(_ settings: String...) throws -> Configuration {
  try .load(overrides: settings.map { try .init(set: $0) })
}

@Suite struct ResolvingTests {
  @Test func withoutAnythingGivenTheTaskIsReberWithItsDefaults() throws {
    let configuration = try resolve()
    #expect(configuration.task == .reber && configuration.data.source == .generated)
    #expect(configuration.data.tokens == .symbols && configuration.data.validation == .none)
    #expect(configuration.data.trainingStrings == 8192 && configuration.data.heldOutStrings == 256)
    #expect(configuration.model.layers == 1 && configuration.model.initialization == .uniform)
    #expect(configuration.model.forgetBias == 1 && configuration.batch.shards == 8 && configuration.seed == 1)
    #expect(configuration.distributed.reduction == .reproducible)
  }

  @Test func aPathMakesTheTaskLanguageModelWithItsDefaults() throws {
    let configuration = try resolve("data.path=some text.txt")
    #expect(configuration.task == .languageModel && configuration.data.path == "some text.txt")
    #expect(configuration.data.source == .text && configuration.data.tokens == .characters)
    #expect(configuration.data.validation == .fraction(0.1) && configuration.data.vocabulary == 0)
    #expect(configuration.data.trainingStrings == 0 && configuration.data.heldOutStrings == 0)
    #expect(configuration.model.layers == 2 && configuration.batch.steps == 64)
  }

  @Test func theSourceOfLabelledSequencesFollowsFromTheirNames() throws {
    func source(_ settings: String...) throws -> Configuration.Data.Source {
      try Configuration.load(overrides: (["task=classification"] + settings).map { try .init(set: $0) }).data.source
    }
    #expect(try source("data.path=a/b.ts") == .series && source("data.path=b.tsv") == .table)
    #expect(try source("data.path=b") == .classFiles && source("data.path=b", "data.files={class}/*.wav") == .audio)
    #expect(try source("data.path=b.ts", "data.source=class-files") == .classFiles)
    let table = try resolve("task=classification", "data.path=x.csv")
    #expect(table.data.textColumn == "text" && table.data.labelColumn == "label" && table.data.files.isEmpty)
    #expect(table.data.tokens == .words && table.data.vocabulary == 10_000 && table.batch.steps == 0)
    #expect(try resolve("task=classification", "data.path=x.ts").data.tokens == .numbers)
    let folds = try resolve("task=classification", "data.path=x", "data.folds=3", "data.fold=2")
    #expect(folds.data.validation == .none && folds.data.files == "{class}.txt")
    #expect(try Configuration(yaml: folds.yaml, name: "again") == folds)
    for wrong in [
      ["data.path=x.ts", "data.files={class}"], ["data.path=x.ts", "data.tokens=words"],
      ["data.path=x", "audio.bands=9"],
      ["data.path=x", "data.folds=1"], ["data.path=x", "data.fold=1"], ["data.path=x", "data.folds=2", "data.fold=2"],
      ["data.path=x", "data.heldOut=a*", "data.folds=2"], ["data.path=x", "data.heldOut=a*", "data.validation=0.1"],
      ["data.path=x", "data.source=text"], ["data.path=x", "data.relevantSymbols=2"],
      ["data.path=x", "batch.reset=0.1"],
      ["data.path=x.ts", "data.vocabulary=5"], [],
    ] {
      #expect(throws: Problem.self, "\(wrong)") {
        try Configuration.load(overrides: (["task=classification"] + wrong).map { try .init(set: $0) })
      }
    }
    #expect(throws: Problem.self) { try resolve("data.path=x", "data.folds=2") }
    #expect(throws: Problem.self) { try resolve("data.path=x", "batch.steps=0") }
    #expect(throws: Problem.self) { try resolve("task=temporal-order", "data.relevantSymbols=1") }
    #expect(throws: Problem.self) { try resolve("task=temporal-order", "batch.steps=100") }
  }

  @Test func defaultsFollowWhatWasGiven() throws {
    #expect(try resolve("batch.sequences=5").batch.shards == 5)
    #expect(try resolve("batch.sequences=50").batch.shards == 8)
    #expect(try resolve("batch.sequences=5", "batch.shards=12").batch.shards == 12)
    #expect(try resolve("data.path=x", "data.tokens=words").data.vocabulary == 10_000)
    #expect(try resolve("data.tokens=words", "data.path=x", "data.vocabulary=0").data.vocabulary == 0)
    #expect(try resolve("optimizer.name=sgd").optimizer.values[.learningRate] == 1)
    #expect(try resolve("data.path=x").optimizer.values[.learningRate] < 0.01)
  }

  @Test(arguments: Configuration.Task.allCases)
  func aTaskHasTheDefaultsThatItDeclares(task: Configuration.Task) throws {
    let name = "task=\(task.rawValue)"
    let hasDefaults = try (try? resolve(name)) ?? resolve(name, "data.path=x")
    for (key, value) in task.defaults { #expect(hasDefaults.text(ofKey: key) == value, "\(key)") }
  }

  @Test func defaultsOfTheUpdateFollowItsRuleAndOfTheScheduleItsName() throws {
    for (name, rate, beta2, decay) in [
      ("adam", 0.005, 0.999, 0), ("adamw", 0.005, 0.999, 0.01), ("sgd", 1, 0.999, 0), ("rmsprop", 0.001, 0.99, 0),
      ("lamb", 0.01, 0.999, 0.01),
    ] {
      let optimizer = try resolve("optimizer.name=\(name)").optimizer
      #expect(
        optimizer.values[.learningRate] == rate && optimizer.values[.beta2] == beta2
          && optimizer.values[.weightDecay] == decay)
      #expect(optimizer.values[.momentum] == 0 && optimizer.values[.nesterov] == 0 && optimizer.clipBy == .norm)
      #expect(optimizer.average == .never)
    }
    #expect(try resolve("optimizer.average=non-monotonic").optimizer.averagePatience == 5)
    #expect(try resolve("schedule.name=cosine", "training.steps=77").schedule.end == 77)
    #expect(try resolve("schedule.name=cosine", "training.steps=77", "schedule.end=99").schedule.end == 99)
    #expect(try resolve("schedule.name=cosine", "training.steps=2", "schedule.warmUp=9").schedule.end == 10)
    #expect(try resolve("schedule.name=step").schedule.values[.every] == 1000)
    #expect(try resolve("schedule.name=plateau").schedule.values[.patience] == 3)
    let constant = try resolve()
    #expect(
      constant.schedule.name == "constant" && constant.schedule.values[.warmUp] == 0 && constant.training.patience == 0)
    for settings in [
      ["optimizer.name=sgd", "optimizer.momentum=0.9", "optimizer.nesterov=true", "optimizer.clipBy=element"],
      ["optimizer.average=from-step", "optimizer.averageFrom=6", "schedule.name=exponential", "schedule.floor=0.25"],
      ["schedule.name=plateau", "schedule.patience=2", "schedule.factor=0.1", "training.patience=4"],
    ] {
      let configuration = try Configuration.load(overrides: settings.map { try .init(set: $0) })
      #expect(try Configuration(yaml: configuration.yaml, name: "again") == configuration)
      for setting in settings { #expect(configuration.yaml.contains(setting.split(separator: "=")[1])) }
    }
  }

  @Test func everyValueCanBeSetAndIsReadBackAsItWasGiven() throws {
    let configuration = try resolve(
      "task=language-model", "data.source=text", "data.path=a=b", "data.tokens=words", "data.vocabulary=77",
      "data.validation=held out.txt", "model.embedding=3", "model.hidden=4", "model.layers=5", "model.dropout=0.25",
      "model.dropoutMask=sequence", "model.weightDropout=0.5", "model.embeddingDropout=0.125",
      "model.activationPenalty=2", "model.temporalPenalty=1.5",
      "model.initialization=xavier", "model.forgetBias=-2.5", "batch.sequences=6", "batch.steps=7", "batch.shards=9",
      "batch.accumulate=3",
      "optimizer.name=sgd", "optimizer.learningRate=5e-3", "optimizer.clip=0", "optimizer.beta1=0",
      "optimizer.beta2=0.5", "optimizer.epsilon=1e-9", "training.steps=10",
      "training.evaluateEvery=0",
      "training.checkpointEvery=11", "training.timeLimit=1h30m", "training.recompute=17", "watchdog.seconds=7",
      "seed=18446744073709551615",
      "distributed.reduction=mpi", "distributed.sharedMemory=off",
      "distributed.embedding=dense", "verify.every=12", "paranoid=true",
      "checkpoint.interval=10m", "checkpoint.overhead=2%", "checkpoint.keepLast=3", "checkpoint.keepBest=false",
      "checkpoint.keepEvery=5",
      "nonFinite.policy=rollback", "nonFinite.skips=13", "nonFinite.rollbacks=14", "nonFinite.learningRateFactor=0.25",
      "nonFinite.dumps=15")
    let checkpoint = configuration.checkpoint
    #expect(checkpoint.interval == 600 && checkpoint.overhead == 0.02)
    #expect(checkpoint.keepLast == 3 && !checkpoint.keepBest && checkpoint.keepEvery == 5)
    let nonFinite = configuration.nonFinite
    #expect(nonFinite.policy == .rollback && nonFinite.skips == 13 && nonFinite.rollbacks == 14)
    #expect(nonFinite.learningRateFactor == 0.25 && nonFinite.dumps == 15)
    #expect(configuration.verify.every == 12 && configuration.paranoid)
    #expect(configuration.data.path == "a=b" && configuration.data.tokens == .words)
    #expect(configuration.data.vocabulary == 77 && configuration.data.validation == .file("held out.txt"))
    let model = configuration.model
    #expect(model.embedding == 3 && model.hidden == 4 && model.layers == 5 && model.dropout == 0.25)
    #expect(model.initialization == .xavier && model.forgetBias == -2.5)
    #expect(model.dropoutMask == .sequence && model.weightDropout == 0.5 && model.embeddingDropout == 0.125)
    #expect(model.activationPenalty == 2 && model.temporalPenalty == 1.5)
    let batch = configuration.batch
    #expect(batch.sequences == 6 && batch.steps == 7 && batch.shards == 9 && batch.accumulate == 3)
    let optimizer = configuration.optimizer
    #expect(optimizer.name == "sgd" && optimizer.values[.learningRate] == 0.005 && optimizer.clip == 0)
    #expect(optimizer.values[.beta1] == 0 && optimizer.values[.beta2] == 0.5 && optimizer.values[.epsilon] == 1e-9)
    let training = configuration.training
    #expect(training.steps == 10 && training.evaluateEvery == 0 && training.checkpointEvery == 11)
    #expect(training.recompute == .segments(17))
    #expect(training.timeLimit == 5400 && configuration.watchdog.seconds == 7)
    #expect(configuration.seed == .max && configuration.distributed.reduction == .mpi)
    #expect(configuration.distributed.sharedMemory == .off && configuration.distributed.embedding == .dense)
  }

  @Test func checkpointsByTheClockReplaceThoseByStepsUnlessBothAreSet() throws {
    for (setting, steps) in [
      ("checkpoint.interval=0", 500), ("checkpoint.overhead=0", 500), ("checkpoint.interval=1h", 0),
      ("checkpoint.overhead=0.02", 0), ("checkpoint.overhead=50%", 0),
    ] {
      #expect(try resolve(setting).training.checkpointEvery == steps)
      #expect(try resolve(setting, "training.checkpointEvery=7").training.checkpointEvery == 7)
    }
    #expect(try resolve("checkpoint.interval=1h", "data.path=x").training.checkpointEvery == 0)
    let usual = try resolve("data.path=x")
    #expect(usual.training.checkpointEvery == 250 && usual.checkpoint.interval == 600)
    #expect(usual.checkpoint.keepLast == 3 && usual.checkpoint.keepBest && usual.checkpoint.overhead == 0)
    #expect(try resolve("training.evaluateEvery=7").training.checkpointEvery == 7)
    #expect(try resolve("checkpoint.overhead=1%").checkpoint.interval == 0)
    for share in ["51%", "-1%", "%", "2 %", "2%%", "0.6", "nan", "0x1"] {
      #expect(throws: Problem.self) { try resolve("checkpoint.overhead=\(share)") }
    }
  }

  @Test func bothDirectionsAreForSequencesThatAreReadAsAWhole() throws {
    let classification = ["task=classification", "data.path=x", "model.bidirectional=true"]
    #expect(try Configuration.load(overrides: classification.map { try .init(set: $0) }).model.bidirectional)
    for other in [["data.path=x"], ["task=temporal-order"], []] {
      let error = #expect(throws: Problem.self) {
        try Configuration.load(overrides: (other + ["model.bidirectional=true"]).map { try .init(set: $0) })
      }
      #expect(error?.exitCode == 78 && error?.message.contains("model.bidirectional") == true)
    }
    let error = #expect(throws: Problem.self) {
      try Configuration.load(overrides: (classification + ["training.recompute=auto"]).map { try .init(set: $0) })
    }
    #expect(error?.message.contains("off with model.bidirectional") == true)
  }

  @Test func onlyWhatHasOneClassReadsItsTimestepsInOtherWaysThanTheLast() throws {
    #expect(try resolve("task=classification", "data.path=x").model.pooling == .last)
    for pooling in ["last", "mean", "max"] {
      #expect(
        try resolve("task=classification", "data.path=x", "model.pooling=\(pooling)").model.pooling.rawValue == pooling)
    }
    for wrong in [
      ["task=classification", "data.path=x", "model.pooling=sum"],
      ["task=forecasting", "data.path=x", "model.pooling=mean"],
      ["data.path=x", "model.pooling=max"], ["task=reber", "model.pooling=mean"],
    ] {
      let error = #expect(throws: Problem.self) {
        try Configuration.load(overrides: wrong.map { try .init(set: $0) })
      }
      #expect(error?.exitCode == 78 && error?.message.contains("model.pooling") == true)
    }
  }

  @Test func whatOnlySomeModelsCanHaveIsRefusedForOthers() throws {
    for key in ["model.dropout", "model.weightDropout", "model.embeddingDropout"] {
      #expect(throws: Never.self) { try resolve("\(key)=0.9999999") }
      for wrong in ["1", "-0.1", "nan", "x"] {
        #expect(throws: Problem.self) { try resolve("\(key)=\(wrong)") }
      }
    }
    #expect(throws: Problem.self) { try resolve("model.dropoutMask=lane") }
    #expect(throws: Problem.self) { try resolve("task=adding", "model.embeddingDropout=0.1") }
    for key in ["model.activationPenalty", "model.temporalPenalty"] {
      #expect(throws: Problem.self) { try resolve("\(key)=-1") }
      #expect(throws: Problem.self) { try resolve("task=temporal-order", "\(key)=1") }
      #expect(throws: Never.self) { try resolve("data.path=x", "\(key)=1") }
    }
  }

  @Test func segmentsAreAsLongAsSetOrTheRootOfTheWindow() throws {
    for (value, segment) in [("off", 1000), ("auto", 32), ("7", 7), ("5000", 1000)] {
      #expect(try resolve("training.recompute=\(value)").training.recompute.segment(of: 1000) == segment)
    }
    for wrong in ["0", "131073", "on", "-1", "1.5", ""] {
      #expect(throws: Problem.self) { try resolve("training.recompute=\(wrong)") }
    }
  }

  @Test func aTimeIsSecondsOrNumbersWithUnitsFromTheLongestToTheShortest() throws {
    for (text, seconds) in [
      ("0", 0), ("3600", 3600), ("90m", 5400), ("1h30m", 5400), ("2d", 172_800), ("1d2h3m4s", 93_784),
    ] {
      #expect(try resolve("training.timeLimit=\(text)").training.timeLimit == seconds)
    }
    for wrong in ["", "m", "-5", "1.5h", "30m1h", "5m5m", "1h30", "1:30:00", "10001d", "99999999999999999999", "٣m"] {
      #expect(throws: Problem.self) { try resolve("training.timeLimit=\(wrong)") }
    }
  }

  @Test func validationIsAFractionWhereItIsANumberAndAFileWhereItIsNot() throws {
    #expect(try resolve("data.path=x", "data.validation=0").data.validation == .none)
    #expect(try resolve("data.path=x", "data.validation=0.25").data.validation == .fraction(0.25))
    #expect(try resolve("data.path=x", "data.validation=./0.25").data.validation == .file("./0.25"))
    for wrong in ["1", "1.5", "-0.1", ""] {
      #expect(throws: Problem.self) { try resolve("data.path=x", "data.validation=\(wrong)") }
    }
    let quoted = try Configuration(yaml: "data: {path: x, validation: '0.25'}", name: "test")
    #expect(quoted.data.validation == .file("0.25"))
  }

  @Test func laterValuesWin() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "configuration-\(UUID().uuidString).yaml")
    defer { try? FileManager.default.removeItem(at: file) }
    try Data("model: {hidden: 10, layers: 3}\nseed: 2\ntraining: {steps: 4}\n".utf8).write(to: file)
    let configuration = try Configuration.load(
      file: file.path,
      overrides: [
        .init(set: "model.layers=4"), .init(set: "seed=3"), .init(set: "seed=4"),
        .init(key: "seed", value: "5", origin: "--seed"),
      ])
    #expect(configuration.model.hidden == 10 && configuration.model.layers == 4)
    #expect(configuration.seed == 5 && configuration.training.steps == 4 && configuration.model.embedding == 8)
  }
}
