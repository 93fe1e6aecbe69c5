import Kernels
import Testing

@Suite struct BinaryCrossEntropyTests {
  @Test(
    arguments: [1, 3, 16, 88])
  func lossAndGradientAreThoseOfTheDefinitionAndPaddingIsZero(count: Int) {
    let width = padded(count)
    let logits = (0..<width).map { Float($0 * $0 % 23) / 2 - 5 }
    let targets = (0..<count).map { Float($0 % 3 == 0 ? 1 : $0 % 3 == 1 ? 0 : 0.25) }
    var (row, truth) = (logits, logits)
    let loss = binaryCrossEntropy(logits: &row, targets: targets, count: count, scale: 0.25)
    let expected = Reference.binaryCrossEntropy(logits: &truth, targets: targets, count: count, scale: 0.25)
    #expect(abs(loss - expected) <= 1e-6 * expected)
    #expect(binaryCrossEntropyLoss(logits: logits, targets: targets, count: count) == loss)
    for k in 0..<width { #expect(abs(row[k] - truth[k]) < 1e-7, "\(k)") }
    #expect(row[count...].allSatisfy { $0.bitPattern == 0 })
  }

  @Test func theGradientIsThatOfTheLoss() {
    let (logits, targets): ([Float], [Float]) = ([-3, -0.5, 0, 2], [0, 1, 1, 0])
    var row = logits + Array(repeating: 0, count: 12)
    _ = binaryCrossEntropy(logits: &row, targets: targets, count: 4, scale: 1)
    for k in 0..<4 {
      var (up, down) = (logits, logits)
      up[k] += 1.0 / 64
      down[k] -= 1.0 / 64
      let numeric =
        (binaryCrossEntropyLoss(logits: up, targets: targets, count: 4)
          - binaryCrossEntropyLoss(logits: down, targets: targets, count: 4)) * 32
      #expect(abs(numeric - Double(row[k])) < 1e-4)
    }
  }

  @Test func logitsFarFrom0GiveFiniteLosses() {
    #expect(binaryCrossEntropyLoss(logits: [500, -500], targets: [1, 0], count: 2) == 0)
    #expect(binaryCrossEntropyLoss(logits: [500, -500], targets: [0, 1], count: 2) == 1000)
  }

  @Test func aRowWithoutATargetHasNoLossAndAGradientOfZero() {
    var row: [Float] = [.infinity, 3] + Array(repeating: 1, count: 14)
    #expect(binaryCrossEntropy(logits: &row, targets: [.nan, .nan], count: 2, scale: 1) == 0)
    #expect(row == Array(repeating: 0, count: 16))
    #expect(binaryCrossEntropyLoss(logits: [5, 5], targets: [.nan, .nan], count: 2) == 0)
  }
}
