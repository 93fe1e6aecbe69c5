import Configuration
import LSTM
import Sequences
import Tasks
import TestSupport
import Testing

/// Sets of labelled sequences that a model is measured on, whatever the order and the steps in which it sees them.
struct MeasuredSetTests {
  private func places(_ source: any SequenceSource & IndexedBatches) -> [Int] {
    (0..<source.stepsPerEpoch).flatMap { source.indices(atStep: $0) }
  }

  // MARK: Whole sequences

  private func withTexts(
    _ body: (ClassificationData, _ heldOut: ClassifierInput, Configuration, ModelShape) throws -> Void
  ) throws {
    try withDirectory { directory in
      try put("text,label\na b,no\nb c,no\nc,no\na,yes\nb a,yes\n".utf8, "\(directory)/train.csv")
      try put("text,label\na,yes\nb b c,no\na b a,yes\nc c,yes\nb,no\n".utf8, "\(directory)/test.csv")
      let data = try ClassificationData(
        path: "\(directory)/train.csv", files: .table(textColumn: "text", labelColumn: "label"), tokens: .words,
        maximumVocabulary: 0, heldOut: .path("\(directory)/test.csv"), seed: 1)
      let configuration = try Configuration(
        yaml: "task: classification\ndata: {path: \(directory)/train.csv}\nbatch: {sequences: 2}", name: "test")
      let shape = ModelShape(
        input: .tokens(vocabulary: data.encoding.vocabulary!.count, embedding: 2), hidden: 2, layers: 1,
        head: .pooled(classes: 2))
      try body(data, try #require(data.heldOut), configuration, shape)
    }
  }

  @Test func everyLabelMeetsTheOutputOfItsOwnSequence() throws {
    try withTexts { data, heldOut, configuration, shape in
      let set = LabelledSet(heldOut, data.encoding, "a set", configuration, timesteps: 3, training: nil)
      #expect(places(set.source).sorted() == [0, 1, 2, 3, 4] && set.source.stepsPerEpoch == 3)
      let (a, yes) = (Float(try data.encoding.vocabulary!.encode("a")[0]), data.encoding.classes.firstIndex(of: "yes")!)
      // "yes" where there is an "a": wrong of "c c" alone.
      let result = try set.result(
        HandSetModel(shape) { read in (0..<2).map { ($0 == yes) == read.contains(a) ? 3 : 0 } })
      #expect(result.set == "a set" && result.sequences == 5 && result.unit == .sequence)
      #expect(result.confusion[yes, yes] == 2 && result.confusion[yes, 1 - yes] == 1)
      #expect(result.confusion[1 - yes, 1 - yes] == 2 && result.confusion[1 - yes, yes] == 0)
      #expect(result.classes == data.encoding.classes && result.frequentClass == 1 - yes && result.baseline == nil)
    }
  }

  @Test func withTrainingTextsABagOfTokensIsTheBaseline() throws {
    try withTexts { data, heldOut, configuration, shape in
      let set = LabelledSet(heldOut, data.encoding, "a set", configuration, timesteps: 3, training: data.training)
      guard case .tokens(let texts) = heldOut, case .tokens(let training) = data.training else {
        Issue.record("texts are tokens")
        return
      }
      let bayes = NaiveBayes(training, vocabulary: data.encoding.vocabulary!.count)
      let result = try set.result(HandSetModel(shape) { _ in [0, 0] })
      #expect(result.baseline == .bagOfTokens(.words, accuracy: bayes.accuracy(on: texts)))
    }
  }

  // MARK: Words

  @Test(arguments: [false, true]) func everyLabelMeetsTheOutputAtItsOwnWord(hasTraining: Bool) throws {
    try withDirectory { directory in
      try put("a V\nb C\n\nb C\nc V\nc C\nc C\n".utf8, "\(directory)/train")
      // V C V | C | C V | C C C V
      try put("a V\nb C\na V\n\nb C\n\nc C\na V\n\nb C\nc C\nb C\nc V\n".utf8, "\(directory)/test")
      let data = try TaggingData(
        path: "\(directory)/train", maximumVocabulary: 0, heldOut: .path("\(directory)/test"), seed: 1)
      let configuration = try Configuration(
        yaml: "task: tagging\ndata: {path: \(directory)/train}\nbatch: {sequences: 3}", name: "test")
      let vocabulary = data.encoding.vocabulary!
      let shape = ModelShape(
        input: .tokens(vocabulary: vocabulary.count, embedding: 2), hidden: 2, layers: 1, head: .everyStep(classes: 2))
      let set = TaggedSet(
        try #require(data.heldOut), data.encoding, "a set", configuration, timesteps: 4,
        training: hasTraining ? data.training : nil)
      #expect(places(set.source).sorted() == [0, 1, 2, 3] && set.source.stepsPerEpoch == 2)
      let (a, V) = (Float(try vocabulary.encode("a")[0]), data.encoding.classes.firstIndex(of: "V")!)
      // "V" of "a" alone: wrong of the last "c".
      let result = try set.result(
        HandSetModel(shape) { read in (0..<2).map { ($0 == V) == (read.last == a) ? 3 : 0 } })
      #expect(result.set == "a set" && result.sequences == 4 && result.unit == .word && result.confusion.total == 10)
      #expect(result.confusion[V, V] == 3 && result.confusion[V, 1 - V] == 1)
      #expect(result.confusion[1 - V, 1 - V] == 6 && result.confusion[1 - V, V] == 0)
      #expect(result.classes == data.encoding.classes && result.frequentClass == 1 - V)
      // Each word's most frequent label of training is what the model says.
      #expect(result.baseline == (hasTraining ? .frequentLabels(accuracy: 0.9) : nil))
    }
  }
}

/// What a classifier predicts of one sequence.
struct ClassPredictionTests {
  @Test(
    arguments: [
      ([0.2, 0.5, 0.3], "b", 0.5), ([0.75, 0.25, 0], "a", 0.75), ([0, 0, 1], "c", 1),
      // Of equally probable classes the first.
      ([0.25, 0.375, 0.375], "b", 0.375),
    ] as [([Float], String, Float)])
  func theMostProbableClassIsPredicted(row: [Float], expected: String, probability: Float) {
    let prediction = ClassPrediction(name: "x", row, ["a", "b", "c"])
    #expect(prediction.name == "x" && prediction.class == expected && prediction.probability == probability)
    #expect(prediction.probabilities == ["a": row[0], "b": row[1], "c": row[2]])
  }
}
