import Problems

extension ClassifierEncoding {
  /// A file to predict: what an error calls it, and its bytes.
  package typealias File = (name: String, bytes: [UInt8])

  /// The sequences of files without labels, as the model reads them: each line of a text; each row of a table, which is known
  /// by its name (.csv, .tsv or .tab, in any case) or by the column of texts that its first line names; each series of a `.ts`
  /// file; a file of sound as one clip. Errors as the readers of labelled sequences have them; a table without the column
  /// of texts is one, too.
  package func input(
    of files: [File], form: LabelledFiles, account: DataAccount = DataAccount()
  ) throws(Problem) -> ClassifierInput {
    switch form {
    case .classFiles(_, let unit):
      return .tokens(try tokens(texts(of: files, column: nil, TableForm(), unit, account)))
    case .table(let column, _, let form):
      return .tokens(try tokens(texts(of: files, column: column, form, .lines, account)))
    case .series:
      return .values(
        try values(of: files) { file throws(Problem) in
          try TimeSeriesFile.unlabelled(bytes: file.bytes, name: file.name, account: account)
        })
    case .audio(_, let frames):
      return .values(
        try values(of: files) { file throws(Problem) in try features(of: file, frames, account).measured() })
    }
  }

  /// - Parameter column: That of the texts; nil for a model that learned lines of texts.
  private func texts(
    of files: [File], column: String?, _ form: TableForm, _ unit: TextUnit, _ account: DataAccount
  ) throws(Problem) -> LabelledTexts {
    var texts = LabelledTexts(width: 1, classes: classes)
    for file in files {
      let before = texts.count
      if let (table, index) = try PredictedTable(file, form, account).column(column) {
        try table.forEachRow { _, line, scanner, fields in
          texts.append(scanner.content(fields[index]), label: noTarget, name: "\(file.name):\(line)")
        }
      } else {
        if vocabulary?.kind != .bytes { try UTF8Text.validate(file.bytes, name: file.name) }
        try add(file, by: unit, to: &texts, account)
      }
      if texts.count == before { account.remark("file without anything to predict", at: file.name) }
    }
    return texts
  }

  private func add(
    _ file: File, by unit: TextUnit, to texts: inout LabelledTexts, _ account: DataAccount
  ) throws(Problem) {
    switch unit {
    case .files:
      if let text = wholeText(of: file.bytes) { texts.append(text, label: noTarget, name: file.name) }
    case .lines:
      try LineEnds.expectFeeds(file.bytes, name: file.name)
      forEachLine(of: file.bytes, blank: { tellBlank($0, of: file.name, account) }) { line, text in
        texts.append(text, label: noTarget, name: "\(file.name):\(line)")
      }
    }
  }

  private func values(
    of files: [File], _ read: (File) throws(Problem) -> MeasuredValues
  ) throws(Problem) -> LabelledValues {
    var all = LabelledValues(width: width!, classes: classes)
    for file in files {
      let sequences = try values(read(file), name: file.name)
      for index in 0..<sequences.count {
        all.append(sequences[index], label: noTarget, name: sequences.names[index])
      }
    }
    return all
  }

  private func features(
    of file: File, _ frames: LabelledFiles.MelFrames, _ account: DataAccount
  ) throws(Problem) -> LabelledValues {
    let clip = try AudioFile.decode(file.bytes, name: file.name, account: account)
    guard clip.rate == rate else { throw AudioClips.otherRate(clip.rate, expected: rate!, "in training", file.name) }
    var one = LabelledValues(width: frames.bands, classes: [])
    one.append(try frames.logMel(rate: clip.rate).features(of: clip.samples[...]), label: noTarget, name: file.name)
    return one
  }
}
