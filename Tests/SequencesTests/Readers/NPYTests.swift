import Sequences
import Testing

@Suite struct NPYTests {
  private func table(_ bytes: [UInt8], columns: [String] = []) throws -> NumberTable {
    try NumberTable(bytes: bytes, columns: columns, name: "x.npy")
  }

  @Test(arguments: ["<", ">"])
  func everyTypeOfValuesIsReadInBothByteOrders(order: String) throws {
    let truth = [0, 1, 3, 100, 7, 5]
    for (kind, size) in [
      ("i2", 2), ("i4", 4), ("i8", 8), ("u2", 2), ("u4", 4), ("u8", 8), ("f4", 4), ("f8", 8), ("i1", 1), ("u1", 1),
    ] {
      let values = truth.flatMap { value -> [UInt8] in
        let bits =
          switch kind {
          case "f4": Int(Float(value).bitPattern)
          case "f8": Int(bitPattern: UInt(Double(value).bitPattern))
          default: value
          }
        return order == "<" ? WAV.little(bits, size) : WAV.little(bits, size).reversed()
      }
      let read = try table(npy("\(size == 1 ? "|" : order)\(kind)", "(3, 2)", values))
      #expect(read.values == truth.map { Double($0) } && read.columns == ["0", "1"] && read.rows == 3, "\(kind)")
    }
  }

  @Test func everyFormOfAnArrayIsRead() throws {
    #expect(try table(npy("|i1", "(2,)", [0xFF, 0x80])).values == [-1, -128])
    #expect(try table(npy("|b1", "(2,)", [1, 0])).columns == ["0"])
    #expect(try table(npy("|u1", "(2, 3)", [1, 4, 2, 5, 3, 6], order: "True")).values == [1, 2, 3, 4, 5, 6])
    #expect(try table(npy("|u1", "(2, 3)", [1, 2, 3, 4, 5, 6]), columns: ["2", "0"]).values == [3, 1, 6, 4])
    for version in [2, 3] { #expect(try table(npy("|u1", "(1, 1)", [9], version: version)).values == [9]) }
  }

  @Test func aValueThatIsNotANumberIsAHoleAsInATableOfText() throws {
    let read = try table(npy("<f4", "(3,)", [Float(1), .nan, 2].flatMap { WAV.little(Int($0.bitPattern), 4) }))
    #expect(read.holes == 1)
    expectBadData("missing value", "x.npy, row 2") { _ = try read.filled(.error, trainingRows: 0..<3) }
    #expect(try read.filled(.previous, trainingRows: 0..<3).values == [1, 1, 2])
  }

  @Test func headersThatLieAllocateNothingAndAreRefused() {
    func refuse(_ parts: String, _ bytes: [UInt8]) {
      expectBadData(parts, "x.npy") { _ = try table(bytes) }
    }
    refuse("not as long as its header says", npy("<f4", "(3, 2)", [UInt8](repeating: 0, count: 20)))
    refuse("not as long as its header says", npy("<f4", "(3, 2)", [UInt8](repeating: 0, count: 28)))
    refuse("not as long as its header says", npy("<f8", "(9223372036854775807, 2)", [0]))
    refuse("not as long as its header says", npy("<f8", "(2305843009213693952, 1)", [0]))
    refuse("shape of the array", npy("<f4", "(99999999999999999999, 2)", [0]))
    refuse("shape of the array", npy("<f4", "()", [0, 0, 0, 0]))
    refuse("one dimension or two, got (1, 1, 1)", npy("<f4", "(1, 1, 1)", [0, 0, 0, 0]))
    refuse("array is empty", npy("<f4", "(0, 4)", []))
    refuse("array is empty", npy("<f4", "(4, 0)", []))
    refuse("values of the array", npy("<f12", "(1,)", [UInt8](repeating: 0, count: 12)))
    refuse("values of the array", npy("|i4", "(1,)", [0, 0, 0, 0]))
    refuse("header of the array", npy("<c16,", "(1,)", []))
    refuse("header of the array", npy("|O8'', 'x': '", "(1,)", []))
    refuse("value is infinite", npy("<f4", "(1,)", WAV.little(Int(Float.infinity.bitPattern), 4)))
    refuse("value is infinite", npy("<f8", "(1,)", WAV.little(Int(bitPattern: UInt((-Double.infinity).bitPattern)), 8)))
    refuse("version 1.0, 2.0 or 3.0, got 4.0", npy("<f4", "(1,)", [0, 0, 0, 0], version: 4))
  }

  @Test func everyShortenedFileIsOneClearError() {
    let whole = npy("<f4", "(2, 2)", [UInt8](repeating: 0, count: 16))
    for count in 0..<whole.count {
      expectBadData("x.npy") { _ = try table(Array(whole.prefix(count))) }
    }
  }

  @Test func anArrayOf100000RowsIsRead() throws {
    #expect(try table(npy("|u1", "(100000, 3)", [UInt8](repeating: 7, count: 300_000))).rows == 100_000)
  }
}

/// A file as NumPy writes it, true or lying.
func npy(_ kind: String, _ shape: String, _ values: [UInt8], order: String = "False", version: Int = 1) -> [UInt8] {
  let header = Array("{'descr': '\(kind)', 'fortran_order': \(order), 'shape': \(shape), }\n".utf8)
  return [0x93] + Array("NUMPY".utf8) + [UInt8(version), 0] + WAV.little(header.count, version == 1 ? 2 : 4) + header
    + values
}
