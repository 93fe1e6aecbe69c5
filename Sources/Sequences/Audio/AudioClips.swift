import Files
import Problems

/// Clips of one sample rate, with their classes.
package struct AudioClips: Sendable, Equatable {
  /// Samples a second.
  package let rate: Int
  /// The samples of each clip, one to a timestep; a clip's name is its path in the folder.
  package let clips: LabelledValues

  /// Reads the sound files of a folder. `pattern` says which, and which part of a name is the class:
  /// `{class}/*.wav` for a folder to each class, `{class}_*.wav` for `7_jackson_32.wav` as a clip of class 7.
  /// - Parameters:
  ///   - classes: The classes of a trained model; without them, those found.
  ///   - rate: The sample rate that a trained model needs; without it, that of the first clip.
  /// Errors as `AudioFile.read` has them; a clip of another rate than the others has exit code 65.
  package static func read(
    folder: String, pattern: NamePattern, classes: [String]? = nil, rate: Int? = nil,
    account: DataAccount = DataAccount()
  ) throws(Problem) -> AudioClips {
    var collection = LabelledCollection<Float>(width: 1)
    var common = rate
    let listing = try forEachClassFile(in: folder, pattern, account) { path, file, label throws(Problem) in
      let clip = try AudioFile.read(path, account: account)
      guard clip.rate == common ?? clip.rate else {
        throw otherRate(clip.rate, expected: common!, rate == nil ? "before it" : "in training", path)
      }
      common = clip.rate
      collection.append(clip.samples, label: label, name: file)
    }
    return AudioClips(
      rate: common!, clips: try collection.labelled(classes: classes, source: folder, passedOver: listing.passedOver))
  }

  static func otherRate(_ rate: Int, expected: Int, _ place: String, _ path: String) -> Problem {
    .data(
      "sample rate of a clip — expected \(expected) samples a second as \(place), got \(rate) (\(path))",
      hint: "resample the clips, for example: ffmpeg -i input.wav -ar \(expected) output.wav")
  }

  /// The clips as log-mel features, [frames, bands].
  package func features(_ mel: LogMel) throws(Problem) -> LabelledValues {
    precondition(mel.rate == rate, "features are made for one sample rate")
    return try clips.map(width: mel.bands) { samples, _ in mel.features(of: samples) }
  }
}
