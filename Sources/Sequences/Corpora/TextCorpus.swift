import CSystem
import Files
import Foundation
import Glibc
import Problems

/// A text made ready for training: vocabulary, training tokens and validation tokens.
///
/// The tokens lie in a token file that is mapped. Of a text that is not small it is in the cache, where `TokenCache`
/// has made it once for all processes of the node; of a small one it is in memory and each process makes its own.
package struct TextCorpus: Sendable {
  /// The tokens of the training text, as it alone has them.
  package let vocabulary: Vocabulary
  /// The vocabulary as JSON.
  package let vocabularyJSON: [UInt8]
  /// The tokens to train on.
  package let training: TokenSequence
  /// The tokens held out; nil where nothing is.
  package let validation: TokenSequence?
  /// How many tokens of each part stand for something that the vocabulary has not; nil where nothing is held out.
  package let unknown: (training: DataAccount.Unknown, validation: DataAccount.Unknown?)
  /// SHA-256 over training and validation tokens as integers of four bytes, each part with its count before it, in
  /// lowercase hexadecimal digits.
  package let tokensSHA256: String

  /// The corpus of a recipe. Files that cannot be read are errors with exit code 74; text that is empty, of a single
  /// token, or not UTF-8 where it must be, has exit code 65.
  /// - Precondition: `cache.prepare` has been called for this recipe, by this process or another of the node.
  package init(_ recipe: TextRecipe, cache: TokenCache = .standard) throws {
    self = try cache.open(recipe)
  }

  /// Tells what looks wrong with the form of the text at `path`, which nevertheless was read as it stands.
  package func tellForm(of path: String, _ account: DataAccount) {
    switch vocabulary.kind {
    case .bytes:
      guard let beginning = try? TextFile.beginning(of: path) else { return }
      if let kind = FileKind(beginning) {
        account.remark("\(kind.name) is learned byte by byte", at: path, hint: kind.hint)
      } else if let encoding = TextEncoding.wide(beginning) {
        account.remark(
          "text in \(encoding), as it seems, is learned byte by byte", at: path,
          hint: "iconv -f \(encoding) -t UTF-8 FILE > NEW")
      }
    case .characters:
      let (feed, carriage) = (UInt32(0x0A), UInt32(0x0D))
      guard vocabulary.number(ofScalar: carriage) != nil, vocabulary.number(ofScalar: feed) == nil else { return }
      account.remark(
        "lines end with carriage returns alone, which are characters of the text", at: path,
        hint: "put line feeds in their place: tr '\\r' '\\n' < FILE > NEW")
    case .words, .symbols: break
    }
  }

  /// - Parameter file: whole, as `check` finds it.
  init(_ file: TokenFile) throws {
    let (header, memory) = (file.header, try file.map())
    vocabularyJSON = try file.vocabularyJSON()
    vocabulary = try Vocabulary(json: Data(vocabularyJSON), name: file.path)
    var offset = TokenFileHeader.byteCount
    training = TokenSequence(memory, offset: offset, count: header.training, width: header.width)
    offset += header.training * header.width.rawValue
    validation =
      header.validation == 0
      ? nil : TokenSequence(memory, offset: offset, count: header.validation, width: header.width)
    unknown = (
      DataAccount.Unknown(tokens: header.training, unknown: header.unknown.training),
      header.validation == 0
        ? nil : DataAccount.Unknown(tokens: header.validation, unknown: header.unknown.validation)
    )
    tokensSHA256 = header.tokens.hexadecimal
  }

  /// The corpus of a recipe, in memory.
  init(inMemory recipe: TextRecipe, pieceBytes: Int) throws {
    let name = "memory for \(recipe.path)"
    let descriptor = system_memory_file()
    guard descriptor >= 0 else {
      let reason = String(cString: strerror(errno)).lowercased()
      throw Problem.file(
        "tokens cannot be kept in memory — expected a new file without a name, got \"\(reason)\" (\(recipe.path))")
    }
    do {
      _ = try TokenFileBuilder(recipe: recipe, pieceBytes: pieceBytes).build(descriptor, name: name)
    } catch {
      close(descriptor)
      throw error
    }
    try self.init(TokenFile(descriptor, recipe.path))
  }
}

extension [UInt8] {
  /// Two digits for each byte.
  var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}
