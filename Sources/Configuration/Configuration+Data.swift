/// What a run reads.
extension Configuration {
  /// Where the sequences come from.
  package struct Data: Sendable, Equatable {
    /// Kinds of origin.
    package enum Source: String, Sendable, CaseIterable {
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
      package var isNumeric: Bool { self == .series || self == .audio || self == .numbers || self == .pianoRolls }
    }
    /// What one token is.
    package enum Tokens: String, Sendable, CaseIterable {
      /// Unicode scalars, bytes, words between white space, the symbols of a generated task, or no token but numbers.
      case characters, bytes, words, symbols, numbers
    }
    /// The copy tasks of the paper.
    package enum Variant: String, Sendable, CaseIterable {
      /// The same symbols between; random ones; random ones of any number.
      case a = "2a"
      case b = "2b"
      case c = "2c"
    }
    /// What becomes of the holes of a table of numbers.
    package enum Missing: String, Sendable, CaseIterable {
      /// An error; the value above; the mean of the training rows.
      case error, previous, mean
    }
    /// What is held out of training.
    package enum Validation: Sendable, Equatable {
      /// Nothing.
      case none
      /// This share: of a text at its end, of labelled sequences drawn class by class.
      case fraction(Double)
      /// The data of another file or folder.
      case file(String)
    }

    /// Where the sequences come from.
    package internal(set) var source: Source
    /// The file or folder, "" for none.
    package internal(set) var path: String
    /// The files of the folder, and which part of a name is the class.
    package internal(set) var files: String
    /// The column of the texts.
    package internal(set) var textColumn: String
    /// The column of the labels.
    package internal(set) var labelColumn: String
    /// What one token is.
    package internal(set) var tokens: Tokens
    /// The most entries of the vocabulary, 0 for all.
    package internal(set) var vocabulary: Int
    /// Whether the end of a line is a word.
    package internal(set) var lineEnds: Bool
    /// What is held out of training.
    package internal(set) var validation: Validation
    /// The sequences held out by name: patterns with | between them, "" for none.
    package internal(set) var heldOut: String
    /// Parts of a cross-validation, 0 for none.
    package internal(set) var folds: Int
    /// The part held out, counted from 0.
    package internal(set) var fold: Int
    /// Generated training strings.
    package internal(set) var trainingStrings: Int
    /// Generated held-out strings.
    package internal(set) var heldOutStrings: Int
    /// Symbols whose order is asked for.
    package internal(set) var relevantSymbols: Int
    /// The fewest timesteps of a generated sequence.
    package internal(set) var shortest: Int
    /// Which copy task.
    package internal(set) var variant: Variant
    /// Symbols of a copy task, p.
    package internal(set) var symbols: Int
    /// The columns of numbers that are read, with commas between them, "" for all.
    package internal(set) var columns: String
    /// The column that is forecast, "" for the first.
    package internal(set) var target: String
    /// What becomes of holes.
    package internal(set) var missing: Missing
    /// Values that are forecast.
    package internal(set) var horizon: Int
    /// Rows of a season, 0 for none.
    package internal(set) var season: Int
  }

  /// Features of sound.
  package struct Audio: Sendable, Equatable {
    /// D, bands of the mel scale.
    package internal(set) var bands: Int
    /// Seconds of a frame.
    package internal(set) var window: Double
    /// Seconds from frame to frame.
    package internal(set) var hop: Double
    /// Deviation of the noise that normalized features of training get.
    package internal(set) var noise: Double
    /// The most seconds that a training clip is shifted.
    package internal(set) var shift: Double
  }
}
