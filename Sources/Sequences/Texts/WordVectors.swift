import Files
import Glibc
import Problems

/// Pretrained word vectors in text form, as word2vec and GloVe write them: on each line a word and D numbers with blanks
/// between them; word2vec's first line, the number of words and D, is passed over. Only the vectors of a vocabulary's
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

  /// Reads the vectors of the words of `vocabulary`; of a word that comes twice the first counts. A line of another
  /// length, a known word whose vector is no numbers, a file without vectors, and text that is not UTF-8 are errors with exit code 65.
  package init(path: String, vocabulary: Vocabulary, width: Int) throws(Problem) {
    (self.path, self.width) = (path, width)
    var (number, vectors) = (0, 0)
    try TextFile.forEachLine(of: path, longest: WordVectors.longestLine, as: "file of word vectors") {
      line throws(Problem) in
      number += 1
      guard let text = String(validating: line, as: UTF8.self) else {
        throw .data(
          "word vectors are not UTF-8 — expected UTF-8, got other bytes (\(path), line \(number))",
          hint: "convert the file to UTF-8")
      }
      if try add(text, number, vocabulary) { vectors += 1 }
    }
    guard vectors > 0 else { throw .data("no word vectors — expected at least one, got none (\(path))") }
  }

  /// Takes a line; false for one that holds no vector.
  private mutating func add(_ line: String, _ number: Int, _ vocabulary: Vocabulary) throws(Problem) -> Bool {
    let fields = line.utf8.split { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }.map { Substring($0) }
    if number == 1, fields.count == 2, Int(fields[0]) != nil, let stated = Int(fields[1]) {
      guard stated == width else { throw otherWidth("\(stated)", number) }
      return false
    }
    let before = fields.count - width
    // A word may have blanks in it; what stands before the numbers is no number.
    guard before >= 1, before == 1 || NumberText.value(fields[before - 1]) == nil else {
      throw otherWidth("\(max(0, fields.count - 1))", number)
    }
    let word = ExactString(fields[..<before].joined(separator: " "))
    guard let token = vocabulary.number(ofWord: word), seen.insert(token).inserted else { return true }
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
