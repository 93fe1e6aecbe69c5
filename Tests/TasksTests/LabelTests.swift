import Foundation
import Sequences
import Tasks
import TestSupport
import Testing

/// Classes of sequences and of words.
struct LabelTests {
  // MARK: Classes of sequences

  private func withTable(_ body: (_ learning: any LearningTask, _ directory: String) throws -> Void) throws {
    try withDirectory { directory in
      let rows = (0..<12).map { $0 % 3 == 0 ? "bad film,no" : "good film,yes" }
      try put("text,label\n\(rows.joined(separator: "\n"))\n".utf8, "\(directory)/train.csv")
      try put(
        "text,label\ngood film,yes\nbad film,no\ngood,no\nbad,no\nvery good film,yes\n".utf8, "\(directory)/test.csv")
      let yaml =
        "task: classification\ndata: {path: \(directory)/train.csv, validation: \(directory)/test.csv}\n"
        + "batch: {sequences: 4}"
      try body(try task(yaml), directory)
    }
  }

  /// "yes" where the text contains "good", by a margin of 2.
  private func good(_ data: RunData) throws -> HandSetModel.Answer {
    let encoding = try ClassifierEncoding(json: Data(data.identity.vocabulary), name: "encoding")
    let word = Float(try encoding.vocabulary!.encode("good")[0])
    let yes = encoding.classes.firstIndex(of: "yes")!
    return { read in (0..<2).map { ($0 == yes) == read.contains(word) ? 2 : 0 } }
  }

  @Test func aModelOfTextsReadsWordsAndHasOneOutputASequence() throws {
    try withTable { learning, directory in
      let data = try learning.data()
      #expect(data.shape.head == .pooled(classes: 2) && data.timesteps == 3 && data.unit == "sequence")
      #expect(data.training.stepsPerEpoch == 3 && data.validation?.stepsPerEpoch == 2)
      // good, bad, film, and what training has not seen.
      #expect(data.shape.vocabulary == 4)
      #expect(learning.uses == [.predict(path: "\(directory)/test.csv")])
    }
  }

  @Test func classesAreCountedAsByHand() throws {
    try withTable { learning, directory in
      let data = try learning.data()
      let result: LabelResult = try learning.evaluated(data, try good(data))
      let (no, yes) = (result.classes.firstIndex(of: "no")!, result.classes.firstIndex(of: "yes")!)
      #expect(result.set == "\(directory)/test.csv" && result.sequences == 5)
      // "good" alone is "no", and is taken for "yes".
      #expect(result.confusion[no, yes] == 1 && result.confusion[yes, no] == 0)
      #expect(result.confusion[no, no] == 2 && result.confusion[yes, yes] == 2)
      #expect(result.confusion.accuracy == 0.8)
      #expect(isClose(result.confusion.f1(yes), 2 * 2 / (2 * 2 + 1)) && isClose(result.confusion.f1(no), 0.8))
      #expect(isClose(result.loss, (4 * log(1 + exp(-2)) + log(1 + exp(2))) / 5))
      #expect(result.frequentClass == yes && result.frequentClassAccuracy == 0.4)
      // Naive Bayes has seen "good" with "yes" alone, as the model.
      #expect(result.baseline == .bagOfTokens(.words, accuracy: 0.8))
      #expect(result.tables.map(\.name) == ["classes", "confusion"])
      #expect(result.tables[1].rows[no] == [.text("no")] + [no, yes].sorted().map { .count($0 == no ? 2 : 1) })
      let atTheEnd = try #require(try data.result(HandSetModel(data.shape, try good(data)), 1) as? LabelResult)
      #expect(atTheEnd.set == "held out" && atTheEnd.confusion == result.confusion && atTheEnd.loss == result.loss)
    }
  }

  @Test func figuresHaveTheirUnitAndTheirBaseline() throws {
    try withTable { learning, _ in
      let data = try learning.data()
      let result: LabelResult = try learning.evaluated(data, try good(data))
      let named = { (figure: Tasks.Measurement) in [figure.name, figure.unit, figure.baseline] }
      #expect(
        result.measurements.map(named) == [
          ["sequences", nil, nil], ["loss", "nats per sequence", nil], ["correct", nil, nil], ["accuracy", nil, nil],
          ["accuracy", nil, "most frequent class"], ["accuracy", nil, "naive Bayes"], ["macro F1", nil, nil],
        ])
      let table: FigureTable = result.tables[0]
      #expect(table.columns == ["class", "sequences", "precision", "recall", "F1"])
      let yes: [Tasks.Measurement.Value] = [.text("yes"), .count(2), .number(2 / 3), .number(1), .number(0.8)]
      #expect(table.rows[result.classes.firstIndex(of: "yes")!] == yes)
    }
  }

  @Test func otherDataHaveNoBaselineOfTheirOwn() throws {
    try withTable { learning, directory in
      let data = try learning.data()
      let result: LabelResult = try learning.evaluated(data, on: "\(directory)/train.csv", try good(data))
      #expect(result.baseline == nil && result.sequences == 12 && result.confusion.accuracy == 1)
      #expect(result.measurements.filter { $0.name == "accuracy" }.map(\.baseline) == [nil, "most frequent class"])
    }
  }

  @Test func aPredictionHasEveryProbability() throws {
    try withTable { learning, _ in
      let data = try learning.data()
      let plan = try learning.prediction(
        by: learning.saved(data), of: [(name: "new.csv", bytes: Array("text\ngood\nbad\n".utf8))])
      let predictions = try #require(try plan.predict(HandSetModel(data.shape, try good(data))) as? [ClassPrediction])
      #expect(predictions.map(\.class) == ["yes", "no"])
      struct Read: Decodable {
        let name: String
        let `class`: String
        let probability: Double
        let probabilities: [String: Double]
      }
      let read = try predictions.map { try JSONDecoder().decode(Read.self, from: Data(SortedJSON.text($0).utf8)) }
      #expect(read.map(\.class) == ["yes", "no"])
      let likely = 1 / (1 + exp(-2.0))
      for one in read {
        #expect(one.name.hasPrefix("new.csv:"))
        #expect(isClose(one.probability, likely) && isClose(one.probabilities[one.class]!, likely))
        #expect(isClose(one.probabilities.values.reduce(0, +), 1) && one.probabilities.count == 2)
      }
    }
  }

  // MARK: Labels of words

  private func withTags(_ body: (_ learning: any LearningTask) throws -> Void) throws {
    try withDirectory { directory in
      try put(String(repeating: "a V\nb C\n\na V\nc C\nb C\n\n", count: 4).utf8, "\(directory)/train")
      try put("a V\nb V\n\nc C\nx V\nb C\n".utf8, "\(directory)/test")
      try body(
        try task(
          "task: tagging\ndata: {path: \(directory)/train, validation: \(directory)/test}\nbatch: {sequences: 3}"))
    }
  }

  /// "V" for "a" alone, by a margin of 1.
  private func vowel(_ data: RunData) throws -> HandSetModel.Answer {
    let encoding = try ClassifierEncoding(json: Data(data.identity.vocabulary), name: "encoding")
    let word = Float(try encoding.vocabulary!.encode("a")[0])
    let V = encoding.classes.firstIndex(of: "V")!
    return { read in (0..<2).map { ($0 == V) == (read.last == word) ? 1 : 0 } }
  }

  @Test(arguments: [nil, 1])
  func wordsAreCountedAsByHand(segment: Int?) throws {
    try withTags { learning in
      let data = try learning.data()
      #expect(data.shape.head == .everyStep(classes: 2) && data.timesteps == 3 && data.unit == "word")
      let result: LabelResult = try learning.evaluated(data, segment: segment, try vowel(data))
      let (C, V) = (result.classes.firstIndex(of: "C")!, result.classes.firstIndex(of: "V")!)
      #expect(result.sequences == 2 && result.confusion.total == 5 && result.unit == .word)
      #expect(result.confusion[V, V] == 1 && result.confusion[V, C] == 2 && result.confusion[C, C] == 2)
      #expect(isClose(result.loss, (3 * log(1 + exp(-1)) + 2 * log(1 + exp(1))) / 5))
      #expect(result.frequentClass == C && result.frequentClassAccuracy == 0.4)
      // Of a word that training has not, the most frequent label of all words: "C".
      #expect(result.baseline == .frequentLabels(accuracy: 0.6))
      #expect(result.measurements.contains { $0.name == "words" && $0.value == .count(5) })
    }
  }

  @Test func aPredictionHasALabelForEachWord() throws {
    try withTags { learning in
      let data = try learning.data()
      let plan = try learning.prediction(
        by: learning.saved(data), of: [(name: "new", bytes: Array("a\nb\n\nq\n".utf8))])
      let predictions = try #require(try plan.predict(HandSetModel(data.shape, try vowel(data))) as? [LabelPrediction])
      #expect(
        predictions.map(\.labels) == [["V", "C"], ["C"]] && predictions.allSatisfy { $0.name.hasPrefix("new:") })
      struct Read: Decodable {
        let words: [String]
        let labels: [String]
        let probabilities: [Double]
      }
      let read = try predictions.map { try JSONDecoder().decode(Read.self, from: Data(SortedJSON.text($0).utf8)) }
      #expect(read.map(\.words) == [["a", "b"], ["q"]] && read.map(\.labels) == [["V", "C"], ["C"]])
      for probability in read.flatMap(\.probabilities) { #expect(isClose(probability, 1 / (1 + exp(-1)))) }
    }
  }
}
