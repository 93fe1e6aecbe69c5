import Files
import Problems

/// The forms in which labelled sequences lie in files.
package enum LabelledFiles: Sendable {
  /// A folder of files that are named for their class, each line a text, or each file.
  case classFiles(NamePattern, TextUnit = .lines)
  /// A table in text form with a column of texts and one of labels.
  case table(textColumn: String, labelColumn: String, TableForm = TableForm())
  /// A file in `.ts` form.
  case series
  /// A folder of WAV or FLAC files, read as log-mel features.
  case audio(NamePattern, MelFrames)

  /// Log-mel features but for the sample rate, which the clips say.
  package struct MelFrames: Sendable {
    /// D.
    package let bands: Int
    /// Seconds of a frame.
    package let windowSeconds: Double
    /// Seconds from frame to frame.
    package let hopSeconds: Double

    /// Features of these sizes; they are checked once the rate is known.
    package init(bands: Int, windowSeconds: Double, hopSeconds: Double) {
      (self.bands, self.windowSeconds, self.hopSeconds) = (bands, windowSeconds, hopSeconds)
    }

    /// The features of sound of `rate` samples a second.
    package func logMel(rate: Int) throws(Problem) -> LogMel {
      try LogMel(rate: rate, windowSeconds: windowSeconds, hopSeconds: hopSeconds, bands: bands)
    }
  }

  /// The first file at `path`: of a folder, or the file itself.
  package func firstFile(at path: String) throws(Problem) -> String {
    switch self {
    case .classFiles(let pattern, _), .audio(let pattern, _):
      "\(path)/\(try FileFolder.files(in: path, matching: pattern)[0])"
    case .table, .series: path
    }
  }

  /// The texts at `path`; those of another path must have the classes that are given.
  /// - Precondition: the files hold texts.
  func texts(
    at path: String, tokens: TokenKind, classes: [String]?, account: DataAccount = DataAccount()
  ) throws(Problem) -> LabelledTexts {
    switch self {
    case .classFiles(let pattern, let unit):
      try LabelledFiles.checkFolder(path, others: "a table of texts and labels is read with data.source=table")
      return try .classFiles(
        folder: path, pattern: pattern, unit: unit, tokens: tokens, classes: classes, account: account)
    case .table(let text, let label, let form):
      return try .table(
        path: path, form: form, textColumn: text, labelColumn: label, classes: classes, account: account)
    case .series, .audio: preconditionFailure("these files hold numbers")
    }
  }

  /// The sequences of numbers at `path`, and the sample rate where they are sound.
  /// - Precondition: the files hold numbers.
  func values(
    at path: String, classes: [String]?, rate: Int?, account: DataAccount = DataAccount()
  ) throws(Problem) -> (sequences: MeasuredValues, rate: Int?) {
    switch self {
    case .series: return (try TimeSeriesFile.read(path, classes: classes, account: account), nil)
    case .audio(let pattern, let frames):
      try LabelledFiles.checkFolder(path, others: "a clip lies in a folder of its class, as data.files says")
      let clips = try AudioClips.read(folder: path, pattern: pattern, classes: classes, rate: rate, account: account)
      return (try clips.features(frames.logMel(rate: clips.rate)).measured(), clips.rate)
    case .classFiles, .table: preconditionFailure("these files hold texts")
    }
  }
}

extension LabelledFiles {
  private static func checkFolder(_ path: String, others: String) throws(Problem) {
    guard (try? TextFile.state(path)) != nil else { return }
    throw .file(
      "not a folder — expected a folder with files of each class, got a file (\(path))", hint: others)
  }
}

/// Which labelled sequences are held out of training.
package enum HeldOut: Sendable {
  /// None.
  case none
  /// A share of each class, 0 < share < 1.
  case share(Double)
  /// One of several folds, for cross-validation.
  case fold(Int, of: Int)
  /// Those whose names fit one of the patterns.
  case names([NamePattern])
  /// All of another path.
  case path(String)
}

extension LabelledSequences {
  /// The part to train on and the part held out; `read` reads those of another path.
  func split(
    _ rule: HeldOut, seed: UInt64, read: (_ path: String) throws(Problem) -> LabelledSequences
  ) throws(Problem) -> (training: LabelledSequences, heldOut: LabelledSequences?) {
    switch rule {
    case .none: return (self, nil)
    case .share(let share): return try holdingOut(share: share, seed: seed)
    case .fold(let index, let count): return try fold(index, of: count, seed: seed)
    case .names(let patterns): return try holdingOut { name in patterns.contains { $0.matches(name) } }
    case .path(let path): return (self, try read(path))
    }
  }
}
