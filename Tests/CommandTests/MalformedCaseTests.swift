import Files
import Foundation
import TestSupport
import Testing

/// The entries of a safetensors header, made by hand so that each can be wrong in its own way.
private struct CaseFile {
  struct Entry {
    var name: String
    var dtype = "F32"
    var shape: [Int]
    var offsets: [Int]
  }

  var entries: [Entry] = []
  var dataBytes = 0

  /// T 2, B 3, D 4, H 5: every weight, and an initial state.
  init() {
    for (name, shape) in [
      ("x", [2, 3, 4]), ("h0", [1, 3, 5]), ("weight_ih_l0", [20, 4]), ("weight_hh_l0", [20, 5]), ("bias_ih_l0", [20]),
      ("bias_hh_l0", [20]),
    ] {
      add(name, shape)
    }
  }

  mutating func add(_ name: String, _ shape: [Int], dtype: String = "F32", width: Int = 4) {
    let end = dataBytes + shape.reduce(width, *)
    entries.append(Entry(name: name, dtype: dtype, shape: shape, offsets: [dataBytes, end]))
    dataBytes = end
  }

  /// Leaves out a tensor, and puts in another one that has its bytes.
  mutating func replace(_ name: String, by other: String? = nil, dtype: String? = nil, shape: [Int]? = nil) {
    let place = entries.firstIndex { $0.name == name }!
    entries[place].name = other ?? name
    entries[place].dtype = dtype ?? entries[place].dtype
    entries[place].shape = shape ?? entries[place].shape
  }

  /// A file without one of the tensors.
  func without(_ name: String) -> CaseFile {
    var result = self
    (result.entries, result.dataBytes) = ([], 0)
    for entry in entries where entry.name != name { result.add(entry.name, entry.shape) }
    return result
  }

  var header: String {
    let members = entries.map { entry in
      "\"\(entry.name)\":{\"dtype\":\"\(entry.dtype)\",\"shape\":\(entry.shape),\"data_offsets\":\(entry.offsets)}"
    }
    return "{" + members.joined(separator: ",") + "}"
  }

  var bytes: [UInt8] { file(header: header, length: header.utf8.count) }

  func file(header: String, length: Int) -> [UInt8] {
    (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
      + [UInt8](repeating: 0, count: dataBytes)
  }
}

extension Commands {
  /// Files that are no case for `gradients`.
  struct MalformedCaseTests {
    private static let command = ["gradients", "--input", "case", "--output", "out"]

    private func expectRefusal(
      _ words: [String], ranks: [Int?] = [nil, 3], sourceLocation: SourceLocation = #_sourceLocation,
      _ change: (inout CaseFile) -> Void
    ) throws {
      var file = CaseFile()
      change(&file)
      try expectRefusal(file.bytes, words, ranks: ranks, sourceLocation: sourceLocation)
    }

    private func expectRefusal(
      _ bytes: [UInt8], _ words: [String], ranks: [Int?] = [nil, 3], sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      try Workspace.run { workspace in
        try workspace.put(bytes, "case")
        try workspace.expectRefusal(
          Self.command, exitCode: 65, words + [" — expected ", ", got ", "case"], ranks: ranks,
          sourceLocation: sourceLocation)
      }
    }

    /// Without this the other tests would prove nothing.
    @Test func theCaseThatTheyAreMadeFromIsSound() throws {
      try Workspace.run { workspace in
        try workspace.put(CaseFile().bytes, "case")
        try workspace.output(Self.command, ranks: 3)
        #expect(try TensorReader(try workspace.get("out")).tensors["dx"]?.shape == [2, 3, 4])
      }
    }

    // MARK: Not a safetensors file

    @Test func aTruncatedFileIsRefused() throws {
      let bytes = CaseFile().bytes
      try expectRefusal(bytes.dropLast(), ["outside of the file"])
      try expectRefusal(Array(bytes.prefix(100)), ["header is longer than the file"])
      try expectRefusal(Array(bytes.prefix(5)), [], ranks: [nil])
      try expectRefusal([], [], ranks: [nil])
    }

    @Test func aHeaderThatIsLongerThanTheFileIsRefused() throws {
      let file = CaseFile()
      for length in [file.bytes.count, 1 << 40, -1] {
        try expectRefusal(file.file(header: file.header, length: length), ["header is longer than the file"])
      }
    }

    @Test func aHeaderThatIsNotJSONIsRefused() throws {
      let file = CaseFile()
      let header = file.header.dropLast() + ","
      try expectRefusal(file.file(header: String(header), length: header.utf8.count), ["malformed"])
    }

    @Test func bytesBehindTheLastTensorAreRefused() throws {
      try expectRefusal(CaseFile().bytes + [0], ["belong to no tensor"])
    }

    @Test func overlappingOffsetsAreRefused() throws {
      try expectRefusal(["overlaps", "bias_hh_l0"]) { file in file.entries[5].offsets = [720, 800] }
    }

    @Test func offsetsOutsideOfTheFileAreRefused() throws {
      try expectRefusal(["outside of the file", "bias_hh_l0"]) { file in
        file.entries[5].offsets = [1 << 40, (1 << 40) + 80]
      }
    }

    @Test func offsetsThatDoNotFitTheShapeAreRefused() throws {
      try expectRefusal(["does not fit the shape", "h0"]) { file in file.replace("h0", shape: [1, 3, 6]) }
      try expectRefusal(["overflows", "h0"]) { file in file.replace("h0", shape: [1 << 40, 1 << 40]) }
    }

    @Test func duplicateNamesAreRefused() throws {
      try expectRefusal(["x"]) { file in file.add("x", [2, 3, 4]) }
    }

    // MARK: Not a case

    @Test func aWrongDtypeIsRefused() throws {
      try expectRefusal(["another dtype — expected F32 or F64, got I32", "\"weight_hh_l0\""]) { file in
        file.replace("weight_hh_l0", dtype: "I32")
      }
      try expectRefusal(["dtype", "\"x\""]) { file in file.replace("x", dtype: "F99") }
    }

    @Test(arguments: ["x", "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"])
    func aMissingTensorIsRefused(name: String) throws {
      try expectRefusal(CaseFile().without(name).bytes, ["tensor", name])
    }

    @Test(arguments: [
      ("x", [6, 4]), ("x", [2, 4, 3]), ("h0", [3, 1, 5]), ("weight_ih_l0", [4, 20]), ("weight_hh_l0", [5, 20]),
      ("weight_hh_l0", [100]), ("bias_ih_l0", [4, 5]), ("bias_hh_l0", [20, 1]),
    ])
    func aWrongShapeIsRefused(name: String, shape: [Int]) throws {
      try expectRefusal(["shape — expected ["], ranks: [name == "h0" ? 3 : nil]) { file in
        file.replace(name, shape: shape)
      }
    }

    @Test func sizesOfZeroAreRefused() throws {
      try expectRefusal(["x has another shape — expected [T, B, D], none of them 0, got [2, 0, 4]"]) { file in
        file = file.without("x").without("h0")
        file.add("x", [2, 0, 4])
      }
      try expectRefusal(["weight_hh_l0"]) { file in
        file = file.without("weight_hh_l0")
        file.add("weight_hh_l0", [0, 0])
      }
    }

    @Test func anUnknownTensorIsRefused() throws {
      try expectRefusal(["not part of a case", "h1"]) { file in file.replace("h0", by: "h1") }
      try expectRefusal(["not part of a case", "weight_ih_l2"]) { file in file.add("weight_ih_l2", [20, 5]) }
    }

    /// 8 MB of file, for which dy alone would have 2 GB.
    @Test(arguments: [nil, 2]) func aCaseThatAsksForMoreMemoryThanThereIsIsRefused(ranks: Int?) throws {
      var file = CaseFile()
      (file.entries, file.dataBytes) = ([], 0)
      for (name, shape) in [
        ("x", [1000, 1000, 1]), ("weight_ih_l0", [2048, 1]), ("weight_hh_l0", [2048, 512]), ("bias_ih_l0", [2048]),
        ("bias_hh_l0", [2048]),
      ] {
        file.add(name, shape)
      }
      try Workspace.run { workspace in
        try workspace.put(file.bytes, "case")
        let launcher = ranks.map { "mpirun --oversubscribe --timeout 60 -np \($0) " } ?? ""
        let outcome = try Launcher.run(
          ["bash", "-c", "ulimit -v 1500000 && exec \(launcher)\"$0\" \"$@\""]
            + [Launcher.builtExecutable("lstm-dist").path] + Self.command,
          workingDirectory: workspace.url, timeoutSeconds: 90)
        #expect(outcome.jobExitCode == 78 && outcome.errorLines.count == 1, "\(outcome)")
        #expect(outcome.errors.contains("error: case does not fit — expected at most "), "\(outcome)")
        #expect(outcome.errors.contains("hint: give it fewer sequences"), "\(outcome)")
      }
    }

    // MARK: Files

    @Test func filesThatAreNotThereAreRefused() throws {
      try Workspace.run { workspace in
        try workspace.expectRefusal(Self.command, exitCode: 74, ["case"])
        try workspace.expectRefusal(["gradients", "--input", ".", "--output", "out"], exitCode: 74, [" — expected "])
        try workspace.put(CaseFile().bytes, "case")
        try workspace.expectRefusal(["gradients", "--input", "case", "--output", "no/out"], exitCode: 74, ["no"])
      }
    }
  }
}
