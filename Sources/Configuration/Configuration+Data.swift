/// What a run reads.
extension Configuration {
  /// Where the sequences come from.
  public struct Data: Sendable, Equatable {
    /// Kinds of origin.
    public enum Source: String, Sendable, CaseIterable {
      /// The program makes them.
      case generated
      /// A text file.
      case text
      /// A folder with a text file for each class, a sequence on each line.
      case classFiles = "class-files"
      /// CSV or TSV with a column of texts and one of labels.
      case table
      /// A file in `.ts` form.
      case series
      /// A folder of WAV or FLAC files.
      case audio
      /// A text file with a word and its label on each line, and blank lines between sequences.
      case conll
      /// CSV or TSV, each row a timestep of numbers.
      case numbers
      /// JSON with frames of notes.
      case pianoRolls = "piano-rolls"

      /// Whether a timestep is numbers, not a token.
      public var isNumeric: Bool { self == .series || self == .audio || self == .numbers || self == .pianoRolls }
    }
    /// What one token is.
    public enum Tokens: String, Sendable, CaseIterable {
      /// Unicode scalars, bytes, words between white space, the symbols of a generated task, or no token but numbers.
      case characters, bytes, words, symbols, numbers
    }
    /// The copy tasks of the paper.
    public enum Variant: String, Sendable, CaseIterable {
      /// The same symbols between; random ones; random ones of any number.
      case a = "2a"
      case b = "2b"
      case c = "2c"
    }
    /// What becomes of the holes of a table of numbers.
    public enum Missing: String, Sendable, CaseIterable {
      /// An error; the value above; the mean of the training rows.
      case error, previous, mean
    }
    /// What is held out of training.
    public enum Validation: Sendable, Equatable {
      /// Nothing.
      case none
      /// This share: of a text at its end, of labelled sequences drawn class by class.
      case fraction(Double)
      /// The data of another file or folder.
      case file(String)
    }

    /// Where the sequences come from.
    public internal(set) var source: Source
    /// The file or folder, "" for none.
    public internal(set) var path: String
    /// The files of the folder, and which part of a name is the class.
    public internal(set) var files: String
    /// The column of the texts.
    public internal(set) var textColumn: String
    /// The column of the labels.
    public internal(set) var labelColumn: String
    /// What one token is.
    public internal(set) var tokens: Tokens
    /// The most entries of the vocabulary, 0 for all.
    public internal(set) var vocabulary: Int
    /// Whether the end of a line is a word.
    public internal(set) var lineEnds: Bool
    /// What is held out of training.
    public internal(set) var validation: Validation
    /// The sequences held out by name: patterns with | between them, "" for none.
    public internal(set) var heldOut: String
    /// Parts of a cross-validation, 0 for none.
    public internal(set) var folds: Int
    /// The part held out, counted from 0.
    public internal(set) var fold: Int
    /// Generated training strings.
    public internal(set) var trainingStrings: Int
    /// Generated held-out strings.
    public internal(set) var heldOutStrings: Int
    /// Symbols whose order is asked for.
    public internal(set) var relevantSymbols: Int
    /// The fewest timesteps of a generated sequence.
    public internal(set) var shortest: Int
    /// Which copy task.
    public internal(set) var variant: Variant
    /// Symbols of a copy task, p.
    public internal(set) var symbols: Int
    /// The columns of numbers that are read, with commas between them, "" for all.
    public internal(set) var columns: String
    /// The column that is forecast, "" for the first.
    public internal(set) var target: String
    /// What becomes of holes.
    public internal(set) var missing: Missing
    /// Values that are forecast.
    public internal(set) var horizon: Int
    /// Rows of a season, 0 for none.
    public internal(set) var season: Int
  }

  /// Features of sound.
  public struct Audio: Sendable, Equatable {
    /// D, bands of the mel scale.
    public internal(set) var bands: Int
    /// Seconds of a frame.
    public internal(set) var window: Double
    /// Seconds from frame to frame.
    public internal(set) var hop: Double
    /// Deviation of the noise that normalized features of training get.
    public internal(set) var noise: Double
    /// The most seconds that a training clip is shifted.
    public internal(set) var shift: Double
  }
}
