import Problems
import Sequences
import Testing

@Suite struct LongTimeLagTests {
  @Test(arguments: [22, 100, 500])
  func addingAndMultiplicationAreThoseOfThePaper(shortest: Int) throws {
    for operation in [MarkedPairs.Operation.adding, .multiplication] {
      let task = try MarkedPairs(operation, shortest: shortest)
      var lengths: Set<Int> = []
      for index in 0..<2000 {
        let (values, target) = task.example(seed: 7, index: index)
        let length = values.count / 2
        lengths.insert(length)
        let markers = (0..<length).map { values[2 * $0 + 1] }
        let marked = markers.indices.filter { markers[$0] == 1 }
        #expect(markers[0] == -1 && markers[length - 1] == -1 && (1...2).contains(marked.count))
        #expect(markers.dropFirst().dropLast().count { $0 == 0 } == length - 2 - marked.count)
        #expect(marked[0] < 10 || marked.count == 1)
        #expect(marked.last! < shortest / 2)
        let numbers = marked.map { values[2 * $0] }
        switch operation {
        case .adding:
          #expect(target == 0.5 + (numbers[0] + (numbers.count == 2 ? numbers[1] : 0)) / 4)
          #expect(marked.count == 2 || values[0] == 0)
          #expect((0..<length).allSatisfy { (-1..<1).contains(values[2 * $0]) } && (0...1).contains(target))
        case .multiplication:
          #expect(target == numbers[0] * (numbers.count == 2 ? numbers[1] : 1))
          #expect(marked.count == 2 || values[0] == 1)
          #expect((0..<length).allSatisfy { (0...1).contains(values[2 * $0]) })
        }
      }
      #expect(lengths == Set(shortest...shortest + shortest / 10))
    }
  }

  @Test func everyPlaceThatMayBeMarkedIsAndAboutEquallyOften() throws {
    let task = try MarkedPairs(.adding, shortest: 100)
    var counts = [Int](repeating: 0, count: 50)
    for index in 0..<20_000 {
      let values = task.example(seed: 1, index: index).values
      for place in 1..<50 where values[2 * place + 1] == 1 { counts[place] += 1 }
    }
    // The first ten: 1/10 by the first draw, and 1/49 by the second where the first took another place.
    for place in 1..<10 { #expect(abs(Double(counts[place]) / 20_000 - (0.1 + 0.9 / 49)) < 0.01) }
    for place in 10..<50 { #expect(abs(Double(counts[place]) / 20_000 - 1.0 / 49) < 0.005) }
  }

  @Test(arguments: TemporalOrder.allCases)
  func temporalOrderIsThatOfThePaper(task: TemporalOrder) {
    var lengths: Set<Int> = []
    var places: [Set<Int>] = task.places.map { _ in [] }
    var classes = [Int](repeating: 0, count: task.classes.count)
    for index in 0..<4000 {
      let (tokens, label) = task.example(seed: 2, index: index)
      let text = Array(TemporalOrder.vocabulary.decode(tokens))
      lengths.insert(text.count)
      classes[Int(label)] += 1
      let relevant = text.indices.filter { "XY".contains(text[$0]) }
      #expect(text.first == "E" && text.last == "B" && relevant.count == task.places.count)
      #expect(text.dropFirst().dropLast().allSatisfy { "abcdXY".contains($0) })
      for (number, place) in relevant.enumerated() { places[number].insert(place) }
      let order = String(relevant.map { text[$0] })
      let rules =
        task == .two
        ? ["XX": "Q", "XY": "R", "YX": "S", "YY": "U"]
        : [
          "XXX": "Q", "XXY": "R", "XYX": "S", "XYY": "U", "YXX": "V", "YXY": "A", "YYX": "B", "YYY": "C",
        ]
      #expect(task.classes[Int(label)] == rules[order])
    }
    #expect(lengths == Set(100...110) && places == task.places.map { Set($0) })
    let even = 4000 / classes.count
    #expect(classes.allSatisfy { abs($0 - even) < even / 4 })
  }

  @Test func distantSymbolsAreRegularRandomOrBehindATrigger() throws {
    let regular = try DistantSymbol(.regular, p: 100)
    #expect(regular.symbols == 101 && regular.tolerance == 0.25)
    var first: [Int32: Int] = [:]
    for index in 0..<1000 {
      let tokens = regular.example(seed: 3, index: index)
      #expect(Array(tokens.dropFirst().dropLast()) == Array(0..<99) && tokens.first == tokens.last)
      first[tokens[0], default: 0] += 1
    }
    #expect(Set(first.keys) == [99, 100] && abs(first[99]! - 500) < 60)

    let random = try DistantSymbol(.random, p: 10)
    var middle: Set<Int32> = []
    for index in 0..<500 {
      let tokens = random.example(seed: 3, index: index)
      #expect(tokens.count == 11 && tokens.first == tokens.last && tokens[0] >= 9 && tokens[0] <= 10)
      middle.formUnion(tokens.dropFirst().dropLast())
    }
    #expect(middle == Set(0..<9))
  }

  @Test func aTriggerStandsBehindAtLeastQSymbols() throws {
    let task = try DistantSymbol(.randomLength(least: 50), p: 50)
    #expect(task.symbols == 54 && task.x == 52 && task.y == 53 && task.tolerance == 0.2)
    var lengths: [Int] = []
    for index in 0..<4000 {
      let tokens = task.example(seed: 4, index: index)
      lengths.append(tokens.count)
      #expect(tokens[0] == 51 && (52...53).contains(tokens[1]) && tokens.last == tokens[1])
      #expect(tokens[tokens.count - 2] == 50 && tokens[2..<tokens.count - 2].allSatisfy { $0 < 50 })
    }
    #expect(lengths.min() == 54 && lengths.max()! <= task.longest && task.longest == 50 + 250 + 4)
    #expect(abs(Double(lengths.reduce(0, +)) / 4000 - 63) < 0.6)
    #expect(abs(Double(lengths.count { $0 == 54 }) / 4000 - 0.1) < 0.02)
  }

  @Test func anExampleDependsOnTaskSeedAndIndexAlone() throws {
    let adding = try MarkedPairs(.adding, shortest: 100)
    #expect(adding.example(seed: 1, index: 5).values == adding.example(seed: 1, index: 5).values)
    #expect(adding.example(seed: 1, index: 5).values != adding.example(seed: 1, index: 6).values)
    #expect(adding.example(seed: 1, index: 5).values != adding.example(seed: 2, index: 5).values)
    #expect(TemporalOrder.two.example(seed: 1, index: 9) == TemporalOrder.two.example(seed: 1, index: 9))
    #expect(TemporalOrder.two.example(seed: 1, index: 9) != TemporalOrder.two.example(seed: 1, index: 10))
  }

  @Test func parametersThatCannotWorkAreRefused() {
    for make in [
      { _ = try MarkedPairs(.adding, shortest: 21) }, { _ = try MarkedPairs(.adding, shortest: .max) },
      { _ = try DistantSymbol(.regular, p: 1) }, { _ = try DistantSymbol(.random, p: .max) },
      { _ = try DistantSymbol(.randomLength(least: 0), p: 5) },
      { _ = try DistantSymbol(.randomLength(least: 5), p: 0) },
    ] as [() throws -> Void] {
      let error = #expect(throws: Problem.self) { try make() }
      #expect(error?.exitCode == 78)
    }
  }

  @Test func heldOutSequencesComeOnceEachAndTrainingSequencesNever() {
    let example: GeneratedBatches<Int32>.Generator = { index in
      GeneratedExample((0...index % 3).map { Int32(index + $0) }, label: Int32(index))
    }
    func labels(_ source: GeneratedBatches<Int32>, step: Int, lanes: Range<Int>) -> [Int32] {
      let batch = SequenceBatch.allocate(timesteps: 4, lanes: lanes.count, inputs: .tokens, targets: .pooled)
      defer { batch.deallocate() }
      batch.tokens.update(repeating: 7)
      source.fill(step: step, lanes: lanes, batch: batch)
      for lane in 0..<lanes.count {
        let (length, label) = (Int(batch.lengths[lane]), batch.targets[lane])
        let column = (0..<4).map { batch.tokens[$0 * lanes.count + lane] }
        #expect(Array(column[..<length]) == (label == noTarget ? [] : example(Int(label)).elements))
        #expect(column[length...].allSatisfy { $0 == 0 })
      }
      return Array(batch.targets)
    }
    let heldOut = GeneratedBatches(0..<8, globalBatch: 5, timesteps: 4, example: example)
    #expect(heldOut.stepsPerEpoch == 2 && (0..<4).map(heldOut.targetCount) == [5, 3, 5, 3])
    #expect(labels(heldOut, step: 0, lanes: 0..<5) == [0, 1, 2, 3, 4])
    #expect(labels(heldOut, step: 1, lanes: 1..<5) == [6, 7, -1, -1] && heldOut.indices(atStep: 3) == [5, 6, 7])
    let training = GeneratedBatches(8..<Int.max, globalBatch: 5, timesteps: 4, example: example)
    for step in [0, 1, 1000] {
      let whole = labels(training, step: step, lanes: 0..<5)
      #expect(whole == (0..<5).map { Int32(8 + 5 * step + $0) })
      #expect(labels(training, step: step, lanes: 2..<4) == Array(whole[2..<4]))
    }
  }

  @Test func everyNextSymbolOfACopyTaskIsATarget() throws {
    let task = try DistantSymbol(.random, p: 5)
    let source = GeneratedBatches(3..<6, globalBatch: 2, timesteps: 5, targets: 5) {
      GeneratedExample(next: task.example(seed: 1, index: $0))
    }
    #expect(source.stepsPerEpoch == 2 && (0..<3).map(source.targetCount) == [10, 5, 10])
    let batch = SequenceBatch.allocate(timesteps: 5, lanes: 2, inputs: .tokens, targets: .everyStep)
    defer { batch.deallocate() }
    source.fill(step: 1, lanes: 0..<2, batch: batch)
    let tokens = task.example(seed: 1, index: 5)
    #expect((0..<5).map { batch.tokens[2 * $0] } == Array(tokens.dropLast()) && Array(batch.lengths) == [5, 0])
    #expect((0..<5).map { batch.targets[2 * $0] } == Array(tokens.dropFirst()))
    #expect((0..<5).allSatisfy { batch.targets[2 * $0 + 1] == noTarget })
  }

  @Test func numbersAreLaidOutTimestepByTimestepWithTheirTargets() throws {
    let task = try MarkedPairs(.adding, shortest: 22)
    let source = GeneratedBatches<Float>(0..<3, globalBatch: 4, timesteps: 24, width: 2) { index in
      let (values, target) = task.example(seed: 1, index: index)
      return GeneratedExample(values, values: [target])
    }
    let batch = SequenceBatch.allocate(timesteps: 24, lanes: 3, inputs: .numbers(2), targets: .pooledNumbers(1))
    defer { batch.deallocate() }
    batch.numbers.update(repeating: 5)
    batch.values.update(repeating: 5)
    source.fill(step: 0, lanes: 1..<4, batch: batch)
    for lane in 0..<3 {
      let (values, target) = lane < 2 ? task.example(seed: 1, index: lane + 1) : ([], .nan)
      #expect(batch.lengths[lane] == values.count / 2 && batch.targets.isEmpty)
      #expect(lane == 2 ? batch.values[lane].isNaN : batch.values[lane] == target)
      for t in 0..<24 {
        for i in 0..<2 {
          let place = 2 * t + i
          #expect(batch.numbers[(t * 3 + lane) * 2 + i] == (place < values.count ? values[place] : 0))
        }
      }
    }
  }
}
