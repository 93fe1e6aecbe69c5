import Files
import Problems

/// Reads the JSON of piano rolls value by value, so that an error knows the line, and which part, piece and frame it is.
struct PianoRollText {
  private var reader: JSONReader
  private let name: String
  private let account: DataAccount
  /// What is being read: "train, piece 0, frame 7".
  private var path: [String] = []

  init(_ json: [UInt8], name: String, account: DataAccount) {
    reader = JSONReader(Array(json.dropFirst(TextFile.lengthOfByteOrderMark(json))))
    (self.name, self.account) = (name, account)
  }

  /// The pieces of each part. Anything but piano rolls is an error with exit code 65.
  mutating func parts() throws(Problem) -> [String: [PianoRolls.Piece]] {
    do {
      return try read()
    } catch let failure as JSONReader.Failure {
      let (line, column) = reader.place(of: failure.offset)
      throw .data(
        "piano rolls cannot be read — expected \(expected(failure)), got \(failure.got) "
          + "(\(place("line \(line), column \(column)")))", hint: hint(failure))
    } catch let problem as Problem {
      throw problem
    } catch {
      preconditionFailure("no other errors are thrown: \(error)")
    }
  }

  private mutating func read() throws -> [String: [PianoRolls.Piece]] {
    var parts: [String: [PianoRolls.Piece]] = [:]
    // The reader is taken out, so that its closures can change what is being read.
    var reader = self.reader
    try reader.object { reader, part in
      guard ["train", "valid", "test"].contains(part) else {
        account.remark("part is passed over: train, valid and test are read", at: "\(name), \(quoted(part))")
        return try reader.skipValue()
      }
      path = [part]
      var pieces: [PianoRolls.Piece] = []
      try reader.array { reader in
        path = [part, "piece \(pieces.count)"]
        pieces.append(try piece(&reader))
      }
      parts[part] = pieces
      path = []
    }
    try reader.end()
    return parts
  }

  /// A piece of at least two frames, for the first one is never said.
  private mutating func piece(_ reader: inout JSONReader) throws -> PianoRolls.Piece {
    var piece: PianoRolls.Piece = []
    try reader.array { reader in
      path = Array(path.prefix(2)) + ["frame \(piece.count)"]
      piece.append(try frame(&reader))
    }
    path = Array(path.prefix(2))
    guard piece.count >= 2 else {
      throw Problem.data("piece too short — expected at least 2 frames, got \(piece.count) (\(place()))")
    }
    return piece
  }

  private mutating func frame(_ reader: inout JSONReader) throws -> [UInt8] {
    var notes = Set<UInt8>()
    try reader.array { reader in
      let note = try reader.integer(Int.self)
      guard PianoRolls.keys.contains(note) else {
        throw Problem.data(
          "note outside a piano's keys — expected MIDI notes \(PianoRolls.keys.lowerBound) to "
            + "\(PianoRolls.keys.upperBound), got \(note) (\(place()))",
          hint: note <= 0 ? PianoRollText.restHint : "leave such notes out, or move the piece by octaves")
      }
      if !notes.insert(UInt8(note - PianoRolls.keys.lowerBound)).inserted {
        account.remark("note twice in a frame: it sounds once", at: place())
      }
    }
    return notes.sorted()
  }

  private func place(_ more: String? = nil) -> String {
    ([name] + (more.map { [$0] } ?? []) + path).joined(separator: ", ")
  }

  private func expected(_ failure: JSONReader.Failure) -> String {
    failure.expected.hasPrefix("an integer")
      ? "a MIDI note, a whole number from \(PianoRolls.keys.lowerBound) to \(PianoRolls.keys.upperBound)"
      : failure.expected
  }

  private static let restHint = "a rest is no note: leave it out of the frame, which may be []"

  private func hint(_ failure: JSONReader.Failure) -> String? {
    switch failure.got {
    case "\"NaN\"", "\"nan\"", "\"null\"", "\"n\"", "\"None\"", "\"Infinity\"": PianoRollText.restHint
    case let got where got.contains(where: { $0 == "." || $0 == "e" || $0 == "E" }) && Double(got) != nil:
      "notes are whole numbers, such as 60 for the middle C: round them"
    default:
      path.isEmpty
        ? "expected is an object of lists of pieces, each a list of frames, each a list of MIDI notes: "
          + "{\"train\": [[[60, 64], [62]]], \"valid\": …, \"test\": …}" : nil
    }
  }
}
