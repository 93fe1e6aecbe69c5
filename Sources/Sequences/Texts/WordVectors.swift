import Files
import Glibc
import Problems

/// Pretrained word vectors in text form, as word2vec and GloVe write them: on each line a word and D numbers with blanks
/// between them; word2vec's first line says how many words there are, and D. Only the vectors of a vocabulary's
/// words are kept: the file is read piece by piece, and may be larger than memory.
package struct WordVectors: Sendable, Equatable {
  /// The file.
  package let path: String
  /// D.
  package let width: Int
  /// The tokens that have a vector.
  package private(set) var tokens: [Int32] = []
  /// [tokens, D] row-major.
  package private(set) var values: [Float] = []

  private static let longestLine = 1 << 20
  private var seen: Set<Int32> = []

  /// The number of vectors that the first line says, if it is one of word2vec.
  private var stated: Int?

  /// Reads the vectors of the words of `vocabulary`; of a word that comes twice the first counts, and one that is blank
  /// is passed over. A line of another length, a known word whose vector is no numbers, another number of vectors than
  /// the first line says, a file without vectors, and one that is no text in UTF-8 are errors with exit code 65.
  package init(
    path: String, vocabulary: Vocabulary, width: Int, account: DataAccount = DataAccount()
  ) throws(Problem) {
    (self.path, self.width) = (path, width)
    var (number, vectors) = (0, 0)
    let beginning = try TextFile.beginning(of: path, as: "file of word vectors")
    try UTF8Text.expectText(beginning, name: path)
    try TextFile.forEachLine(of: path, longest: WordVectors.longestLine, as: "file of word vectors") {
      line throws(Problem) in
      number += 1
      guard let text = String(validating: line, as: UTF8.self) else {
        throw .data(
          "word vectors are not UTF-8 — expected UTF-8, got other bytes (\(path), line \(number))",
          hint: TextEncoding.wide(beginning).map { "convert the file: iconv -f \($0) -t UTF-8 FILE > NEW" }
            ?? "convert the file to UTF-8, or leave out what is not: iconv -c -f UTF-8 -t UTF-8 FILE > NEW")
      }
      if try add(text, number, vocabulary, account) { vectors += 1 }
    }
    guard vectors > 0 else { throw .data("no word vectors — expected at least one, got none (\(path))") }
    if let stated, stated != vectors {
      throw .data(
        "number of word vectors — expected \(stated) as the first line says, got \(vectors) (\(path))",
        hint: vectors < stated
          ? "the file is cut off: get it anew; or write the number that is there into its first line"
          : "write the number that is there into its first line, or leave that line out")
    }
  }

  /// Takes a line; false for one that holds no vector.
  private mutating func add(
    _ line: String, _ number: Int, _ vocabulary: Vocabulary, _ account: DataAccount
  ) throws(Problem) -> Bool {
    let fields = line.utf8.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }.map { Substring($0) }
    if number == 1, fields.count == 2, let count = Int(fields[0]), let length = Int(fields[1]) {
      guard length == width else { throw otherWidth("\(length)", number) }
      stated = count
      return false
    }
    if fields.isEmpty && number > 1 {
      account.remark("line of nothing but white space is passed over", at: "\(path), line \(number)")
      return false
    }
    // The first field is a word, or the word is a blank.
    if fields.count == width, let first = line.utf8.first, first == 0x20 || first == 0x09 {
      account.remark("vector of a word that is a blank is passed over", at: "\(path), line \(number)")
      return true
    }
    let before = fields.count - width
    // A word may have blanks in it; what stands before the numbers is no number.
    guard before >= 1, before == 1 || NumberText.value(fields[before - 1]) == nil else {
      throw otherWidth("\(max(0, fields.count - 1))", number)
    }
    let word = ExactString(fields[..<before].joined(separator: " "))
    guard let token = vocabulary.number(ofWord: word) else { return true }
    guard seen.insert(token).inserted else {
      account.remark(
        "word with two vectors: the first one counts", at: "\(path), line \(number), \(quoted(word.text))")
      return true
    }
    tokens.append(token)
    for field in fields[before...] {
      guard let value = NumberText.single(field) else {
        throw .data(
          "not a number — expected \(width) numbers behind \(quoted(word.text)), got \(quoted(String(field))) "
            + "(\(path), line \(number))")
      }
      values.append(value)
    }
    return true
  }

  private func otherWidth(_ got: String, _ line: Int) -> Problem {
    .data(
      "length of word vectors — expected a word and model.embedding = \(width) numbers, got \(got) (\(path), line "
        + "\(line))", hint: "set model.embedding to the length of the vectors")
  }
}
