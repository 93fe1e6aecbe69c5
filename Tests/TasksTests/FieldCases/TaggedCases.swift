import Sequences
import Testing

/// Words with labels as corpora and programs write them.
struct TaggedCases {
  @Test(arguments: universal + columns + comments + separators + labels)
  func taggedWordsAreReadAsTheyAreMeantOrRefused(fieldCase: FieldCase) throws { try fieldCase.check() }

  /// A word of CoNLL-U.
  private static func word(_ id: String, _ form: String, _ tag: String, misc: String = "_") -> String {
    "\(id)\t\(form)\t\(form.lowercased())\t\(tag)\t\(tag.prefix(2))\t_\t0\troot\t_\t\(misc)\n"
  }

  private static let sentence =
    word("1", "The", "DET") + word("2", "dog", "NOUN") + word("3", "runs", "VERB", misc: "SpaceAfter=No")
  private static let simple = "EU B-ORG\nrejects O\n\nPeter B-PER\ncalls O\n"

  // MARK: CoNLL-U

  private static let universal: [FieldCase] = [
    .tagged(
      "CoNLL-U", sentence + "\n" + sentence, file: "en.conllu",
      outcome: .read(
        .init(
          told: ["words are column 2, FORM, labels are column 4, UPOS"], count: 2, classes: ["DET", "NOUN", "VERB"],
          entries: ["The", "dog", "runs"]))),
    .tagged(
      "CoNLL-U with comments", "# sent_id = 1\n# text = The dog runs\n\(sentence)\n# newpar\n\(sentence)",
      outcome: .read(
        .init(
          told: ["read as CoNLL-U", "comment is passed over", "t.txt, line 1"], count: 2,
          entries: ["The", "dog", "runs"]))),
    .tagged(
      "ranges and empty nodes",
      word("1-2", "du", "_") + word("1", "de", "ADP") + word("2", "le", "DET") + word("2.1", "est", "VERB")
        + word("3", "chat", "NOUN"),
      outcome: .read(
        .init(
          told: ["range of words", "line 1", "node that is not in the text", "line 4"], count: 1,
          classes: ["ADP", "DET", "NOUN"], entries: ["chat", "de", "le"]))),
    .tagged(
      "other columns of CoNLL-U by name", sentence, "data.wordColumn=LEMMA", "data.labelColumn=XPOS",
      outcome: .read(.init(classes: ["DE", "NO", "VE"], entries: ["dog", "runs", "the"]))),
    .tagged(
      "other columns of CoNLL-U by number", sentence, "data.wordColumn=3", "data.labelColumn=10",
      outcome: .read(.init(told: ["stands for none"], classes: ["SpaceAfter=No", "_"]))),
    .tagged(
      "a column that CoNLL-U has not", sentence, "data.labelColumn=upos",
      outcome: .refused(["expected one \"upos\"", "\"UPOS\"", "capitals count"])),
    .tagged(
      "words with blanks in CoNLL-U", word("1", "10 000", "NUM") + word("2", "#", "SYM"),
      outcome: .read(.init(told: ["word with a blank", "line 1"], classes: ["NUM", "SYM"], entries: ["#", "10 000"]))),
    .tagged(
      "CoNLL-U whose tabs became blanks", sentence.replacing("\t", with: "  "),
      outcome: .read(.init(told: ["read as CoNLL-U"], classes: ["DET", "NOUN", "VERB"]))),
    .tagged(
      "CoNLL-U Plus", "# global.columns = FORM UPOS X\nThe\tDET\t1\ndog\tNOUN\t2\n",
      outcome: .read(
        .init(told: ["words are column 1, FORM, labels are column 2, UPOS"], count: 1, classes: ["DET", "NOUN"]))),
    .tagged(
      "CoNLL-U without blank lines", sentence + sentence,
      outcome: .refused(["expected word 4, got 1", "line 4", "blank line"])),
    .tagged(
      "CoNLL-U with words left out", word("1", "The", "DET") + word("3", "runs", "VERB"),
      outcome: .read(.init(told: ["words seem to be missing", "line 2"]))),
    .tagged(
      "CoNLL-U with a line cut off", sentence + "\n1\tThe\tthe\tDET\n",
      outcome: .refused(["expected 10", "got 4", "line 5"])),
    .tagged(
      "CoNLL-U without labels", word("1", "The", "_") + word("2", "dog", "NOUN"),
      outcome: .read(.init(told: ["stands for none in CoNLL-U"]))),
    .tagged(
      "CRLF and a byte order mark", "\u{FEFF}" + sentence.replacing("\n", with: "\r\n") + "\r\n" + sentence,
      outcome: .read(.init(told: ["read as CoNLL-U"], count: 2, classes: ["DET", "NOUN", "VERB"]))),
  ]

  // MARK: Columns

  private static let columns: [FieldCase] = [
    .tagged(
      "words whose first column counts them", "1\tEU\tB\n2\tcalls\tO\n\n1\tHe\tO\n2\truns\tO\n",
      outcome: .refused(["numbers that count", "data.wordColumn=2"])),
    .tagged(
      "words whose first column counts them, said", "1\tEU\tB\n2\tcalls\tO\n\n1\tHe\tO\n2\truns\tO\n",
      "data.wordColumn=2", outcome: .read(.init(count: 2, entries: ["EU", "He", "calls", "runs"]))),
    .tagged(
      "a first column with the name of the document", "d/1 0 The D\nd/1 1 dog N\n\nd/1 0 It P\n",
      outcome: .refused(["\"d/1\" on every line", "data.wordColumn"])),
    .tagged(
      "a label in the middle", "EU NNP B\nruns VBZ O\n", "data.labelColumn=2",
      outcome: .read(.init(classes: ["NNP", "VBZ"]))),
    .tagged(
      "a column behind the last", "EU B\nruns O\n", "data.labelColumn=3",
      outcome: .refused(["number from 1 to 2 for data.labelColumn", "got 3"])),
    .tagged(
      "words and labels in one column", "EU B\nruns O\n", "data.labelColumn=1",
      outcome: .refused(["one column", "data.wordColumn"], exit: .badConfiguration)),
    .tagged(
      "a header", "Word\tPOS\tTag\nEU\tNNP\tB\nruns\tVBZ\tO\n",
      outcome: .read(.init(told: ["names the columns", "line 1"], count: 1, classes: ["B", "O"]))),
    .tagged(
      "the header again", "word\tner\nEU\tB\nruns\tO\n\nword\tner\nHe\tO\n",
      outcome: .refused(["header repeated", "line 5"])),
    .tagged(
      "a header, columns by name", "lemma\tword\tx\tner\nE\tEU\t1\tB\nrun\truns\t2\tO\n", "data.wordColumn=word",
      "data.labelColumn=ner",
      outcome: .read(.init(told: ["names the columns"], classes: ["B", "O"], entries: ["EU", "runs"]))),
    .tagged(
      "a name without a header", simple, "data.labelColumn=ner",
      outcome: .refused(["expected one \"ner\"", "\"EU\", \"B-ORG\"", "number from 1"])),
    .tagged(
      "a label that is the name of a column", "word X\ntoken tag\nx tag\n",
      outcome: .read(.init(count: 1, classes: ["X", "tag"]))),
    .tagged(
      "a tab at the end of each line", "EU\tB\t\nruns\tO\t\n",
      outcome: .read(.init(told: ["1 column at the end without values"], classes: ["B", "O"]))),
  ]

  // MARK: Comments

  private static let comments: [FieldCase] = [
    .tagged(
      "a comment of as many columns", "# id 1\ndog N x\nruns V y\n\n# id 1\ndog N x\nruns V y\n",
      outcome: .refused(["comment or word", "\"# id 1\"", "line 1", "data.comment='# '"])),
    .tagged(
      "a comment of as many columns, said", "# id 1\ndog N x\nruns V y\n\n# id 1\ndog N x\nruns V y\n",
      "data.comment=# ",
      outcome: .read(.init(told: ["comment is passed over", "line 1"], count: 2, classes: ["x", "y"]))),
    .tagged(
      "the word #, said", "# id 1\ndog N x\n", "data.comment=%%",
      outcome: .read(.init(count: 1, classes: ["1", "x"], entries: ["#", "dog"]))),
    .tagged(
      "a comment of other columns", "# sentence 1 of the file\n" + simple,
      outcome: .read(.init(told: ["comment is passed over"], count: 2, classes: ["B-ORG", "B-PER", "O"]))),
    .tagged(
      "comments between tabs", "# id\tx\n#\nEU\tB\nruns\tO\n",
      outcome: .refused(["comment or word"])),
    .tagged(
      "the word # between tabs", "#\tSYM\n1\tNUM\n\n# 7\nEU\tN\n",
      outcome: .read(.init(told: ["comment is passed over", "line 4"], count: 2, classes: ["N", "NUM", "SYM"]))),
    .tagged(
      "a word that begins with #", "#love O\nEU B\n\nso O\n# SYM\n",
      outcome: .read(.init(count: 2, classes: ["B", "O", "SYM"], entries: ["#", "#love", "EU", "so"]))),
    .tagged(
      "a hashtag without its label", "#love\nEU B\n",
      outcome: .refused(["expected 2", "got 1", "line 1", "data.comment"])),
    .tagged(
      "documents of CoNLL-2012", "#begin document (x); part 000\nd 0 The D\nd 1 dog N\n\n#end document\n",
      "data.wordColumn=3", outcome: .read(.init(told: ["comment is passed over"], count: 1, entries: ["The", "dog"]))),
    .tagged(
      "-DOCSTART-", "-DOCSTART- -X- -X- O\n\nEU NNP B-NP B\nruns VBZ B-VP O\n",
      outcome: .read(.init(told: ["-DOCSTART- is left out", "line 1"], count: 1, classes: ["B", "O"]))),
    .tagged(
      "-DOCSTART- of other columns", "-DOCSTART- (1 EU)\n\nEU\tB\nruns\tO\n\n-DOCSTART-\n\nHe\tO\n",
      outcome: .read(.init(told: ["-DOCSTART- is left out"], count: 2, entries: ["EU", "He", "runs"]))),
    .tagged(
      "-DOCSTART- without a blank line", "EU B\n-DOCSTART- O\nruns O\n",
      outcome: .read(.init(told: ["-DOCSTART- is left out", "line 2"], count: 2, entries: ["EU", "runs"]))),
    .tagged("nothing but -DOCSTART-", "-DOCSTART- O\n", outcome: .refused(["no sequences"])),
  ]

  // MARK: Separators

  private static let separators: [FieldCase] = [
    .tagged(
      "words with blanks between tabs", "New York\tLOC\nMount Rose\tO\n",
      outcome: .read(
        .init(told: ["word with a blank", "line 1"], classes: ["LOC", "O"], entries: ["Mount Rose", "New York"]))),
    .tagged(
      "labels with blanks between tabs", "York\tcity name\nis\tno name\n",
      outcome: .read(.init(classes: ["city name", "no name"], entries: ["York", "is"]))),
    .tagged(
      "blanks around tabs", "York \t LOC\nis\tO\n",
      outcome: .read(.init(told: ["blanks at the ends"], classes: ["LOC", "O"], entries: ["York", "is"]))),
    .tagged(
      "columns aligned by tabs", "the\t\tD\nrunning\tV\n",
      outcome: .read(.init(told: ["tabs and blanks alike"], classes: ["D", "V"], entries: ["running", "the"]))),
    .tagged(
      "a label left out between tabs", "New York\tLOC\nis\n", outcome: .refused(["between tabs", "got 1", "line 2"])),
    .tagged(
      "an empty label", "York\tLOC\nis\t\n", outcome: .refused(["empty field", "label", "line 2", "data.labelColumn"])),
    .tagged("an empty word", "York\tLOC\n\tO\n", outcome: .refused(["empty field", "word", "line 2"])),
    .tagged(
      "quotes of pandas", "\"\"\"\"\tPUNCT\nis\tO\n",
      outcome: .read(.init(told: ["in double quotes", "line 1"], classes: ["O", "PUNCT"]))),
    .tagged(
      "a table with commas and a number for each sequence", "Sentence: 1,Thousands,O\n,of,O\n",
      outcome: .refused(["expected 2", "got 1", "between tabs or blanks"])),
    .tagged(
      "labels behind slashes", "The/DT dog/NN runs/VBZ\nA/DT cat/NN sleeps/VBZ\n",
      outcome: .refused(["labels behind slashes", "\"The/DT\"", "sed"])),
    .tagged("commas", "York,LOC\nis,O\n", outcome: .refused(["at least 2, got 1", "tabs or blanks"])),
  ]

  // MARK: Labels

  private static let labels: [FieldCase] = [
    .tagged(
      "labels that differ in case", "York B-LOC\nis O\nParis b-loc\n",
      outcome: .read(
        .init(told: ["differ in case only", "\"B-LOC\" and \"b-loc\""], classes: ["B-LOC", "O", "b-loc"]))),
    .tagged(
      "a column of numbers for labels", (0..<200).map { "w\($0) 0.\(1000 + $0)\n" }.joined(),
      outcome: .refused(["numbers for classes", "data.labelColumn"])),
    .tagged(
      "a column of words for labels", (0..<200).map { "w\($0) l\($0)\n" }.joined(),
      outcome: .refused(["texts for classes", "data.labelColumn"])),
    .tagged(
      "one label", "York O\nis O\n", outcome: .refused(["one label only", "data.labelColumn"])),
  ]

  // MARK: Predicting

  /// What `predict` takes of a file, or the words of its error.
  struct Predicted: Sendable {
    let text: String
    var settings = TaggedColumns()
    var hasBlanks = false
    var words: [[String]] = []
    var told: [String] = []
    var refused: [String] = []
  }

  @Test(arguments: [
    Predicted(text: "EU\nruns\n\nHe\n", words: [["EU", "runs"], ["He"]]),
    Predicted(text: simple, words: [["EU", "rejects"], ["Peter", "calls"]], told: ["column 1 of 2"]),
    Predicted(
      text: "# a b\n" + sentence, words: [["The", "dog", "runs"]], told: ["read as CoNLL-U: words are column 2"]),
    Predicted(text: "EU\nruns O\n", refused: ["expected 1", "got 2", "line 2"]),
    Predicted(text: "-DOCSTART-\n\nEU\n", words: [["EU"]], told: ["-DOCSTART-"]),
    Predicted(text: "New York\nis\n", hasBlanks: true, words: [["New York", "is"]], told: ["word with a blank"]),
    Predicted(text: "New York\nis\n", refused: ["expected 2", "line 2"]),
    Predicted(text: "New York\tLOC\nis\tO\n", words: [["New York", "is"]], told: ["word with a blank"]),
    Predicted(text: "ner\tword\nB\tEU\n", settings: TaggedColumns(word: "word", label: "ner"), words: [["EU"]]),
    Predicted(text: "EU\nis\n", settings: TaggedColumns(word: "word", label: "ner"), words: [["EU", "is"]]),
    Predicted(
      text: "1 EU\n2 is\n", settings: TaggedColumns(word: "2"), words: [["EU", "is"]], told: ["column 2 of 2"]),
    Predicted(text: "# id 1\na b c\n", refused: ["comment or word"]),
    Predicted(text: "#\nb\n", words: [["#", "b"]]),
  ])
  func theSameFilesArePredicted(predicted: Predicted) throws {
    let account = DataAccount()
    func read() throws -> TaggedWords {
      try .unlabelled(
        of: [("new", Array(predicted.text.utf8))], columns: predicted.settings, hasBlanks: predicted.hasBlanks,
        account: account)
    }
    guard predicted.refused.isEmpty else {
      let error = #expect(throws: (any Error).self) { try read() }
      for word in predicted.refused { #expect("\(error!)".contains(word), "\(error!)") }
      return
    }
    let words = try read()
    #expect((0..<words.count).map { words[$0].map(\.text) } == predicted.words)
    for word in predicted.told { #expect(account.remarks.contains { $0.what.contains(word) }, "\(account.remarks)") }
  }
}
