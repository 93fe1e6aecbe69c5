import Configuration
import Foundation
import Optimization
import Problems
import Testing

@Suite struct RefusedValueTests {
  @Test(
    arguments: [
      ("model.hidden", "0", "an integer from 1 to 65536"), ("model.hidden", "-1", "1 to 65536"),
      ("model.hidden", "65537", "1 to 65536"), ("model.hidden", "2.5", "an integer"),
      ("model.hidden", "", "got nothing"),
      ("model.hidden", "many", "an integer"), ("model.hidden", "1_000", "an integer"),
      ("model.hidden", "0x10", "an integer"),
      ("model.hidden", "010", "an integer"), ("model.hidden", "+5", "an integer"), ("model.hidden", " 5", "an integer"),
      ("model.hidden", "99999999999999999999", "an integer"), ("model.dropout", "1", "from 0 to 0.9999999"),
      ("model.dropout", "-0.1", "from 0 to 0.9999999"), ("model.dropout", "nan", "a number"),
      ("optimizer.learningRate", "0", "a number from 1e-30 to 1000"), ("optimizer.learningRate", "inf", "a number"),
      ("optimizer.learningRate", "1e999", "a number"), ("optimizer.learningRate", "0x1p-3", "a number"),
      ("optimizer.learningRate", "1.2.3", "a number"),
      ("optimizer.name", "Adam", OptimizerRule.descriptions.map(\.name).joined(separator: " or ")),
      ("seed", "-1", "an integer from 0"), ("seed", "18446744073709551616", "an integer"),
      ("training.steps", "0", "from 1"), ("task", "chess", "reber or language-model"),
      ("distributed.reduction", "true", "reproducible or mpi"), ("paranoid", "yes", "true or false"),
      ("paranoid", "1", "true or false"), ("verify.every", "-1", "an integer from 0"),
      ("data.path", "a\0b", "the path of a file"),
    ])
  func valuesOutsideTheirRangeAreErrorsWithKeyValueRangeAndOrigin(key: String, value: String, expected: String) {
    let error = #expect(throws: Problem.self) { try resolve("\(key)=\(value)") }
    #expect(error?.exitCode == 78)
    #expect(error?.message.hasPrefix("impossible value of \(key) — expected ") == true)
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
    #expect(error?.message.contains("got \(value.isEmpty ? "nothing" : value) (--set)") == true)
  }

  @Test(
    arguments: [
      ("model.dropout", "0.99999999", "0 to 0.9999999"), ("optimizer.beta1", "0.99999999", "0 to 0.9999999"),
      ("optimizer.beta2", "0.99999999", "0 to 0.9999999"), ("optimizer.epsilon", "1e-40", "1e-30 to 1"),
      ("optimizer.epsilon", "1e-50", "1e-30 to 1"), ("optimizer.learningRate", "1e-40", "1e-30 to 1000"),
    ])
  func numbersThatWouldBe1Or0AsFloatAreRefusedWithTheRange(key: String, value: String, range: String) {
    let error = #expect(throws: Problem.self) { try resolve("\(key)=\(value)") }
    #expect(error?.exitCode == 78)
    #expect(error?.message == "impossible value of \(key) — expected a number from \(range), got \(value) (--set)")
  }

  @Test func theOutermostNumbersThatAreAcceptedWorkAsFloat() throws {
    let configuration = try resolve(
      "model.dropout=0.9999999", "optimizer.beta1=0.9999999", "optimizer.beta2=0.9999999",
      "optimizer.epsilon=1e-30",
      "optimizer.learningRate=1e-30")
    let optimizer = configuration.optimizer
    for share in [configuration.model.dropout, optimizer.values[.beta1], optimizer.values[.beta2]] {
      #expect(Float(share) < 1)
    }
    // Adam multiplies both by √(1 − β₂ᵗ), smallest at t = 1.
    let correction = (1 - optimizer.values[.beta2]).squareRoot()
    for factor in [optimizer.values[.epsilon], optimizer.learningRate] { #expect(Float(factor * correction).isNormal) }
  }

  @Test(
    arguments: [
      (["task=language-model"], "data.path"), (["task=reber", "data.path=x"], "data.path"),
      (["data.source=text"], "data.source"), (["data.path=x", "data.source=generated"], "data.source"),
      (["data.tokens=characters"], "data.tokens"), (["data.path=x", "data.tokens=symbols"], "data.tokens"),
      (["data.validation=0.1"], "data.validation"), (["data.path=x", "data.heldOutStrings=5"], "data.heldOutStrings"),
      (["data.trainingStrings=0"], "data.trainingStrings"), (["batch.steps=7"], "batch.steps"),
      (["data.path=x", "data.vocabulary=1"], "data.vocabulary"),
      (["data.path=x", "data.tokens=bytes", "data.vocabulary=9"], "data.vocabulary"),
      (["data.vocabulary=9"], "data.vocabulary"), (["paranoid=true", "verify.every=0"], "verify.every"),
      (["batch.jitter=2"], "batch.jitter"), (["data.path=x", "batch.steps=8", "batch.jitter=9"], "batch.jitter"),
      (["data.path=x", "batch.jitter=2", "training.recompute=auto"], "training.recompute"),
      (["optimizer.momentum=0.9"], "optimizer.momentum"), (["optimizer.nesterov=true"], "optimizer.nesterov"),
      (["optimizer.name=sgd", "optimizer.nesterov=true"], "optimizer.nesterov"),
      (["optimizer.name=sgd", "optimizer.weightDecay=1"], "optimizer.weightDecay"),
      (["optimizer.clip=0", "optimizer.clipBy=element"], "optimizer.clip"),
      (["optimizer.averageFrom=5"], "optimizer.averageFrom"),
      (["optimizer.average=from-step", "optimizer.averagePatience=5"], "optimizer.averagePatience"),
      (["schedule.every=5"], "schedule.every"), (["schedule.factor=0.1"], "schedule.factor"),
      (["schedule.floor=0.1"], "schedule.floor"), (["schedule.patience=1"], "schedule.patience"),
      (["schedule.end=5"], "schedule.end"), (["schedule.name=step", "schedule.every=0"], "schedule.every"),
      (["schedule.name=cosine", "schedule.warmUp=9", "schedule.end=9"], "schedule.end"),
      (["schedule.name=cosine", "schedule.begin=5", "schedule.warmUp=4", "schedule.end=9"], "schedule.end"),
      (["schedule.begin=5"], "schedule.begin"),
      (["schedule.name=plateau", "schedule.patience=0"], "schedule.patience"),
      (["schedule.name=plateau", "training.evaluateEvery=0"], "training.evaluateEvery"),
      (["training.patience=1", "training.evaluateEvery=0"], "training.evaluateEvery"),
      (["training.patience=1", "data.heldOutStrings=0"], "training.patience"),
      (["data.path=x", "data.validation=0", "optimizer.average=non-monotonic"], "optimizer.average"),
      (["data.path=x", "data.validation=0", "schedule.name=plateau"], "schedule.name"),
    ])
  func valuesThatDoNotFitEachOtherAreErrorsThatNameOneOfTheKeys(settings: [String], key: String) {
    let error = #expect(throws: Problem.self) {
      try Configuration.load(overrides: settings.map { try .init(set: $0) })
    }
    #expect(
      error?.exitCode == 78 && error?.message.contains("impossible value of \(key) — ") == true,
      "\(String(describing: error))")
  }

  @Test(
    arguments: [
      ("model.hiden", "model.hidden"), ("hidden", "model.hidden"), ("Model.Hidden", "model.hidden"),
      ("optimizer.lr", "optimizer.learningRate"), ("lr", "optimizer.learningRate"),
      ("learning_rate", "optimizer.learningRate"), ("sed", "seed"),
      ("data.token", "data.tokens"), ("training.evalEvery", "training.evaluateEvery"), ("batch.shard", "batch.shards"),
      ("model.hidden.x", "model.hidden"), ("tasks", "task"), ("reduction", "distributed.reduction"),
    ])
  func unknownKeysAreRefusedWithTheNearestKnownOne(key: String, nearest: String) {
    let error = #expect(throws: Problem.self) { try resolve("\(key)=3") }
    #expect(error?.exitCode == 78 && error?.message.contains("unknown key \(key) with value 3") == true)
    #expect(error?.hint == "did you mean \(nearest)?")
  }

  @Test(
    arguments: ["model=5", "=5", "model.hidden", ""])
  func aSectionIsNotAKeyAndASettingNeedsAKeyAndAValue(setting: String) {
    let error = #expect(throws: Problem.self) { try resolve(setting) }
    #expect(error?.exitCode == 78 && error?.hint != nil)
  }

  @Test func aMarkOfByteOrderBeginsNoValueWhichASavedConfigurationWouldLose() {
    let error = #expect(throws: Problem.self) { try resolve("data.path=\u{FEFF}text.txt") }
    #expect(error?.exitCode == 78 && error?.message.contains("impossible value of data.path") == true)
    #expect(throws: Never.self) { try resolve("data.path=text\u{FEFF}.txt") }
  }
}
