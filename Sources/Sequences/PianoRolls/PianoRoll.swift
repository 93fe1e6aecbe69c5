import Files
import Foundation
import Problems

/// Pieces of music as frames of notes that sound together: what the JSON form of the JSB chorales holds (Boulanger-
/// Lewandowski, Bengio and Vincent, "Modeling temporal dependencies in high-dimensional sequences", 2012), an object with
/// the parts `train`, `valid` and `test`, each a list of pieces, each a list of frames, each a list of MIDI notes.
package struct PianoRolls: Sendable, Equatable {
  /// MIDI numbers of the keys of a piano, A0 to C8.
  package static let keys = 21...108

  /// One piece: for each frame the keys that sound, counted from 0, ascending, each once.
  package typealias Piece = [[UInt8]]

  /// To train on, to watch training with, and to measure with in the end.
  package let training: [Piece]
  /// See above.
  package let validation: [Piece]
  /// See above.
  package let test: [Piece]

  /// Reads a file; an error has exit code 74 where it cannot be read, 65 where it holds something else.
  package init(path: String) throws(Problem) {
    try self.init(json: TextFile.read(path, as: "piano rolls"), name: path)
  }

  /// From the bytes of a file, which errors call `name`.
  package init(json: [UInt8], name: String) throws(Problem) {
    let text = Data(json.dropFirst(TextFile.lengthOfByteOrderMark(json)))
    let parts: [String: [[[Int]]]]
    do {
      parts = try JSONDecoder().decode([String: [[[Int]]]].self, from: text)
    } catch {
      throw .data(
        "piano rolls cannot be read — expected a JSON object of lists of pieces, each a list of frames, each a list of "
          + "MIDI notes, got \(PianoRolls.problem(error)) (\(name))")
    }
    training = try PianoRolls.part("train", of: parts, name: name)
    validation = try PianoRolls.part("valid", of: parts, name: name)
    test = try PianoRolls.part("test", of: parts, name: name)
  }

  /// All pieces of a part: at least one, each of at least two frames, for the first one is never said.
  private static func part(
    _ part: String, of parts: [String: [[[Int]]]], name: String
  ) throws(Problem) -> [Piece] {
    guard let pieces = parts[part], !pieces.isEmpty else {
      throw .data(
        "piano rolls without part \(part) — expected at least one piece in train, valid and test, got none (\(name))")
    }
    var rolls: [Piece] = []
    for (index, piece) in pieces.enumerated() {
      guard piece.count >= 2 else {
        throw .data(
          "piece too short — expected at least 2 frames, got \(piece.count) (\(name), \(part), piece \(index))")
      }
      var roll: Piece = []
      for (frame, notes) in piece.enumerated() {
        if let wrong = notes.first(where: { !keys.contains($0) }) {
          throw .data(
            "note outside a piano's keys — expected MIDI notes \(keys.lowerBound) to \(keys.upperBound), got \(wrong) "
              + "(\(name), \(part), piece \(index), frame \(frame))")
        }
        roll.append(Set(notes).sorted().map { UInt8($0 - keys.lowerBound) })
      }
      rolls.append(roll)
    }
    return rolls
  }

  /// Where a decoder stopped, on one line.
  private static func problem(_ error: any Error) -> String {
    switch error as? DecodingError {
    case .typeMismatch(_, let context)?, .valueNotFound(_, let context)?:
      "something else at \(context.codingPath.map(\.stringValue).joined(separator: "."))"
    default: "other text"
    }
  }

  /// The pieces as numbers, to know them again: of each frame its keys, behind it −1; behind each piece −2.
  package var fingerprint: [[Int32]] {
    [training, validation, test].map { pieces in
      pieces.flatMap { $0.flatMap { $0.map(Int32.init) + [-1] } + [-2] }
    }
  }
}
