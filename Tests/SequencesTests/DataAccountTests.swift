import Sequences
import Testing

struct DataAccountTests {
  @Test func whatIsFoundAgainIsOneRemarkWithItsFirstThreePlaces() {
    let account = DataAccount()
    for line in 1...5 { account.remark("blank line passed over", at: "t.csv, line \(line)") }
    account.remark("blank line passed over", at: "t.csv, line 9", hint: "fill it")
    account.remark("the file is small")
    account.remark("the file is small")
    #expect(account.remarks.map(\.count) == [5, 1, 1])
    #expect(account.remarks[0].places == ["t.csv, line 1", "t.csv, line 2", "t.csv, line 3"])
    #expect(account.remarks[1].hint == "fill it")
    #expect(account.remarks[2].places.isEmpty)
  }

  @Test func classesThatCannotBeLearnedOrMeasuredAreRemarks() {
    let account = DataAccount()
    account.count(classes: ["a", "b", "c"], training: [3, 0, 2], heldOut: [1, 1, 0])
    #expect(account.remarks.map(\.places) == [["\"b\""], ["\"c\""]])
    #expect(account.remarks[0].what.contains("without anything to train on"))
    #expect(account.remarks[1].what.contains("nothing is held out"))
    let whole = DataAccount()
    whole.count(classes: ["a", "b"], training: [1, 2], heldOut: nil)
    #expect(whole.remarks.isEmpty)
  }

  @Test(arguments: [(5, false), (6, true)])
  func manyUnknownTokensAreARemark(unknown: Int, isTold: Bool) {
    let account = DataAccount()
    account.count(
      vocabulary: 9, training: .init(tokens: 100, unknown: 0), heldOut: .init(tokens: 100, unknown: unknown))
    #expect(account.remarks.map(\.places) == (isTold ? [["6 of 100 in the held-out part"]] : []))
  }
}
