import Kernels
import Testing

@Suite struct SquaredErrorTests {
  @Test(
    arguments: [1, 3, 16, 17])
  func lossAndGradientAreThoseOfTheDefinitionAndPaddingIsZero(count: Int) {
    let width = padded(count)
    let predictions = (0..<width).map { Float($0 * $0 % 7) / 3 - 1 }
    let targets = (0..<count).map { Float($0 % 5) / 2 - 1 }
    var row = predictions
    let loss = squaredError(predictions: &row, targets: targets, count: count, scale: 0.25)
    let errors = (0..<count).map { Double(predictions[$0]) - Double(targets[$0]) }
    let expected = errors.reduce(0) { $0 + $1 * $1 } / Double(count)
    #expect(abs(loss - expected) <= 1e-12 * expected)
    #expect(squaredErrorLoss(predictions: predictions, targets: targets, count: count) == loss)
    for k in 0..<width {
      let gradient = k < count ? 2 / Double(count) * errors[k] * 0.25 : 0
      #expect(abs(Double(row[k]) - gradient) < 1e-6)
    }
  }

  @Test func aRowWithoutATargetHasNoLossAndAGradientOfZero() {
    var row: [Float] = [.infinity, 3] + Array(repeating: 1, count: 14)
    #expect(squaredError(predictions: &row, targets: [.nan, .nan], count: 2, scale: 1) == 0)
    #expect(row == Array(repeating: 0, count: 16))
    #expect(squaredErrorLoss(predictions: [5, 5], targets: [.nan, .nan], count: 2) == 0)
  }
}
