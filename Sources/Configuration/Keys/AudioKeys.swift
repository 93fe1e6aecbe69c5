extension Configuration {
  /// Features of sound.
  package struct Audio: Sendable, Equatable {
    package internal(set) var bands = 0
    package internal(set) var window = 0.0
    package internal(set) var hop = 0.0
    package internal(set) var noise = 0.0
    package internal(set) var shift = 0.0

    static let keys: [ConfigurationKey] = [
      .init(
        "audio.bands", \.audio.bands, .integer(1...1024), .always("40"), scope: .sources(.audio),
        "D, bands of the log-mel features, equally wide on the mel scale from 20 Hz to half the sample rate."),
      .init(
        "audio.window", \.audio.window, .number(0.0001...10), .always("0.025"), scope: .sources(.audio),
        "Seconds of a frame of sound."
      ).explained(
        "A Hann window."),
      .init(
        "audio.hop", \.audio.hop, .number(0.0001...10), .always("0.01"), scope: .sources(.audio),
        "Seconds from the beginning of a frame to that of the next."),
      .init(
        "audio.noise", \.audio.noise, .number(0...10), .always("0"), scope: .sources(.audio),
        "The deviation of noise that is added to each normalized feature of training clips, anew in every epoch."),
      .init(
        "audio.shift", \.audio.shift, .number(0...10), .always("0"), scope: .sources(.audio),
        "Training clips come earlier or later by up to this many seconds, anew in every epoch."
      ).explained(
        "Each frame is as likely; the first or last one fills the gap."),
    ]
  }
}
