import Runs
import Testing

struct DataRecordTests {
  @Test func whatWasReadStandsInOneLine() {
    let record = DataRecord(
      files: 2, counts: [.init("row", training: 8, heldOut: 2)], classes: [.init("a \"b\"", training: 5, heldOut: 1)],
      vocabulary: 7, unknown: .init("token", training: 0, heldOut: 3),
      remarks: [.init("comment is passed over", hint: nil, count: 4, places: ["t.csv, line 3"])])
    #expect(
      record.json.text
        == #"{"event":"data","step":0,"files":2,"counts":[{"unit":"row","training":8,"heldOut":2}],"#
        + #""classes":[{"name":"a \"b\"","training":5,"heldOut":1}],"vocabulary":7,"#
        + #""unknown":{"unit":"token","training":0,"heldOut":3},"#
        + #""remarks":[{"what":"comment is passed over","hint":null,"count":4,"places":["t.csv, line 3"]}]}"#)
    let generated = DataRecord(files: 0, counts: [], classes: [], vocabulary: nil, unknown: nil, remarks: [])
    #expect(generated.json.text.hasSuffix(#""classes":[],"vocabulary":null,"unknown":null,"remarks":[]}"#))
  }
}
