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
    case .classFiles: return .tokens(try tokens(texts(of: files, column: nil, TableForm(), account)))
    case .table(let column, _, let form): return .tokens(try tokens(texts(of: files, column: column, form, account)))
    case .series:
      return .values(
        try values(of: files) { file throws(Problem) in
          try TimeSeriesFile.unlabelled(bytes: file.bytes, name: file.name, account: account)
        })
    case .audio(_, let frames):
      return .values(
        try values(of: files) { file throws(Problem) in try features(of: file, frames).measured() })
    }
  }

  /// - Parameter column: That of the texts; nil for a model that learned lines of texts.
  private func texts(
    of files: [File], column: String?, _ form: TableForm, _ account: DataAccount
  ) throws(Problem) -> LabelledTexts {
    var texts = LabelledTexts(width: 1, classes: classes)
    for file in files {
      let before = texts.count
      if let (table, index) = try PredictedTable(file, form, account).column(column) {
        try table.forEachRow { _, line, scanner, fields in
          texts.append(scanner.content(fields[index]), label: noTarget, name: "\(file.name):\(line)")
        }
      } else {
        forEachLine(of: file.bytes) { line, text in texts.append(text, label: noTarget, name: "\(file.name):\(line)") }
      }
      if texts.count == before { account.remark("file without anything to predict", at: file.name) }
    }
    return texts
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
    of file: File, _ frames: LabelledFiles.MelFrames
  ) throws(Problem) -> LabelledValues {
    let clip = try AudioFile.decode(file.bytes, name: file.name)
    guard clip.rate == rate else { throw AudioClips.otherRate(clip.rate, expected: rate!, "in training", file.name) }
    var one = LabelledValues(width: frames.bands, classes: [])
    one.append(try frames.logMel(rate: clip.rate).features(of: clip.samples[...]), label: noTarget, name: file.name)
    return one
  }
}
