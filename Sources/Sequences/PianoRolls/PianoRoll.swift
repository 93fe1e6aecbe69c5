import Files
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
  package init(path: String, account: DataAccount = DataAccount()) throws(Problem) {
    account.addFile()
    try self.init(json: TextFile.read(path, as: "piano rolls"), name: path, account: account)
  }

  /// From the bytes of a file, which errors call `name`.
  package init(json: [UInt8], name: String, account: DataAccount = DataAccount()) throws(Problem) {
    try UTF8Text.validate(json, name: name)
    var text = PianoRollText(json, name: name, account: account)
    let parts = try text.parts()
    func part(_ part: String) throws(Problem) -> [Piece] {
      guard let pieces = parts[part], !pieces.isEmpty else {
        throw .data(
          "piano rolls without part \(part) — expected at least one piece in train, valid and test, got none (\(name))"
        )
      }
      return pieces
    }
    (training, validation, test) = (try part("train"), try part("valid"), try part("test"))
  }

  /// The pieces as numbers, to know them again: of each frame its keys, behind it −1; behind each piece −2.
  package var fingerprint: [[Int32]] {
    [training, validation, test].map { pieces in
      pieces.flatMap { $0.flatMap { $0.map(Int32.init) + [-1] } + [-2] }
    }
  }
}
