import Tasks

extension PianoRollResult: TextRendered {
  var lines: [String] {
    parts.map { "\($0.name): \($0.pieces) pieces, \($0.frames) frames, loss: \($0.loss) nats a frame" }
  }
}
