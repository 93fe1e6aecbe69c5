import Files
import Foundation
import Problems
import Sequences

func dataReaders() -> [Reader.Kind] {
  [
    (
      "series", [Array(series.utf8)],
      { bytes, _ in
        let series = try TimeSeriesFile.read(bytes: bytes, name: "fuzz")
        return keepsPromises(series) && series.elements.allSatisfy(\.isFinite)
      }
    ),
    ("CSV", [Array(table.utf8)], { bytes, _ in try readTexts(bytes, separator: .comma) }),
    ("TSV", [Array(table.replacing(",", with: "\t").utf8)], { bytes, _ in try readTexts(bytes, separator: .tab) }),
    (
      "numbers", [Array(numbers.utf8)],
      { bytes, _ in
        let ruled = try? NumberTable(bytes: bytes, columns: ["day:categories", "x:cycle=7", "day:year"], name: "fuzz")
        guard ruled?.values.allSatisfy({ $0.isNaN || abs($0) <= 1 }) != false else { return false }
        let table = try NumberTable(bytes: bytes, columns: ["x", "y"], name: "fuzz")
        for rule in MissingValues.allCases where rule != .error || table.holes == 0 {
          let filled = try table.filled(rule, trainingRows: 0..<table.rows)
          guard filled.rows > 0, filled.values.count == 2 * filled.rows, filled.values.allSatisfy(\.isFinite) else {
            return false
          }
        }
        return true
      }
    ),
    (
      "WAV", wavFiles,
      { bytes, _ in
        let clip = try WAVFile.decode(bytes, name: "fuzz")
        return clip.rate > 0 && !clip.samples.isEmpty && clip.samples.count <= bytes.count
          && clip.samples.allSatisfy(\.isFinite)
      }
    ),
    (
      "FLAC", [flacFile, Array("ID3\u{4}\0\0\0\0\0\u{3}abc".utf8) + flacFile],
      { bytes, _ in
        let clip = try AudioFile.decode(bytes, name: "fuzz")
        return clip.rate > 0 && !clip.samples.isEmpty && clip.samples.allSatisfy(\.isFinite)
      }
    ),
    (
      "NPY", npyFiles,
      { bytes, _ in
        let table = try NumberTable(bytes: bytes, name: "fuzz")
        return table.rows > 0 && table.values.count == table.rows * table.columns.count
          && table.values.count <= bytes.count && !table.values.contains(where: \.isInfinite)
      }
    ),
    (
      "piano rolls",
      [
        #"{"train": [[[60, 21], [], [108]]], "valid": [[[60], [61]]], "test": [[[62], [62]]]}"#,
        "{\"x\": [NaN],\n\"train\": [[[60, 60], [60.5]]], \"train\": []}",
      ].map { Array($0.utf8) },
      { bytes, _ in
        let rolls = try PianoRolls(json: bytes, name: "fuzz")
        return [rolls.training, rolls.validation, rolls.test].allSatisfy { part in
          !part.isEmpty && part.allSatisfy { $0.count >= 2 && $0.allSatisfy { $0.allSatisfy { $0 < 88 } } }
        }
      }
    ),
    (
      "word vectors",
      [
        Array("3 2\nthe .5 -1e2\nrain 2 3\r\nété 4 5".utf8), Array("the 1 2\n  3 4\nthe 5 6\n\n".utf8),
        Array("1 2\nthe ".utf8) + [0, 0, 0x80, 0x3F, 0, 0, 0, 0x40],
      ],
      { bytes, folder in
        try folder.put(bytes, "vectors.txt")
        let vocabulary = try Vocabulary(kind: .words, entries: ["<unk>", "the", "été", "rain"])
        let vectors = try WordVectors(path: folder.path + "/vectors.txt", vocabulary: vocabulary, width: 2)
        return vectors.values.count == 2 * vectors.tokens.count && Set(vectors.tokens).count == vectors.tokens.count
          && vectors.values.allSatisfy(\.isFinite) && vectors.tokens.allSatisfy { (0..<4).contains($0) }
      }
    ),
    (
      "class files",
      [
        Array("\u{FEFF}one two\r\nthree\n\né".utf8), Array("one\rtwo\r".utf8), [0x6F, 0, 0x6E, 0, 0x65, 0, 0x0A, 0],
        gzip,
      ],
      { bytes, folder in
        try FileManager.default.createDirectory(atPath: folder.path + "/classes", withIntermediateDirectories: true)
        try folder.put(Array("a\n".utf8), "classes/fuzz-x.txt")
        try folder.put(bytes, "classes/fuzz-y.txt")
        let pattern = try NamePattern("fuzz-{class}.txt")
        let whole = try? LabelledTexts.classFiles(
          folder: folder.path + "/classes", pattern: pattern, unit: .files, tokens: .bytes)
        guard whole.map({ keepsPromises($0) && $0.count == 2 }) != false else { return false }
        return keepsPromises(
          try LabelledTexts.classFiles(folder: folder.path + "/classes", pattern: pattern, tokens: .words))
      }
    ),
    (
      "tagged words",
      ["\u{FEFF}the D\nrain N\r\n\r\n \nété\tN\n", "a 1 X\nb 2 Y\n\nc 3 X", universal].map { Array($0.utf8) },
      { bytes, _ in
        let unlabelled = try TaggedWords.unlabelled(of: [("fuzz", bytes), ("fuzz", bytes)])
        guard keepsLengths(unlabelled) else { return false }
        let other = TaggedColumns(word: "1", label: "2", comment: "%")
        if let words = try? TaggedWords.conll(bytes: bytes, columns: other, name: "fuzz"), !keepsLengths(words) {
          return false
        }
        return keepsLengths(try TaggedWords.conll(bytes: bytes, name: "fuzz"))
      }
    ),
    (
      "texts to predict",
      ["id,text\n7,hello\n", "sep=;\n\"text\";n\na;1\n", "a text\nof lines\n"].map { Array($0.utf8) },
      { bytes, _ in
        let vocabulary = #"{"kind":"words","entries":["<unk>","hello"]}"#
        let json = #"{"classes":["a","b"],"trainingCounts":[1,1],"vocabulary":\#(vocabulary)}"#
        let encoding = try ClassifierEncoding(json: Data(json.utf8), name: "fuzz")
        let form = LabelledFiles.table(textColumn: "text", labelColumn: "label")
        return try encoding.input(of: [("fuzz", bytes)], form: form).lengths.allSatisfy { $0 >= 1 }
      }
    ),
    (
      "pattern", ["data/{class}/*.wav", "*_{class}_*.txt"].map { Array($0.utf8) },
      { bytes, _ in
        let pattern = try NamePattern(String(decoding: bytes, as: UTF8.self))
        let names = ["data/a/b.wav", "x_y_z.txt", "", "/", "a*b{class}", String(decoding: bytes, as: UTF8.self)]
        return names.allSatisfy { pattern.className(in: $0) == nil || pattern.matches($0) }
      }
    ),
    (
      "file kind",
      [gzip, Array("PK\u{3}\u{4}xl/".utf8), [0x80, 4, 0x95, 0], Array("(lp0\nI1\n".utf8), Array("ID3 is text".utf8)],
      { bytes, _ in
        let remedy = TextEncoding.remedy(bytes, wrongAt: bytes.count / 2)
        if let kind = FileKind(bytes) { throw Problem.data("named — expected text, got \(kind.name) (fuzz)") }
        return !remedy.isEmpty && TextEncoding.wide(bytes)?.hasPrefix("UTF-") != false
      }
    ),
    (
      "vocabulary", vocabularies.map { Array($0.utf8) },
      { bytes, _ in
        let vocabulary = try Vocabulary(json: Data(bytes), name: "fuzz")
        return try Vocabulary(json: vocabulary.json(), name: "fuzz") == vocabulary && vocabulary.count > 0
      }
    ),
    (
      "text", [Array("The rain, été 漢字\nfalls <unk> \u{1F600}e\u{301}\r\n".utf8)],
      { bytes, _ in
        try [TokenKind.characters, .words, .bytes].allSatisfy { kind in
          let vocabulary = try Vocabulary.build(from: bytes, kind: kind, maximum: 7, name: "fuzz")
          let tokens = try vocabulary.encode(bytes: bytes, name: "fuzz")
          return tokens.allSatisfy { (0..<Int32(vocabulary.count)).contains($0) } && !vocabulary.decode(tokens).isEmpty
        }
      }
    ),
  ]
}

/// CoNLL-U with a comment, a range, an empty node, and a word with a blank.
private let universal =
  "# text = du 10 000\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n"
  + [("1", "de", "ADP"), ("2", "le", "DET"), ("2.1", "x", "X"), ("3", "10 000", "NUM")].map { id, form, tag in
    "\(id)\t\(form)\t_\t\(tag)\t_\t_\t0\troot\t_\t_\n"
  }.joined() + "\n-DOCSTART-\n"
private let gzip: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0x4B, 0xE4, 2, 0]
private let series =
  "#c\n@problemName p\n@timeStamps false\n@dimensions 2\n@equalLength false\n@classLabel true a b c\n@data\n"
  + "1.5,2,3:4,-5e1,6:a\n1,2:.5,4:b\n0.25:7:c\n"
private let table = "text,label,n\nplain,a,1\n\"quoted\",b,2\r\n\"twice \"\"it\"\" is\",a,3\nlast é,b,4"
private let numbers = "day,x,y\n2020,1,2.5\r\n2021,NA,3\n2022,-4e2,\n2023,5,6\n"
private let vocabularies = [
  #"{"entries":["<unk>","a","é","\u0000","漢"],"kind":"characters"}"#,
  #"{"kind":"words","entries":["<unk>","the","rain"]}"#,
  #"{"entries":[],"kind":"bytes"}"#, #"{"entries":["B","T","P"],"kind":"symbols"}"#,
]

private func readTexts(_ bytes: [UInt8], separator: TableForm.Separator) throws -> Bool {
  keepsPromises(
    try .table(
      bytes: bytes, form: TableForm(separator: separator), textColumn: "text", labelColumn: "label", name: "fuzz"))
}

private func keepsLengths<Element>(_ sequences: LabelledSequences<Element>) -> Bool {
  sequences.count > 0 && sequences.elements.count == sequences.lengths.reduce(0, +) * sequences.width
    && sequences.lengths.allSatisfy { $0 >= 1 }
}

private func keepsPromises<Element>(_ sequences: LabelledSequences<Element>) -> Bool {
  keepsLengths(sequences) && sequences.classes.count >= 2
    && sequences.labels.allSatisfy { sequences.classes.indices.contains(Int($0)) }
}

/// Small arrays of NumPy in the forms that are read.
private let npyFiles: [[UInt8]] = [
  npy("<f4", "(2, 3)", [UInt8](repeating: 0x3F, count: 24)), npy(">i2", "(4,)", Array(0..<8)),
  npy("<f2", "(3L,)", [0, 0x3C, 1, 0, 0xFF, 0x7B]), npy("<M8[D]", "(1,)", Array(0..<8)),
  npy("|u1", "(2, 2)", [1, 2, 3, 4], order: "True"), npy("<f8", "(1, 1)", [0, 0, 0, 0, 0, 0, 0xF0, 0x3F]),
]

private func npy(_ kind: String, _ shape: String, _ values: [UInt8], order: String = "False") -> [UInt8] {
  let header = Array("{'descr': '\(kind)', 'fortran_order': \(order), 'shape': \(shape), }\n".utf8)
  return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(header.count), 0] + header + values
}

// MARK: Sound

/// FLAC: 24 samples of two channels and 16 bits, as libsndfile 1.2 writes them.
private let flacFile = [UInt8](
  Data(
    base64Encoded:
      "ZkxhQwAAACIQABAAAAAsAAAsAfQC8AAAABhqfIt5f6bkwpec8eO72eC4hAAAKCAAAAByZWZlcmVuY2UgbGliRkxBQyAxLjQuMiAy"
      + "MDIyMTAyMgAAAAD/+GQYABckFf4MA0YdPnhw4eoAPoPnhw4cUA5cC9Qwhw4e30D5+AAOHDhygw==")!)

/// A file of every sample format, one or two channels, with and without the extensible header.
private let wavFiles: [[UInt8]] = [
  wav(tag: 1, bits: 8, channels: 1, isExtensible: false), wav(tag: 1, bits: 16, channels: 2, isExtensible: false),
  wav(tag: 1, bits: 24, channels: 1, isExtensible: true), wav(tag: 3, bits: 32, channels: 2, isExtensible: true),
  wav(tag: 3, bits: 64, channels: 1, isExtensible: false),
]

private func wav(tag: Int, bits: Int, channels: Int, isExtensible: Bool) -> [UInt8] {
  func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
  func chunk(_ kind: String, _ body: [UInt8]) -> [UInt8] { Array(kind.utf8) + little(body.count, 4) + body }
  let frame = channels * bits / 8
  var format = little(isExtensible ? 0xFFFE : tag, 2) + little(channels, 2) + little(8000, 4)
  format += little(8000 * frame, 4) + little(frame, 2) + little(bits, 2)
  if isExtensible {
    format += little(22, 2) + little(bits, 2) + little(0, 4) + little(tag, 2)
    format += [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71]
  }
  let samples: [UInt8] = (0..<24).flatMap { number -> [UInt8] in
    let value = Float(number) / 32
    switch (tag, bits) {
    case (3, 32): return little(Int(value.bitPattern), 4)
    case (3, _): return little(Int(Double(value).bitPattern), 8)
    default: return little(number << (bits - 6), bits / 8)
    }
  }
  let body = Array("WAVE".utf8) + chunk("fmt ", format) + chunk("data", samples)
  return Array("RIFF".utf8) + little(body.count, 4) + body
}
