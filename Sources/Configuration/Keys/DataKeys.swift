import Sequences

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
    /// What is held out of training.
    package enum Validation: Sendable, Equatable {
      /// Nothing.
      case none
      /// This share: of a text at its end, of labelled sequences drawn class by class.
      case fraction(Double)
      /// The data of another file or folder.
      case file(String)
    }

    package internal(set) var source = Source.generated
    package internal(set) var path = ""
    package internal(set) var files = ""
    package internal(set) var texts = TextUnit.lines
    package internal(set) var textColumn = ""
    package internal(set) var wordColumn = ""
    package internal(set) var labelColumn = ""
    package internal(set) var table = TableForm()
    package internal(set) var tokens = Tokens.symbols
    package internal(set) var vocabulary = 0
    package internal(set) var lineEnds = false
    package internal(set) var validation = Validation.none
    package internal(set) var heldOut = ""
    package internal(set) var folds = 0
    package internal(set) var fold = 0
    package internal(set) var trainingStrings = 0
    package internal(set) var heldOutStrings = 0
    package internal(set) var relevantSymbols = 0
    package internal(set) var shortest = 0
    package internal(set) var variant = Variant.a
    package internal(set) var symbols = 0
    package internal(set) var columns = ""
    package internal(set) var target = ""
    package internal(set) var missing = MissingValues.error
    package internal(set) var horizon = 0
    package internal(set) var season = 0

    static let keys: [ConfigurationKey] = [
      .init(
        "data.source", \.data.source, .choice,
        .derived(
          "text (language-model), conll (tagging), numbers (forecasting), piano-rolls (piano-roll), generated for "
            + "built-in tasks; "
            + "classification: series for a path *.ts, table for *.csv, *.tsv and *.tab, in any case, audio where data.files "
            + "ends in .wav or .flac, else class-files"
        ) { $0.usualSource.rawValue },
        "Where the sequences come from: generated, one text, a folder with a text file for each class, a table with texts "
          + "and labels, a series file of the UEA and UCR archives, a folder of WAV or FLAC files, a file "
          + "with a word and its label on each line (conll), a table of numbers."
      ).explained(
        "By their values: `class-files`, a folder with a text file for each class, a sequence on each line; "
          + "`table`, CSV or TSV with texts and labels; `series`, the `.ts` form of the UEA and UCR archives; "
          + "`conll`, a text file with a word and its label on each line, in two of its columns, which stand between tabs "
          + "or blanks, and blank lines between sequences: CoNLL-U, or the form of the CoNLL shared tasks; `piano-rolls`, JSON with the parts `train`, `valid` and `test`, "
          + "lists of pieces, each a list of frames, each a list of MIDI notes from 21 to 108."),
      .init(
        "data.path", \.data.path, .text("the path of a file or folder"), .always(""),
        scope: .tasks(.languageModel, .classification, .tagging, .forecasting, .pianoRoll),
        "The text to learn; the file or folder of labelled sequences; the file of words with labels; the table of numbers; "
          + "the file of piano rolls."
      ).explained(
        "A table is CSV or TSV, or a NumPy array (`.npy`) of one or two dimensions: rows of columns called "
          + "0, 1, …"),
      .init(
        "data.files", \.data.files, .text("a pattern with {class}"),
        .derived("{class}.txt for class-files, {class}/*.wav for audio, else none") {
          switch $0.data.source {
          case .classFiles: "{class}.txt"
          case .audio: "{class}/*.wav"
          default: ""
          }
        }, scope: .sources(.classFiles, .audio),
        "Which files of the folder are read, and which part of a name is the class: {class}_*.wav takes 7_jackson_32.wav "
          + "for a clip of class 7."
      ).explained(
        "`*` and `{class}` stand for one or more characters; capitals do not count in the suffix, so `*.wav` takes "
          + "`1.WAV` too."),
      .init(
        "data.texts", \.data.texts, .choice, .always("lines"), scope: .sources(.classFiles),
        "What one text is: each of the lines of a file, or each of the files, as where a class has a folder of documents."
      ),
      .init(
        "data.textColumn", \.data.textColumn, .text("the name of a column"),
        .derived("text for a table, else none") { $0.data.source == .table ? "text" : "" }, scope: .sources(.table),
        "The column of the texts."),
      .init(
        "data.wordColumn", \.data.wordColumn, .text("the number or name of a column"), .always(""),
        scope: .tasks(.tagging),
        "The column of the words of tagged words, by its number from 1, or by a name where the file is CoNLL-U or its first "
          + "line names the columns; without it FORM of CoNLL-U, else the first."),
      .init(
        "data.labelColumn", \.data.labelColumn, .text("the name of a column"),
        .derived("label for a table, else none") { $0.data.source == .table ? "label" : "" },
        scope: .sources(.table, .conll),
        "The column of the classes of a table; of the labels of tagged words, by its number or name, without it UPOS of "
          + "CoNLL-U, else the last."),
      .init(
        "data.separator", \.data.table.separator, .recognised(TableForm.Separator.self), .always("auto"),
        scope: .sources(.table, .numbers),
        "What stands between the fields of a table; auto recognises it by the first lines, and says so where it is not what the "
          + "name of the file promises: tabs for .tsv and .tab, else commas."),
      .init(
        "data.header", \.data.table.header, .header, .always("auto"), scope: .sources(.table, .numbers),
        "How many lines name the columns of a table, their fields put together; none calls them 0, 1, …; auto takes the "
          + "first, which may stand behind #."),
      .init(
        "data.comment", \.data.table.comment, .text("the beginning of a line"), .always(""),
        scope: .sources(.table, .numbers, .conll),
        "What lines of a table, or of tagged words, begin with that are none of its data; without it, lines that begin with # "
          + "before the header, or before the words of a sequence."),
      .init(
        "data.footer", \.data.table.footer, .integer(0...1000), .always("0"), scope: .sources(.table, .numbers),
        "Rows at the end of a table that are none of its data, such as sums."),
      .init(
        "data.holes", \.data.table.holes, .texts, .always(""), scope: .tasks(.forecasting),
        "Texts of a table that stand for no value, with | between them, besides nothing, NA, N/A, #N/A, NaN, null, None "
          + "and ?: such as ERR|-|-999. What becomes of holes says data.missing."),
      .init(
        "data.decimal", \.data.table.decimal, .recognised(TableForm.Decimal.self), .always("auto"),
        scope: .tasks(.forecasting),
        "What stands before the fraction of a number in a table; auto takes the comma, and says so, where some numbers can be "
          + "read only so and none only with a point."),
      .init(
        "data.thousands", \.data.table.thousands, .choice, .always("none"), scope: .tasks(.forecasting),
        "What stands between the thousands of a number in a table."),
      .init(
        "data.tokens", \.data.tokens, .choice,
        .derived(
          "symbols (reber, temporal-order, copy), characters (language-model), words (classification of "
            + "texts, tagging), else numbers"
        ) {
          $0.task.tokens(of: $0.data.source)[0].rawValue
        },
        "What one token of a text is: characters are Unicode scalars, words stand between white space, bytes read any "
          + "file. Symbols are those of generated tasks; series and sound are numbers."
      ).explained(
        "Series and sound are normalized by mean and deviation of the training part."),
      .init(
        "data.vocabulary", \.data.vocabulary, .integer(0...(1 << 21)),
        .derived("10000 for words, else 0") { $0.data.tokens == .words ? "10000" : "0" },
        "The most entries of the vocabulary of characters or words, <unk> included; rarer ones become <unk>. 0 keeps "
          + "all."),
      .init(
        "data.lineEnds", \.data.lineEnds, .flag, .always("false"), scope: .tasks(.languageModel),
        "Whether the end of each line is a word, <eos>, as corpora of words are counted."
      ).explained(
        "With `data.tokens: words`."),
      .init(
        "data.validation", \.data.validation, .validation,
        .derived("0 (built-in tasks, piano-roll, or with data.heldOut or data.folds), 0.2 (forecasting), else 0.1") {
          $0.task.isGenerated || $0.task == .pianoRoll || $0.data.holdsOutOtherwise
            ? "0" : $0.task == .forecasting ? "0.2" : "0.1"
        }, scope: .tasks(.languageModel, .classification, .tagging, .forecasting),
        "What is held out: this share, at the end of a text or table or drawn from each class of sequences; or other data; 0 holds "
          + "nothing out. A file whose name is a number needs a directory: ./0.5."),
      .init(
        "data.heldOut", \.data.heldOut, .text("patterns of names with | between them"), .always(""),
        scope: .tasks(.classification, .tagging),
        "Sequences held out by their names: *_0.wav|*_1.wav takes the first two recordings of each digit and speaker. Names "
          + "of lines and rows end with a colon and their number."),
      .init(
        "data.folds", \.data.folds, .integer(0...1000), .always("0"), scope: .tasks(.classification, .tagging),
        "Parts of a cross-validation, with the classes in their proportions; 0 for none."),
      .init(
        "data.fold", \.data.fold, .integer(0...999), .always("0"), scope: .tasks(.classification, .tagging),
        "The part of a cross-validation that is held out, from 0."),
      .init(
        "data.trainingStrings", \.data.trainingStrings, .integer(0...1_000_000), .byTask("0"),
        scope: .tasks(.reber), "Strings that the grammar generates for training."),
      .init(
        "data.heldOutStrings", \.data.heldOutStrings, .integer(0...1_000_000), .byTask("0"),
        scope: .tasks(where: \.isGenerated),
        "Strings generated for evaluation: of the grammar different ones, none of them a training string."
      ).explained(
        "They come from numbers that no training sequence has."),
      .init(
        "data.relevantSymbols", \.data.relevantSymbols, .integer(0...3), .byTask("0"),
        scope: .tasks(.temporalOrder), "Symbols whose order is asked for: 2 (task 6a) or 3 (6b)."),
      .init(
        "data.variant", \.data.variant, .choice, .always("2a"), scope: .tasks(.copy),
        "What stands between the two symbols: always the same ones (2a), random ones (2b), random ones of any number and "
          + "a trigger (2c)."),
      .init(
        "data.symbols", \.data.symbols, .integer(0...1_000_000),
        .derived("100 (copy), 50 for its variant 2c, else 0") {
          $0.task == .copy ? $0.data.variant == .c ? "50" : "100" : "0"
        },
        scope: .tasks(.copy),
        "p of the paper: 2a and 2b have p − 1 symbols between the two, 2c has p different ones there."),
      .init(
        "data.shortest", \.data.shortest, .integer(0...10_000_000),
        .derived("100 (adding, multiplication), 50 (copy 2c), else 0") {
          switch $0.task {
          case .adding, .multiplication: "100"
          case .copy: $0.data.variant == .c ? "50" : "0"
          default: "0"
          }
        },
        scope: .tasks(.adding, .multiplication, .copy),
        "T of the paper, at least 22: sequences have T to T + T/10 timesteps. Of copy 2c it is q, the fewest symbols "
          + "between the first and the last."
      ).explained(
        "As many more follow as a coin with tails in one of ten throws shows heads, at most 250."),
      .init(
        "data.columns", \.data.columns, .text("names of columns with commas between them"), .always(""),
        scope: .tasks(.forecasting),
        "The columns that are read; without any, all. A name with a comma stands in double quotes. Behind a name may stand "
          + ":categories for texts, :cycle=24 for whole numbers that come again, :year, :month, :weekday or :hour for dates."
      ).explained(
        "`wind:categories` makes of texts a column `wind=NW` of 1 and 0 for each text of the training rows "
          + "(at most 256; another text, or a hole, is 0 in all), `hour:cycle=24` of whole numbers sine and "
          + "cosine, `date:year` of dates such as 2016-02-29 sine and cosine of the day in the year, `date:month`, "
          + "`date:weekday` and, with a time such as 13:45 behind the date, `date:hour` of those."),
      .init(
        "data.target", \.data.target, .text("the name of a column"), .always(""), scope: .tasks(.forecasting),
        "The column that is forecast, one of those that are read; without a name, the first."),
      .init(
        "data.missing", \.data.missing, .choice, .always("error"), scope: .tasks(.forecasting),
        "What becomes of the holes of a table of numbers: an error, the value above, or the mean of the training rows."),
      .init(
        "data.horizon", \.data.horizon, .integer(0...10_000), .byTask("0"),
        scope: .tasks(.forecasting),
        "How many values are forecast."),
      .init(
        "data.season", \.data.season, .integer(0...1_000_000), .always("0"), scope: .tasks(.forecasting),
        "Rows of a season, for the seasonal naive forecast that stands beside the model's; 0 for none."),
    ]
  }
}

extension ValueType {
  /// One of some names, or auto, which is nil: it is recognised.
  fileprivate static func recognised<Choice: RawRepresentable<String> & CaseIterable & Sendable>(
    _ type: Choice.Type
  ) -> Self where Value == Choice? {
    let names = ["auto"] + Choice.allCases.map(\.rawValue)
    return Self(
      expected: names.joined(separator: " or "), examples: names, text: { $0?.rawValue ?? "auto" },
      read: { $0.text == "auto" ? .some(nil) : Choice(rawValue: $0.text).map { .some($0) } })
  }
}

extension ValueType<[String]> {
  /// Texts with | between them.
  fileprivate static let texts = Self(
    expected: "texts with | between them", examples: ["", "ERR", "-|-999"],
    text: { YAMLText.quoted($0.joined(separator: "|")) },
    read: { scalar in
      scalar.text.utf8.contains(0) ? nil : scalar.text.isEmpty ? [] : scalar.text.split(separator: "|").map(String.init)
    })
}

extension ValueType<TableForm.Header> {
  fileprivate static let header = Self(
    expected: "auto or none or an integer from 1 to 9", examples: ["auto", "none", "1", "2"],
    text: {
      switch $0 {
      case .recognised: "auto"
      case .none: "none"
      case .lines(let count): String(count)
      }
    },
    read: {
      switch $0.text {
      case "auto": .recognised
      case "none": TableForm.Header.none
      default: $0.integer(Int.self).flatMap { (1...9).contains($0) ? .lines($0) : nil }
      }
    })
}

extension ValueType<Configuration.Data.Validation> {
  fileprivate static let validation = Self(
    expected: "a fraction from 0 to below 1, or a path", examples: ["0", "0.25", "x"],
    text: {
      switch $0 {
      case .none: "0"
      case .fraction(let share): YAMLText.number(share)
      case .file(let file): YAMLText.quoted(file)
      }
    },
    read: {
      guard let share = $0.number else {
        return $0.text.isEmpty || $0.text.utf8.contains(0) ? nil : .file($0.text)
      }
      return share == 0 ? Configuration.Data.Validation.none : (0..<1).contains(share) ? .fraction(share) : nil
    })
}
