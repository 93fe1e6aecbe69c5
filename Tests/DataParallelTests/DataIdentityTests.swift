import DataParallel
import Foundation
import Sequences
import Testing

@Suite struct DataIdentityTests {
  @Test func storedTokensHaveTheIdentityOfTokensInMemory() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "identity-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let text = folder.appending(path: "text.txt")
    try Data((0..<700).map { "w\($0 % 400) é" }.joined(separator: "\n").utf8).write(to: text)
    for kind in [TokenKind.bytes, .characters, .words] {
      for validation in [TextRecipe.Validation.none, .fraction(0.1), .file(text.path)] {
        let recipe = TextRecipe(path: text.path, numbers: .counted(kind, maximum: 0), validation: validation)
        let whole = try ReferenceCorpus(recipe)
        let corpus = try TextCorpus(recipe)
        #expect(
          DataIdentity(vocabulary: corpus.vocabularyJSON, tokensSHA256: corpus.tokensSHA256)
            == DataIdentity(
              vocabulary: Array(try whole.vocabulary.json()), tokens: [whole.training, whole.validation ?? []]))
      }
    }
  }
}
