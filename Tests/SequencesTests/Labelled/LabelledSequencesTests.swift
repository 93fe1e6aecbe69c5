import ExactMath
import Sequences
import Testing

@Suite struct LabelledSequencesTests {
  /// `counts[c]` texts of class c, all different, of lengths 1, 2, 3, …
  private func texts(_ counts: [Int]) throws -> LabelledTexts {
    var table = "text,label\n"
    for (label, count) in counts.enumerated() {
      for index in 1...count { table += String(repeating: "\(label)", count: index) + ",c\(label)\n" }
    }
    return try .table(bytes: Array(table.utf8), textColumn: "text", labelColumn: "label", name: "t")
  }

  // MARK: Splits

  @Test func foldsAreAnEvenPartitionOfEachClass() throws {
    let all = try texts([23, 9, 40])
    var seen: [String] = []
    for fold in 0..<10 {
      let (training, heldOut) = try all.fold(fold, of: 10, seed: 5)
      #expect(training.count + heldOut.count == 72 && (7...8).contains(heldOut.count))
      #expect(Set(training.names).isDisjoint(with: heldOut.names))
      for (count, whole) in zip(heldOut.classCounts, all.classCounts) {
        #expect((whole / 10...whole / 10 + 1).contains(count))
      }
      #expect(try all.fold(fold, of: 10, seed: 5).heldOut == heldOut)
      seen += heldOut.names
    }
    #expect(seen.sorted() == all.names.sorted())
    #expect(try all.fold(0, of: 10, seed: 5).heldOut != all.fold(0, of: 10, seed: 6).heldOut)
  }

  @Test func aShareHeldOutKeepsTheProportionsOfTheClasses() throws {
    let all = try texts([50, 30, 20])
    let (training, heldOut) = try all.holdingOut(share: 0.1, seed: 1)
    #expect(heldOut.classCounts == [5, 3, 2] && training.classCounts == [45, 27, 18])
    for part in [training, heldOut] {
      for index in 0..<part.count {
        let origin = all.names.firstIndex(of: part.names[index])!
        #expect(part[index] == all[origin][...] && part.labels[index] == all.labels[origin])
      }
    }
  }

  @Test func namesMayDecideWhatIsHeldOutButNoPartIsEmpty() throws {
    let all = try texts([3, 3])
    let (training, heldOut) = try all.holdingOut { $0.hasSuffix(":2") || $0.hasSuffix(":7") }
    #expect(heldOut.names == ["t:2", "t:7"] && training.count == 4 && heldOut.classes == all.classes)
    expectBadData("nothing is held out", "0 of 6") { _ = try all.holdingOut { _ in false } }
    expectBadData("nothing is left") { _ = try all.holdingOut { _ in true } }
    expectBadData("nothing is held out") { _ = try all.holdingOut(share: 0.1, seed: 1) }
  }

  // MARK: Normalization

  @Test func normalizedDataHaveMean0AndDeviation1AndCanBeRestored() throws {
    var draws = PhiloxSequence(seed: 3, purpose: .dataGeneration)
    let values = (0..<999).map { place -> Float in
      [1000 + Float(draws.uniform()), Float(draws.uniform()) * 1e-6, 0.1][place % 3]
    }
    let normalization = Normalization(fitting: values, width: 3)
    let normalized = try normalization.normalized(values, name: "t")
    for column in 0..<3 {
      let own = stride(from: column, to: 999, by: 3).map { Double(normalized[$0]) }
      let mean = own.reduce(0, +) / 333
      let deviation = (own.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 333).squareRoot()
      #expect(abs(mean) < 1e-5 && abs(deviation - (column == 2 ? 0 : 1)) < 1e-5)
    }
    for (place, a) in normalization.restored(normalized).enumerated() {
      // What rounding the normalized value, at most 2, and then the result may lose.
      let loss = Float(normalization.deviation[place % 3]) * Float(2).ulp / 2 + values[place].ulp
      #expect(abs(a - values[place]) <= loss)
    }
  }

  @Test func newDataTakesTheNumbersOfTheTrainingDataNotItsOwn() throws {
    let normalization = Normalization(fitting: [1.0, 3], width: 1)
    #expect(normalization.mean == [2] && normalization.deviation == [1])
    #expect(try normalization.normalized([2.0, 12], name: "t") == [0, 10])
    expectBadData("out of all proportion", "column 1 (t)") {
      _ = try Normalization(fitting: [0.0, 1e-30], width: 1).normalized([1e30], name: "t")
    }
    // The square of the largest Float is a Double.
    let most = Float.greatestFiniteMagnitude
    let extreme = Normalization(fitting: [-most, most], width: 1)
    #expect(try extreme.normalized([most], name: "t") == [1])
  }

  // MARK: Batches

  @Test(arguments: [1, 2, 7, 64, 1000])
  func eachSequenceIsInOneBatchOfAnEpochAndOnlyOneBatchIsSmaller(size: Int) {
    for count in [0, 1, 6, 7, 63, 500] {
      let lengths = (0..<count).map { 1 + $0 * 37 % 100 }
      let batches = LengthBalancedBatches.batches(lengths: lengths, globalBatch: size, seed: 1, epoch: 3)
      #expect(batches.joined().sorted() == Array(0..<count))
      #expect(batches.count == (count + size - 1) / size && batches.count { $0.count != size } <= 1)
    }
  }

  @Test func batchesDependOnSeedAndEpochAlone() {
    let lengths = (0..<3000).map { 1 + $0 * 7919 % 500 }
    func batches(_ seed: UInt64, _ epoch: Int) -> [[Int]] {
      LengthBalancedBatches.batches(lengths: lengths, globalBatch: 16, seed: seed, epoch: epoch)
    }
    #expect(batches(1, 0) == batches(1, 0))
    let first = Set(batches(1, 0).map(Set.init))
    for other in [batches(1, 1), batches(2, 0)] {
      #expect(first.intersection(other.map(Set.init)).count < 5)
    }
  }

  @Test func paddingIsASmallPartOfWhatBatchesDrawnAtRandomWouldHave() {
    let lengths = (0..<4000).map { 1 + $0 * 7919 % 500 }
    let balanced = LengthBalancedBatches.batches(lengths: lengths, globalBatch: 16, seed: 1, epoch: 0)
    let plain = stride(from: 0, to: 4000, by: 16).map { Array($0..<$0 + 16) }
    let share = LengthBalancedBatches.paddingShare(of: balanced, lengths: lengths)
    #expect(share < 0.03 && LengthBalancedBatches.paddingShare(of: plain, lengths: lengths) > 0.4)
    #expect(LengthBalancedBatches.paddingShare(of: [[0, 1], [2]], lengths: [3, 1, 2]) == 0.25)
    #expect(LengthBalancedBatches.paddingShare(of: [], lengths: []) == 0)
  }

  @Test func longAndShortSequencesStandMixedInABatch() {
    let lengths = (0..<1600).map { $0 }
    let batches = LengthBalancedBatches.batches(lengths: lengths, globalBatch: 16, seed: 1, epoch: 0)
    let firstHalf = batches.joined().enumerated().filter { $0.offset % 16 < 8 }.reduce(0) { $0 + $1.element }
    #expect(abs(firstHalf - 1600 * 1599 / 4) < 1600 * 1599 / 4 / 50)
    let rising = batches.count { $0 == $0.sorted() }
    #expect(rising == 0)
  }
}
