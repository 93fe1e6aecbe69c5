/// How well the next frames of pieces are predicted.
package struct PianoRollResult: TaskResult {
  package struct Part: Equatable, Sendable {
    /// "validation" or "test".
    package let name: String
    package let pieces: Int
    /// Without the first of each piece, which nothing comes before.
    package let frames: Int
    /// In nats per frame.
    package let loss: Double
  }

  package let parts: [Part]

  package var measurements: [Measurement] {
    parts.flatMap { part in
      [
        Measurement("pieces", .count(part.pieces), set: part.name),
        Measurement("frames", .count(part.frames), set: part.name),
        Measurement("loss", .number(part.loss), unit: "nats per frame", set: part.name),
      ]
    }
  }
}
