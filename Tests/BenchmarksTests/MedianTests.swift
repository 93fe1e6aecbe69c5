import Benchmarks
import Testing

struct MedianTests {
  private static let cases: [([Double], Double)] = [
    ([5], 5), ([4, 1, 3], 3), ([1, 2], 1.5), ([8, 1, 2, 100], 5), ([7, 7, 1, 1, 1], 1), ([1, 3, 5, 7, 9, 100], 6),
  ]

  @Test(arguments: cases)
  func halfOfTheValuesAreBelow(values: [Double], expected: Double) {
    #expect(median(values) == expected && median(values.reversed()) == expected)
  }
}
