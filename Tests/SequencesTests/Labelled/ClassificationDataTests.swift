import Files
import Foundation
import Sequences
import Testing

@Suite struct ClassificationDataTests {
  /// Texts of class a with the words x and y, of class b with y and z, 1 to 7 words long, and one word each that no
  /// other text has.
  private func folder() throws -> TestFolder {
    let folder = try TestFolder()
    for (name, words) in [("a", ["x", "y"]), ("b", ["y", "z"])] {
      let lines = (0..<11).map { line in
        (0..<line % 7).map { words[($0 + line) % 2] }.joined(separator: " ") + " only\(name)\(line)\n"
      }
      try folder.write(lines.joined().utf8, "\(name).txt")
    }
    return folder
  }

  private func data(_ folder: TestFolder, _ heldOut: HeldOut) throws -> ClassificationData {
    try ClassificationData(
      path: folder.path, files: .classFiles(NamePattern("{class}.txt")), tokens: .words, maximumVocabulary: 0,
      heldOut: heldOut, seed: 3)
  }

  // MARK: Reading

  @Test func theVocabularyIsThatOfTheTrainingPartAlone() throws {
    let folder = try folder()
    let all = try #require(data(folder, .none).encoding.vocabulary)
    let split = try data(folder, .share(0.3))
    #expect(split.encoding.trainingCounts.reduce(0, +) + split.heldOut!.labels.count == 22)
    // Each held-out text has a word of its own.
    #expect(split.encoding.vocabulary!.count == all.count - split.heldOut!.labels.count)
    let other = try TestFolder()
    try other.write("x new words\n".utf8, "b.txt")
    let against = try data(folder, .path(other.path))
    #expect(against.encoding.vocabulary == all && against.heldOut!.labels == [1])
    guard case .tokens(let tokens) = against.heldOut! else { return #expect(Bool(false)) }
    #expect(tokens[0].count == 3 && tokens[0].count { $0 == 0 } == 2)
    try other.write("x\n".utf8, "c.txt")
    expectBadData("unknown class", "\"c\"") { _ = try data(folder, .path(other.path)) }
  }

  @Test func numbersAreNormalizedByTheTrainingPartAlone() throws {
    let folder = try TestFolder()
    let header = "@classLabel true u v\n@data\n"
    let training = try folder.write((header + "1,3:10,30:u\n1,3:10,30:v\n").utf8, "train.ts")
    let test = try folder.write((header + "100,100,2:0,0,20:v\n").utf8, "test.ts")
    let data = try ClassificationData(
      path: training, files: .series, tokens: nil, maximumVocabulary: 0, heldOut: .path(test), seed: 1)
    #expect(data.encoding.normalization?.mean == [2, 20] && data.encoding.normalization?.deviation == [1, 10])
    guard case .values(let heldOut) = data.heldOut! else { return #expect(Bool(false)) }
    #expect(heldOut[0] == [98, -2, 98, -2, 0, 0] && heldOut.labels == [1])
    let narrow = try folder.write((header + "1,2:u\n").utf8, "narrow.ts")
    expectBadData("expected 2 as in training, got 1", "narrow.ts") {
      _ = try ClassificationData.input(path: narrow, files: .series, encoding: data.encoding)
    }
  }

  @Test func aWindowTakesTheLongestSequenceOrRefusesLongerOnes() throws {
    let data = try data(folder(), .share(0.3))
    let inputs = [data.training, data.heldOut!]
    #expect(try ClassifierInput.timesteps(for: inputs, most: 0) == 7)
    #expect(try ClassifierInput.timesteps(for: inputs, most: 50) == 50)
    expectBadData("too long", "batch.steps = 6", "got 7") {
      _ = try ClassifierInput.timesteps(for: inputs, most: 6)
    }
  }

  // MARK: The encoding

  @Test func anEncodingIsTheSameAfterJSONAndWhatCouldNotBeOneIsRefused() throws {
    let encoding = try data(folder(), .share(0.3)).encoding
    #expect(try ClassifierEncoding(json: encoding.json(), name: "c") == encoding)
    let vocabulary = String(decoding: try encoding.vocabulary!.json(), as: UTF8.self)
    let numbers = #""normalization":{"mean":[0,1],"deviation":[1,2]}"#
    for good in [
      #"{"classes":["a","b"],"trainingCounts":[1,2],"vocabulary":\#(vocabulary)}"#,
      #"{"classes":["a","b"],"trainingCounts":[1,2],\#(numbers),"rate":8000}"#,
    ] {
      #expect(throws: Never.self) { try ClassifierEncoding(json: Data(good.utf8), name: "c") }
    }
    for bad in [
      "", "[]", "{}", #"{"classes":["a","b"],"trainingCounts":[1,2]}"#,
      #"{"classes":["a"],"trainingCounts":[1],\#(numbers)}"#,
      #"{"classes":["a","a"],"trainingCounts":[1,1],\#(numbers)}"#,
      #"{"classes":["a","b"],"trainingCounts":[1],\#(numbers)}"#,
      #"{"classes":["a","b"],"trainingCounts":[1,2],\#(numbers),"vocabulary":\#(vocabulary)}"#,
      #"{"classes":["a","b"],"trainingCounts":[1,2],"vocabulary":\#(vocabulary),"rate":8000}"#,
      #"{"classes":["a","b"],"trainingCounts":[1,2],\#(numbers),"rate":0}"#,
      #"{"classes":["a","b"],"trainingCounts":[1,2],"normalization":{"mean":[0,1],"deviation":[1,0]}}"#,
      #"{"classes":["a","b"],"trainingCounts":[1,2],"normalization":{"mean":[0,1],"deviation":[1]}}"#,
      #"{"classes":["a","b"],"trainingCounts":[1,2],"normalization":{"mean":[],"deviation":[]}}"#,
    ] {
      expectBadData("(c)") { _ = try ClassifierEncoding(json: Data(bad.utf8), name: "c") }
    }
  }

  @Test func unlabelledFilesAreReadAsTheTrainingDataWere() throws {
    let encoding = try data(folder(), .none).encoding
    let form = LabelledFiles.table(textColumn: "text", labelColumn: "label")
    let rows = try encoding.input(
      of: [("t.csv", Array("text,other\n\"x, y\",5\nz,6\n".utf8)), ("lines", Array("y x\n\nz\r\n".utf8))], form: form)
    #expect(rows.names == ["t.csv:2", "t.csv:3", "lines:1", "lines:3"] && rows.lengths == [2, 1, 2, 1])
    #expect(rows.labels == [-1, -1, -1, -1])
    expectBadData("missing column") { _ = try encoding.input(of: [("t.csv", Array("a\nb\n".utf8))], form: form) }
    let folder = try TestFolder()
    let path = try folder.write("@classLabel true u v\n@data\n1,3:u\n3:v\n".utf8, "train.ts")
    let series = try ClassificationData(
      path: path, files: .series, tokens: nil, maximumVocabulary: 0, heldOut: .none, seed: 1
    ).encoding
    for file in [
      "@classLabel true u w\n@data\n5,6,7:w\n2:u\n", "@classLabel false\n@data\n5,6,7\n2\n", "@data\n5,6,7\n2\n",
    ] {
      let input = try series.input(of: [("s", Array(file.utf8))], form: .series)
      #expect(input.lengths == [3, 1] && input.labels == [-1, -1], "\(file)")
    }
    expectBadData("expected 1 as in training") {
      _ = try series.input(of: [("s", Array("@data\n1:2\n".utf8))], form: .series)
    }
    expectBadData("series without classes") {
      _ = try TimeSeriesFile.read(bytes: Array("@classLabel false\n@data\n1\n".utf8), name: "s")
    }
  }

  // MARK: Batches

  @Test func anyLanesOfAStepAreThoseOfTheWholeStep() throws {
    guard case .tokens(let sequences) = try data(folder(), .none).training else { return #expect(Bool(false)) }
    for seed in [nil, 4 as UInt64?] {
      let source = LabelledBatches(sequences, globalBatch: 5, timesteps: 8, shuffleSeed: seed)
      #expect(source.stepsPerEpoch == 5)
      for epoch in 0..<2 {
        let steps = (0..<5).map { source.indices(atStep: 5 * epoch + $0) }
        #expect(steps.joined().sorted() == Array(0..<22))
        #expect(steps.indices.map { source.targetCount(atStep: 5 * epoch + $0) } == steps.map(\.count))
      }
      let again = LabelledBatches(sequences, globalBatch: 5, timesteps: 8, shuffleSeed: seed)
      for step in 0..<10 {
        #expect(again.indices(atStep: step) == source.indices(atStep: step))
        let whole = Filled(source, step: step, lanes: 0..<5)
        for lanes in [0..<2, 2..<5, 3..<3] {
          #expect(Filled(again, step: step, lanes: lanes).lanes == Array(whole.lanes[lanes]))
        }
        for (lane, filled) in whole.lanes.enumerated() {
          let index = lane < source.targetCount(atStep: step) ? source.indices(atStep: step)[lane] : nil
          #expect(filled.tokens == Array(index.map { sequences[$0] } ?? []))
          #expect(filled.label == (index.map { sequences.labels[$0] } ?? noTarget))
          #expect(filled.padding.allSatisfy { $0 == 0 })
        }
      }
    }
  }

  /// A step of some lanes, lane by lane.
  private struct Filled {
    struct Lane: Equatable {
      let tokens: [Int32]
      let padding: [Int32]
      let label: Int32
    }
    var lanes: [Lane] = []

    init(_ source: LabelledBatches<Int32>, step: Int, lanes: Range<Int>) {
      let batch = SequenceBatch.allocate(
        timesteps: source.timesteps, lanes: lanes.count, inputs: .tokens, targets: .pooled)
      defer { batch.deallocate() }
      batch.tokens.update(repeating: 99)
      source.fill(step: step, lanes: lanes, batch: batch)
      for lane in 0..<lanes.count {
        let column = (0..<source.timesteps).map { batch.tokens[$0 * lanes.count + lane] }
        let length = Int(batch.lengths[lane])
        self.lanes.append(
          Lane(tokens: Array(column[..<length]), padding: Array(column[length...]), label: batch.targets[lane]))
      }
    }
  }

  // MARK: Measures

  @Test func accuracyPrecisionRecallAndF1AreThoseOfTheirDefinitions() {
    var matrix = ConfusionMatrix(classes: 3)
    #expect(matrix.accuracy == 0 && matrix.macroF1 == 0 && matrix.f1(0) == 0)
    // Class 0: 3 right, 1 taken for 1. Class 1: 2 right, 2 taken for 0. Class 2 never occurs and is never said.
    for (label, predicted) in [(0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 1), (1, 0), (1, 0)] {
      matrix.add(label: Int32(label), predicted: predicted)
    }
    #expect(matrix.counts == [3, 1, 0, 2, 2, 0, 0, 0, 0] && matrix.total == 8 && matrix.correct == 5)
    #expect(matrix.accuracy == 0.625)
    #expect(matrix.precision(0) == 0.6 && matrix.recall(0) == 0.75)
    #expect(abs(matrix.f1(0) - 2 * 0.6 * 0.75 / 1.35) < 1e-15)
    #expect(abs(matrix.f1(1) - 2 * (2.0 / 3) * 0.5 / (2.0 / 3 + 0.5)) < 1e-15)
    #expect(matrix.f1(2) == 0 && abs(matrix.macroF1 - (matrix.f1(0) + matrix.f1(1)) / 2) < 1e-15)
    matrix.add(label: 0, predicted: 2)
    #expect(matrix.precision(2) == 0 && matrix.support(2) == 0 && matrix.support(0) == 5)
  }

  @Test func naiveBayesIsItsFormulaWorkedOutByHand() throws {
    // V = 3 (<unk>, x, y). Class a: x x y, class b: y. P(x|a) = 3/6, P(y|a) = 2/6, P(x|b) = 1/4, P(y|b) = 2/4.
    let table = "text,label\nx x,a\ny,a\ny,b\n"
    let texts = try LabelledTexts.table(
      bytes: Array(table.utf8), textColumn: "text", labelColumn: "label", name: "t")
    let vocabulary = try texts.vocabulary(of: .words, name: "t")
    let model = NaiveBayes(try texts.tokens(in: vocabulary), vocabulary: vocabulary.count)
    func said(_ text: String) throws -> Int { model.predicted(try vocabulary.encode(text)) }
    // Priors 2/3 and 1/3: y alone is 2/3·1/3 > 1/3·1/2; y y is 2/27 < 1/12.
    #expect(try said("") == 0 && said("y") == 0 && said("y y") == 1 && said("x y y") == 0)
    #expect(try abs(model.accuracy(on: texts.tokens(in: vocabulary)) - 2.0 / 3) < 1e-12)
  }
}
