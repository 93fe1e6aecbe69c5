import Testing

/// Arrays of NumPy, and piano rolls in JSON.
struct ArrayCases {
  @Test(arguments: arrays + rolls)
  func whatIsNoNumberIsNamedWithItsPlace(fieldCase: FieldCase) throws { try fieldCase.check() }

  // MARK: Arrays

  private static func npy(_ header: String, _ values: [UInt8]) -> [UInt8] {
    let padded = header + "\n"
    return [0x93] + Array("NUMPY".utf8) + [1, 0, UInt8(padded.utf8.count & 0xFF), UInt8(padded.utf8.count >> 8)]
      + Array(padded.utf8) + values
  }

  private static func array(
    _ name: String, _ descr: String, shape: String = "(4,)", bytes: [UInt8], _ outcome: FieldCase.Outcome
  ) -> FieldCase {
    array(name, header: "{'descr': \(descr), 'fortran_order': False, 'shape': \(shape), }", bytes: bytes, outcome)
  }

  private static func array(
    _ name: String, header: String, bytes: [UInt8], _ outcome: FieldCase.Outcome
  ) -> FieldCase {
    .files(
      name, ["x.npy": npy(header, bytes)],
      ["task=forecasting", "batch.steps=1", "batch.sequences=1", "data.validation=0", "data.path=./x.npy"],
      outcome: outcome)
  }

  private static let zeros = [UInt8](repeating: 0, count: 32)
  private static let four: [UInt8] = [1, 2, 3, 4]

  private static let arrays: [FieldCase] = [
    array(
      "fields of a structured array", "[('a', '<i4'), ('b', '<f4')]", bytes: zeros,
      .refused(["fields of a structured array", "array['a']"])),
    array(
      "fields with shapes", "[('x', '<f8', (2,)), ('y', '|S3')]", bytes: zeros, .refused(["structured array", "'x'"])),
    array("Python objects", "'|O'", bytes: zeros, .refused(["Python objects", "astype"])),
    array("dates", "'<M8[D]'", bytes: zeros, .refused(["dates (datetime64)", "datetime64[s]"])),
    array("dates without a unit", "'<M8'", bytes: zeros, .refused(["dates"])),
    array("durations", "'<m8[ns]'", bytes: zeros, .refused(["durations", "timedelta64[s]"])),
    array("texts", "'<U1'", bytes: zeros, .refused(["texts", "astype"])),
    array("bytes of texts", "'|S8'", bytes: zeros, .refused(["texts"])),
    array("complex numbers", "'<c8'", bytes: zeros, .refused(["complex numbers", "array.real"])),
    array("bytes without a type", "'|V8'", bytes: zeros, .refused(["void"])),
    array("floats of 128 bits", "'<f16'", bytes: zeros + zeros, .refused(["another size", "astype"])),
    array("sizes with L, as Python 2 wrote them", "'|u1'", shape: "(4L,)", bytes: four, .read(.init(mean: [2.5]))),
    array(
      "rows and columns with L", "'|u1'", shape: "(2L, 2L)", bytes: four,
      .read(.init(columns: ["0", "1"], mean: [2, 3]))),
    array(
      "halves of floats", "'<f2'", bytes: [0x00, 0x3C, 0x00, 0xC0, 0x01, 0x00, 0xFF, 0x7B],
      .read(.init(mean: [(1 - 2 + 0x1p-24 + 65504) / 4]))),
    array(
      "keys in another order", header: "{\"shape\": (4,), \"fortran_order\": False, \"descr\": \"|u1\"}", bytes: four,
      .read(.init(mean: [2.5]))),
    array(
      "a key more", header: "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), 'x': 1, }", bytes: four,
      .refused(["header of the array"])),
    array("three dimensions", "'|u1'", shape: "(2, 2, 1)", bytes: four, .refused(["one dimension or two", "reshape"])),
    array(
      "two arrays in one file", "'|u1'", bytes: four + npy("{'descr': '|u1'}", four),
      .refused(["not as long", "several arrays"])),
    array("an array that is cut off", "'<f8'", bytes: four, .refused(["not as long", "cut off"])),
  ]

  // MARK: Piano rolls

  private static let piece = "[[60, 64], [62]]"

  private static func rolls(_ name: String, _ train: String, _ outcome: FieldCase.Outcome) -> FieldCase {
    json(name, "{\"train\": [\(piece),\n  \(train)],\n \"valid\": [\(piece)], \"test\": [\(piece)]}", outcome)
  }

  private static func json(_ name: String, _ text: String, _ outcome: FieldCase.Outcome) -> FieldCase {
    .files(
      name, ["p.json": Array(text.utf8)], ["task=piano-roll", "data.path=./p.json", "batch.sequences=1"],
      outcome: outcome)
  }

  private static let rolls: [FieldCase] = [
    rolls("pieces", "[[], [60], [21, 108]]", .read(.init(count: 4))),
    rolls(
      "half a note", "[[60], [60.5]]", .refused(["got 60.5", "line 2", "train, piece 1, frame 1", "whole numbers"])),
    rolls("a note in floating point", "[[60.0], [62]]", .refused(["got 60.0", "piece 1, frame 0"])),
    rolls("NaN for a rest", "[[NaN], [62]]", .refused(["\"NaN\"", "line 2, column 5", "piece 1, frame 0", "rest"])),
    rolls("NaN for a frame", "[NaN, [62]]", .refused(["\"NaN\"", "expected an array", "piece 1, frame 0"])),
    rolls("null for a rest", "[[null], [62]]", .refused(["\"null\"", "rest"])),
    rolls("None of Python", "[[None], [62]]", .refused(["\"None\"", "rest"])),
    rolls("−1 for a rest", "[[-1], [62]]", .refused(["got -1", "rest", "piece 1, frame 0"])),
    rolls("a note as text", "[[\"60\"], [62]]", .refused(["a string", "piece 1, frame 0"])),
    rolls("notes without frames", "[60, 62]", .refused(["a number", "expected an array", "piece 1, frame 0"])),
    rolls("a piece of one frame", "[[60]]", .refused(["at least 2 frames", "train, piece 1"])),
    rolls("a note below the keys", "[[60], [20]]", .refused(["got 20", "octaves"])),
    rolls(
      "a note twice in a frame", "[[60, 60], [62]]", .read(.init(told: ["note twice", "piece 1, frame 0"], count: 4))),
    json(
      "a part twice", "{\"train\": [\(piece)], \"train\": [\(piece)], \"valid\": [\(piece)], \"test\": [\(piece)]}",
      .refused(["each key once", "\"train\" twice", "column"])),
    json(
      "a part more", "{\"meta\": {\"x\": [1]}, \"train\": [\(piece)], \"valid\": [\(piece)], \"test\": [\(piece)]}",
      .read(.init(told: ["part is passed over", "meta"]))),
    json("a part fewer", "{\"train\": [\(piece)]}", .refused(["without part valid"])),
    json("a list of pieces", "[\(piece)]", .refused(["expected an object", "line 1, column 1", "train"])),
    json(
      "a file that is cut off", "{\"train\": [[[60], [62", .refused(["the end of the text", "train, piece 0, frame 1"])),
    json("single quotes, as Python prints", "{'train': []}", .refused(["expected a key", "column 2"])),
  ]
}
