import SafeTensors
import TestSupport
import Testing

@Suite struct TensorFileTests {
  @Test func writtenBytesAreThoseOfAFileMadeByHand() throws {
    try withDirectory { directory in
      let path = directory + "/a.safetensors"
      let digest = try TensorFileWriter.write(
        [
          TensorSource(name: "weight", shape: [1, 2], values: [Float(1), -2]),
          TensorSource(name: "Scalar", shape: [], values: [Int64(7)]),
        ], to: path)
      var header = #"{"__metadata__":{"format":"pt"},"Scalar":{"dtype":"I64","shape":[],"data_offsets":[0,8]},"#
      header += #""weight":{"dtype":"F32","shape":[1,2],"data_offsets":[8,16]}}"#
      while header.utf8.count % 8 != 0 { header += " " }
      let expected =
        [UInt8(header.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + [7, 0, 0, 0, 0, 0, 0, 0]
        + [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]
      #expect(try get(path) == expected)
      #expect(digest.length == expected.count)
      #expect(try list(directory) == ["a.safetensors"])
    }
  }

  @Test func everyElementTypeComesBackBitForBit() throws {
    try withDirectory { directory in
      let path = directory + "/a.safetensors"
      let floats: [Float] = [.pi, -0, .infinity, .leastNonzeroMagnitude, 1e38, 5]
      try TensorFileWriter.write(
        [
          TensorSource(name: "f", shape: [2, 3], values: floats),
          TensorSource(name: "d", shape: [1], values: [Double.pi]),
          TensorSource(name: "i", shape: [2], values: [Int32.min, 3]),
          TensorSource(name: "u", shape: [1], values: [UInt64.max]),
          TensorSource(name: "odd", shape: [3], values: [1, 2, 255] as [UInt8]),
          TensorSource(name: "none", shape: [0, 5], values: [Float]()),
        ], metadata: ["note": "quote \" and\nline"], to: path)
      let file = try TensorFile(path: path)
      #expect(file.tensors.map(\.name) == ["d", "f", "i", "none", "odd", "u"])
      #expect(file.metadata == ["format": "pt", "note": "quote \" and\nline"])
      #expect(try file.values("f", as: Float.self, shape: [2, 3]).map(\.bitPattern) == floats.map(\.bitPattern))
      #expect(try file.values("d", as: Double.self) == [.pi])
      #expect(try file.values("i", as: Int32.self) == [.min, 3])
      #expect(try file.values("u", as: UInt64.self) == [.max])
      #expect(try file.values("odd", as: UInt8.self) == [1, 2, 255])
      #expect(try file.values("none", as: Float.self, shape: [0, 5]).isEmpty)
      #expect(file.contains("odd") && !file.contains("even"))
    }
  }

  /// For readers that map the file.
  @Test func everyTensorBeginsAtAMultipleOfItsElementsSize() throws {
    try withDirectory { directory in
      let path = directory + "/a.safetensors"
      try TensorFileWriter.write(
        [
          TensorSource(name: "a", shape: [9], values: [UInt8](repeating: 1, count: 9)),
          TensorSource(name: "b", shape: [3], values: [Float](repeating: 1, count: 3)),
          TensorSource(name: "c", shape: [], values: [1.5]), TensorSource(name: "d", shape: [1], values: [Int32(1)]),
          TensorSource(name: "e", shape: [2], values: [Int64(1), 2]),
        ], to: path)
      let tensors = try TensorFile(path: path).tensors
      for tensor in tensors { #expect(tensor.byteRange.lowerBound % tensor.dtype.byteCount == 0, "\(tensor)") }
      let inFile = tensors.sorted { $0.byteRange.lowerBound < $1.byteRange.lowerBound }
      #expect(inFile.map(\.name) == ["c", "e", "b", "d", "a"])
    }
  }

  @Test func bytesInPiecesMakeTheSameFileAsAtOnce() throws {
    try withDirectory { directory in
      let values = (0..<300_000).map { Float($0) }
      let whole = try TensorFileWriter.write(
        [TensorSource(name: "x", shape: [300, 1000], values: values)], to: directory + "/whole")
      let pieces = try TensorFileWriter.write(
        [
          TensorSource(name: "x", dtype: .float32, shape: [300, 1000]) { write in
            for row in 0..<300 { try values[row * 1000..<row * 1000 + 1000].withUnsafeBytes { try write($0) } }
          }
        ], to: directory + "/pieces")
      #expect(whole == pieces)
      #expect(
        try TensorFile(path: directory + "/pieces").values("x", as: Double.self, converting: true).last == 299_999)
    }
  }

  @Test func conversionBetweenFloatAndDoubleHappensOnlyWhenAskedFor() throws {
    try withDirectory { directory in
      let path = directory + "/a"
      try TensorFileWriter.write(
        [
          TensorSource(name: "f", shape: [1], values: [Float(0.1)]),
          TensorSource(name: "d", shape: [1], values: [0.1]),
          TensorSource(name: "i", shape: [1], values: [Int64(1)]),
        ], to: path)
      let file = try TensorFile(path: path)
      #expect(try file.values("d", as: Float.self, converting: true) == [Float(0.1)])
      #expect(try file.values("f", as: Double.self, converting: true) == [Double(Float(0.1))])
      #expect(
        failure { _ = try file.values("d", as: Float.self) }?.message
          == "tensor has another dtype — expected F32, got F64 (\(path), tensor \"d\")")
      #expect(
        failure { _ = try file.values("i", as: Float.self, converting: true) }?.message
          == "tensor has another dtype — expected F32 or F64, got I64 (\(path), tensor \"i\")")
      #expect(
        failure { _ = try file.values("f", as: Float.self, shape: [1, 1]) }?.message
          == "tensor has another shape — expected [1, 1], got [1] (\(path), tensor \"f\")")
      #expect(
        failure { _ = try file.values("g", as: Float.self) }?.message
          == "tensor is missing — expected \"g\", got none of that name (\(path))")
    }
  }

  @Test func parametersSHA256IsOverTheDataInByteOrderOfNames() throws {
    try withDirectory { directory in
      let path = directory + "/a"
      // SHA-256 of the twelve bytes of 0.5, 1, −2, found with another program.
      let expected = "090a217d025391becd6919d10cd2e5cf6b1247e18e9d498b989ee22126ec12dd"
      try TensorFileWriter.write(
        [
          TensorSource(name: "b", shape: [2], values: [Float(1), -2]),
          TensorSource(name: "Z", shape: [1], values: [Float(0.5)]),
        ], to: path)
      #expect(try TensorFile(path: path).parametersSHA256() == expected)
      // The same tensors, stored in the other order.
      let header =
        #"{"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"Z":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#
      let data: [UInt8] = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f]
      try put(file(header: header.utf8, dataBytes: 0) + data, path)
      #expect(try TensorFile(path: path).parametersSHA256() == expected)
      try TensorFileWriter.write([TensorSource(name: "d", shape: [1], values: [1.0])], to: path)
      #expect(failure { _ = try TensorFile(path: path).parametersSHA256() }?.exitCode == 65)
    }
  }

  @Test func aFailedWriteLeavesTheOldFile() throws {
    struct Stop: Error {}
    try withDirectory { directory in
      let path = directory + "/a"
      try put([1, 2, 3], path)
      #expect(throws: Stop.self) {
        try TensorFileWriter.write(
          [TensorSource(name: "x", dtype: .uint8, shape: [1]) { _ in throw Stop() }], to: path)
      }
      #expect(try get(path) == [1, 2, 3])
      #expect(try list(directory) == ["a"])
      let error = failure { try TensorFileWriter.write([], to: directory + "/none/a") }
      #expect(error?.exitCode == 74)
      #expect(error?.message.contains("nothing of that name") == true)
    }
  }
}
