import Randomness
import Sequences
import Testing

/// Files changed at random: every reader gives a result that keeps its promises, or one error that names the file.
@Suite("Readers under random changes")
struct ReaderFuzzTests {
  /// Pieces that mean something to one of the readers.
  private let pieces: [[UInt8]] =
    [
      ",", ":", "\"", "\"\"", "\n", "\r", "\r\n", "\t", "@data", "@", "#", "?", "NA", "nan", "-", "1e999", "true", " ",
      "data", "fmt ",
    ]
    .map { Array($0.utf8) } + [[0], [0xFF], [0xFF, 0xFF, 0xFF, 0xFF], [0xEF, 0xBB, 0xBF], [0x80], [0, 0, 0, 0x80]]

  /// `original` with one to eight changes; half of them within the first `head` bytes.
  private func changed(_ original: [UInt8], head: Int, _ draws: inout PhiloxSequence) -> [UInt8] {
    var bytes = original
    for _ in 0...draws.below(8) {
      let end = draws.below(2) == 0 ? min(head, bytes.count) : bytes.count
      let start = draws.below(end + 1)
      let piece = pieces[draws.below(pieces.count)]
      switch draws.below(5) {
      case 0: bytes.insert(contentsOf: piece, at: start)
      case 1: bytes.removeSubrange(start..<min(start + 1 + draws.below(4), bytes.count))
      case 2: bytes.replaceSubrange(start..<min(start + piece.count, bytes.count), with: piece)
      case 3 where start < bytes.count: bytes[start] = UInt8(truncatingIfNeeded: draws.next())
      default: if draws.below(8) == 0 { bytes.removeSubrange(start...) }
      }
    }
    return bytes
  }

  /// Reads 4,000 changed files; both outcomes must occur, or the test tests nothing.
  private func fuzz(_ original: [UInt8], head: Int, _ read: ([UInt8]) throws -> Bool) throws {
    var draws = PhiloxSequence(seed: 11, purpose: .dataGeneration, step: head)
    var (results, errors) = (0, 0)
    for _ in 0..<4000 {
      do {
        #expect(try read(changed(original, head: head, &draws)))
        results += 1
      } catch let error as SequenceError {
        #expect(error.exitCode == 65 && error.message.contains("fuzz") && error.message.contains(" — "), "\(error)")
        errors += 1
      }
    }
    #expect(results > 50 && errors > 500, "\(results) results, \(errors) errors")
  }

  private func keepsPromises<Element>(_ sequences: LabelledSequences<Element>) -> Bool {
    sequences.count > 0 && sequences.classes.count >= 2
      && sequences.elements.count == sequences.lengths.reduce(0, +) * sequences.width
      && sequences.lengths.allSatisfy { $0 >= 1 }
      && sequences.labels.allSatisfy { sequences.classes.indices.contains(Int($0)) }
  }

  @Test("Series files")
  func series() throws {
    let text =
      "#c\n@problemName p\n@timeStamps false\n@dimensions 2\n@equalLength false\n@classLabel true a b c\n@data\n"
      + "1.5,2,3:4,-5e1,6:a\n1,2:.5,4:b\n0.25:7:c\n"
    try fuzz(Array(text.utf8), head: 110) { bytes in
      let series = try TimeSeriesFile.read(bytes: bytes, name: "fuzz")
      return keepsPromises(series) && series.elements.allSatisfy(\.isFinite)
    }
  }

  @Test("Tables of texts, with commas and with tabs")
  func texts() throws {
    for (tsv, delimiter) in [(false, ","), (true, "\t")] {
      let table = "text,label,n\nplain,a,1\n\"quoted\",b,2\r\n\"twice \"\"it\"\" is\",a,3\nlast é,b,4"
        .replacing(",", with: delimiter)
      try fuzz(Array(table.utf8), head: 20) { bytes in
        keepsPromises(
          try .table(bytes: bytes, isTSV: tsv, textColumn: "text", labelColumn: "label", name: "fuzz"))
      }
    }
  }

  @Test("Tables of numbers, with every rule for holes")
  func numbers() throws {
    let table = "day,x,y\n2020,1,2.5\r\n2021,NA,3\n2022,-4e2,\n2023,5,6\n"
    for rule in MissingValues.allCases {
      try fuzz(Array(table.utf8), head: 9) { bytes in
        let table = try NumberTable(bytes: bytes, columns: ["x", "y"], name: "fuzz")
        if rule == .error && table.holes > 0 { return table.rows > 0 }
        let filled = try table.filled(rule, trainingRows: 0..<table.rows)
        return filled.rows > 0 && filled.values.count == 2 * filled.rows && filled.values.allSatisfy(\.isFinite)
      }
    }
  }

  @Test("WAV files of every format")
  func wav() throws {
    for (tag, bits, channels, extensible) in [
      (1, 8, 1, false), (1, 16, 2, false), (1, 24, 1, true), (3, 32, 2, true), (3, 64, 1, false),
    ] {
      let wav = WAV(
        tag: tag, bits: bits, channels: channels, extensible: extensible, samples: (0..<24).map { Float($0) / 32 })
      try fuzz(wav.bytes, head: extensible ? 68 : 44) { bytes in
        let clip = try WAVFile.decode(bytes, name: "fuzz")
        return clip.rate > 0 && !clip.samples.isEmpty && clip.samples.count <= bytes.count
          && clip.samples.allSatisfy(\.isFinite)
      }
    }
  }

  @Test("Folders of texts")
  func folders() throws {
    let folder = try TestFolder()
    try folder.write("a\n".utf8, "fuzz-x.txt")
    let pattern = try NamePattern("fuzz-{class}.txt")
    var draws = PhiloxSequence(seed: 12, purpose: .dataGeneration)
    for _ in 0..<300 {
      try folder.write(changed(Array("\u{FEFF}one two\r\nthree\n\né".utf8), head: 8, &draws), "fuzz-y.txt")
      do {
        #expect(keepsPromises(try LabelledTexts.classFiles(folder: folder.path, pattern: pattern, tokens: .words)))
      } catch { #expect(error.exitCode == 65 && error.message.contains("fuzz-y.txt")) }
    }
  }
}
