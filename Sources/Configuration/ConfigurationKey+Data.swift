extension ConfigurationKey {
  static let data: [ConfigurationKey] = [
    .choice(
      "data.source", \.data.source,
      .derived(
        "text (language-model), conll (tagging), numbers (forecasting), piano-rolls (piano-roll), generated for "
          + "built-in tasks; "
          + "classification: series for a path *.ts, table for *.csv and *.tsv, audio where data.files ends in .wav or "
          + ".flac, else class-files"
      ) { $0.usualSource.rawValue },
      "Where the sequences come from: generated, one text, a folder with a text file for each class, a table with texts "
        + "and labels, a series file of the UEA and UCR archives, a folder of WAV or FLAC files, a file "
        + "with a word and its label on each line (conll), a table of numbers."),
    .text(
      "data.path", \.data.path, expected: "the path of a file or folder",
      scope: .tasks(.languageModel, .classification, .tagging, .forecasting, .pianoRoll),
      "The text to learn; the file or folder of labelled sequences; the file of words with labels; the table of numbers; "
        + "the file of piano rolls."),
    .text(
      "data.files", \.data.files, expected: "a pattern with {class}",
      .derived("{class}.txt for class-files, {class}/*.wav for audio, else none") {
        switch $0.data.source {
        case .classFiles: "{class}.txt"
        case .audio: "{class}/*.wav"
        default: ""
        }
      }, scope: .sources(.classFiles, .audio),
      "Which files of the folder are read, and which part of a name is the class: {class}_*.wav takes 7_jackson_32.wav "
        + "for a clip of class 7."),
    .text(
      "data.textColumn", \.data.textColumn, expected: "the name of a column",
      .derived("text for a table, else none") { $0.data.source == .table ? "text" : "" }, scope: .sources(.table),
      "The column of the texts."),
    .text(
      "data.labelColumn", \.data.labelColumn, expected: "the name of a column",
      .derived("label for a table, else none") { $0.data.source == .table ? "label" : "" }, scope: .sources(.table),
      "The column of the classes."),
    .choice(
      "data.tokens", \.data.tokens,
      .derived(
        "symbols (reber, temporal-order, copy), characters (language-model), words (classification of "
          + "texts, tagging), else numbers"
      ) {
        $0.task.tokens(of: $0.data.source)[0].rawValue
      },
      "What one token of a text is: characters are Unicode scalars, words stand between white space, bytes read any "
        + "file. Symbols are those of generated tasks; series and sound are numbers."),
    .integer(
      "data.vocabulary", \.data.vocabulary, 0...(1 << 21),
      .derived("10000 for words, else 0") { $0.data.tokens == .words ? "10000" : "0" },
      "The most entries of the vocabulary of characters or words, <unk> included; rarer ones become <unk>. 0 keeps "
        + "all."),
    .flag(
      "data.lineEnds", \.data.lineEnds, .always("false"), scope: .tasks(.languageModel),
      "Whether the end of each line is a word, <eos>, as corpora of words are counted."),
    .validation(
      "data.validation", \.data.validation,
      .derived("0 (built-in tasks, piano-roll, or with data.heldOut or data.folds), 0.2 (forecasting), else 0.1") {
        $0.task.isGenerated || $0.task == .pianoRoll || $0.data.holdsOutOtherwise
          ? "0" : $0.task == .forecasting ? "0.2" : "0.1"
      }, scope: .tasks(.languageModel, .classification, .tagging, .forecasting),
      "What is held out: this share, at the end of a text or table or drawn from each class of sequences; or other data; 0 holds "
        + "nothing out. A file whose name is a number needs a directory: ./0.5."),
    .text(
      "data.heldOut", \.data.heldOut, expected: "patterns of names with | between them",
      scope: .tasks(.classification, .tagging),
      "Sequences held out by their names: *_0.wav|*_1.wav takes the first two recordings of each digit and speaker. Names "
        + "of lines and rows end with a colon and their number."),
    .integer(
      "data.folds", \.data.folds, 0...1000, .always("0"), scope: .tasks(.classification, .tagging),
      "Parts of a cross-validation, with the classes in their proportions; 0 for none."),
    .integer(
      "data.fold", \.data.fold, 0...999, .always("0"), scope: .tasks(.classification, .tagging),
      "The part of a cross-validation that is held out, from 0."),
    .integer(
      "data.trainingStrings", \.data.trainingStrings, 0...1_000_000, .byTask("0", [.reber: "8192"]),
      scope: .tasks(.reber), "Strings that the grammar generates for training."),
    .integer(
      "data.heldOutStrings", \.data.heldOutStrings, 0...1_000_000,
      .byTask("0", [.reber: "256", .temporalOrder: "2560", .adding: "2560", .multiplication: "2560", .copy: "10000"]),
      scope: .tasks(.reber, .temporalOrder, .adding, .multiplication, .copy),
      "Strings generated for evaluation: of the grammar different ones, none of them a training string."),
    .integer(
      "data.relevantSymbols", \.data.relevantSymbols, 0...3, .byTask("0", [.temporalOrder: "2"]),
      scope: .tasks(.temporalOrder), "Symbols whose order is asked for: 2 (task 6a) or 3 (6b)."),
    .choice(
      "data.variant", \.data.variant, .always("2a"), scope: .tasks(.copy),
      "What stands between the two symbols: always the same ones (2a), random ones (2b), random ones of any number and "
        + "a trigger (2c)."),
    .integer(
      "data.symbols", \.data.symbols, 0...1_000_000,
      .derived("100 (copy), 50 for its variant 2c, else 0") {
        $0.task == .copy ? $0.data.variant == .c ? "50" : "100" : "0"
      },
      scope: .tasks(.copy),
      "p of the paper: 2a and 2b have p − 1 symbols between the two, 2c has p different ones there."),
    .integer(
      "data.shortest", \.data.shortest, 0...10_000_000,
      .derived("100 (adding, multiplication), 50 (copy 2c), else 0") {
        switch $0.task {
        case .adding, .multiplication: "100"
        case .copy: $0.data.variant == .c ? "50" : "0"
        default: "0"
        }
      },
      scope: .tasks(.adding, .multiplication, .copy),
      "T of the paper, at least 22: sequences have T to T + T/10 timesteps. Of copy 2c it is q, the fewest symbols "
        + "between the first and the last."),
    .text(
      "data.columns", \.data.columns, expected: "names of columns with commas between them",
      scope: .tasks(.forecasting),
      "The columns that are read; without any, all. Behind a name may stand :categories for texts, :cycle=24 for whole "
        + "numbers that come again, :year for dates."),
    .text(
      "data.target", \.data.target, expected: "the name of a column", scope: .tasks(.forecasting),
      "The column that is forecast, one of those that are read; without a name, the first."),
    .choice(
      "data.missing", \.data.missing, .always("error"), scope: .tasks(.forecasting),
      "What becomes of the holes of a table of numbers: an error, the value above, or the mean of the training rows."),
    .integer(
      "data.horizon", \.data.horizon, 0...10_000, .byTask("0", [.forecasting: "1"]), scope: .tasks(.forecasting),
      "How many values are forecast."),
    .integer(
      "data.season", \.data.season, 0...1_000_000, .always("0"), scope: .tasks(.forecasting),
      "Rows of a season, for the seasonal naive forecast that stands beside the model's; 0 for none."),
  ]

  static let audio: [ConfigurationKey] = [
    .integer(
      "audio.bands", \.audio.bands, 1...1024, .always("40"), scope: .sources(.audio),
      "D, bands of the log-mel features, equally wide on the mel scale from 20 Hz to half the sample rate."),
    .number(
      "audio.window", \.audio.window, 0.0001...10, .always("0.025"), scope: .sources(.audio),
      "Seconds of a frame of sound."),
    .number(
      "audio.hop", \.audio.hop, 0.0001...10, .always("0.01"), scope: .sources(.audio),
      "Seconds from the beginning of a frame to that of the next."),
    .number(
      "audio.noise", \.audio.noise, 0...10, .always("0"), scope: .sources(.audio),
      "The deviation of noise that is added to each normalized feature of training clips, anew in every epoch."),
    .number(
      "audio.shift", \.audio.shift, 0...10, .always("0"), scope: .sources(.audio),
      "Training clips come earlier or later by up to so many seconds, anew in every epoch."),
  ]
}
