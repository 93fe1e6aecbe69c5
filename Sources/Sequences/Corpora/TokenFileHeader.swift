import ExactMath

/// The beginning of a token file. Behind it stand the tokens to train on, those held out, and the vocabulary as JSON,
/// with nothing between. All numbers are little-endian.
struct TokenFileHeader {
  static let byteCount = 168
  /// A vocabulary of more bytes than this, 1 GiB, is not written; it is read into memory.
  static let mostVocabularyBytes = 1 << 30
  /// The name of the format, and its version.
  private static let magic: UInt64 = 0x336B_6F74_6D74_736C  // "lstmtok3"

  /// Bytes of a token.
  var width = TokenWidth.one
  /// Tokens to train on.
  var training = 0
  /// Tokens held out; 0 where nothing is.
  var validation = 0
  /// How many of the tokens to train on, and of those held out, stand for something that the vocabulary has not.
  var unknown = (training: 0, validation: 0)
  /// Bytes of the vocabulary.
  var vocabularyBytes = 0
  /// XXH64 of everything behind the header, piece after piece.
  var checksum: UInt64 = 0
  /// SHA-256 of the recipe.
  var recipe = [UInt8](repeating: 0, count: 32)
  /// SHA-256 of the SHA-256 of each file.
  var contents = [UInt8](repeating: 0, count: 32)
  /// SHA-256 of the tokens, as `DataIdentity` has it.
  var tokens = [UInt8](repeating: 0, count: 32)

  /// Bytes of all tokens.
  var tokenBytes: Int { (training + validation) * width.rawValue }

  /// The header in a file, with a checksum of its own at the end.
  var bytes: [UInt8] {
    let words = [
      TokenFileHeader.magic, UInt64(width.rawValue), UInt64(training), UInt64(validation), UInt64(vocabularyBytes),
      checksum, UInt64(unknown.training), UInt64(unknown.validation),
    ]
    var bytes = words.flatMap(TokenFileHeader.littleEndian) + recipe + contents + tokens
    bytes += TokenFileHeader.littleEndian(bytes.withUnsafeBytes { XXHash64.hash($0) })
    return bytes
  }

  init() {}

  /// The header of a file of `fileLength` bytes; what is wrong with it where there is something.
  init(_ bytes: [UInt8], fileLength: Int) throws(Flaw) {
    guard bytes.count == TokenFileHeader.byteCount else {
      throw Flaw(expected: "at least \(TokenFileHeader.byteCount) bytes", got: "\(bytes.count)")
    }
    let words = (0..<8).map { TokenFileHeader.word(bytes, 8 * $0) }
    guard words[0] == TokenFileHeader.magic else {
      throw Flaw(expected: "a token file of version 3", got: "something else")
    }
    let body = bytes.dropLast(8)
    guard body.withUnsafeBytes({ XXHash64.hash($0) }) == TokenFileHeader.word(bytes, body.count) else {
      throw Flaw(expected: "the header's checksum", got: "another one")
    }
    guard let width = TokenWidth(rawValue: Int(clamping: words[1])) else {
      throw Flaw(expected: "tokens of 1, 2 or 4 bytes", got: "\(words[1])")
    }
    self.width = width
    (training, validation) = (Int(clamping: words[2]), Int(clamping: words[3]))
    vocabularyBytes = Int(clamping: words[4])
    checksum = words[5]
    unknown = (Int(clamping: words[6]), Int(clamping: words[7]))
    // Divided and subtracted, never multiplied and added: with huge numbers that would overflow.
    let room = fileLength - TokenFileHeader.byteCount
    guard vocabularyBytes <= min(room, TokenFileHeader.mostVocabularyBytes) else {
      throw Flaw(
        expected: "a vocabulary of at most \(min(room, TokenFileHeader.mostVocabularyBytes)) bytes",
        got: "\(vocabularyBytes)")
    }
    let (tokenCount, rest) = (room - vocabularyBytes).quotientAndRemainder(dividingBy: width.rawValue)
    guard rest == 0, training <= tokenCount, validation == tokenCount - training, unknown.training <= training,
      unknown.validation <= validation
    else {
      throw Flaw(expected: "the length that its header says", got: "\(fileLength) bytes")
    }
    func digest(_ index: Int) -> [UInt8] { Array(bytes[64 + 32 * index..<96 + 32 * index]) }
    (recipe, contents, tokens) = (digest(0), digest(1), digest(2))
  }

  /// Why a file is not a good token file.
  struct Flaw: Error, Equatable {
    let expected: String
    let got: String
  }

  private static func littleEndian(_ word: UInt64) -> [UInt8] { withUnsafeBytes(of: word.littleEndian) { Array($0) } }

  private static func word(_ bytes: [UInt8], _ offset: Int) -> UInt64 {
    bytes.withUnsafeBytes { UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) }
  }
}
