import ExactMath
import Testing

struct XXHash64Tests {
  /// The values of xxHash itself for the beginnings of its test data.
  @Test(arguments: [
    (0, 0xEF46_DB37_51D8_E999 as UInt64), (1, 0xE934_A84A_DB05_2768), (4, 0x9136_A0DC_A574_57EE),
    (14, 0x8282_DCC4_994E_35C8), (222, 0xB641_AE8C_B691_C174),
  ])
  func theHashIsXXH64(count: Int, expected: UInt64) {
    var generator: UInt64 = 2_654_435_761
    let data = (0..<count).map { _ in
      defer { generator &*= 11_400_714_785_074_694_797 }
      return UInt8(generator >> 56)
    }
    #expect(data.withUnsafeBytes { XXHash64.hash($0) } == expected)
  }

  @Test func textsAndWordsAreTheirBytes() {
    #expect(XXHash64.hash("a") == 0xD24E_C4F1_A98C_6E5B)
    #expect(XXHash64.hash("abc") == 0x44BC_2CF5_AD77_0999)
    #expect(XXHash64.hash([0x64_63_62_61_64_63_62_61]) == XXHash64.hash("abcdabcd"))
    #expect(XXHash64.hash("abc", seed: 1) != XXHash64.hash("abc"))
  }

  /// Every bit of buffers that end in whole stripes, words, half words and bytes.
  @Test func everyBitCounts() {
    for count in [1, 3, 4, 7, 8, 12, 31, 32, 33, 64, 79] {
      var data = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      let hash = data.withUnsafeBytes { XXHash64.hash($0) }
      for bit in 0..<8 * count {
        data[bit / 8] ^= 1 << (bit % 8)
        #expect(data.withUnsafeBytes { XXHash64.hash($0) } != hash, "bit \(bit) of \(count) bytes")
        data[bit / 8] ^= 1 << (bit % 8)
      }
    }
  }
}
