import ExactMath
import Foundation
import Problems
import Sequences
import Testing

@Suite struct TokenCacheTests {
  private let folder: TestFolder
  private let cache: TokenCache

  init() throws {
    folder = try TestFolder()
    cache = TokenCache(directory: folder.path + "/deep/cache", smallestText: 0)
  }

  private func recipe(_ kind: TokenKind = .characters, _ validation: TextRecipe.Validation = .fraction(0.2)) throws
    -> TextRecipe
  { TextRecipe(path: folder.path + "/text.txt", numbers: .counted(kind, maximum: 0), validation: validation) }

  /// What `prepare` tells.
  private func prepare(_ recipe: TextRecipe) throws -> [String] {
    var told: [String] = []
    try cache.prepare(recipe) { told.append($0) }
    return told
  }

  /// The files of the cache, by name.
  private func files() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: cache.directory).sorted()
  }

  /// The files of tokens, without the links that name them too.
  private func tokenFiles() throws -> [String] { try files().filter { $0.hasSuffix(".tokens") } }

  private func number(of file: String) throws -> Int {
    try #require(try FileManager.default.attributesOfItem(atPath: file)[.systemFileNumber] as? Int)
  }

  @Test func tokensAreMadeOnceForEachRecipeAndText() throws {
    try folder.write("abcabcabcabc".utf8, "text.txt")
    #expect(try prepare(recipe()).count == 1 && tokenFiles().count == 1)
    #expect(try prepare(recipe()).isEmpty && files().count == 2)
    #expect(try prepare(recipe(.bytes)).count == 1 && prepare(recipe(.characters, .none)).count == 1)
    #expect(try tokenFiles().count == 3 && files().count == 6)
    let running = try TextCorpus(recipe(), cache: cache)
    let before = try tokenFiles().map { try ($0, number(of: cache.directory + "/" + $0)) }
    // The same length, and the same time of modification.
    let path = folder.path + "/text.txt"
    let date = try #require(try FileManager.default.attributesOfItem(atPath: path)[.modificationDate] as? Date)
    try folder.write("abcabdabcabd".utf8, "text.txt")
    try FileManager.default.setAttributes([.modificationDate: date], ofItemAtPath: path)
    // Another host, which has prepared its own text, finds nothing of this one's.
    #expect(throws: Problem.self) { try TextCorpus(recipe(), cache: cache) }
    #expect(try prepare(recipe()).count == 1)
    #expect(try TextCorpus(recipe(), cache: cache).vocabulary.count == 5 && tokenFiles().count == 4)
    #expect(try before.allSatisfy { try number(of: cache.directory + "/" + $0.0) == $0.1 })
    #expect(running.vocabulary.decode(running.training) == "abcabcabc")
  }

  @Test func aTextThatWasOnlyTouchedOrWrittenAnewKeepsItsTokens() throws {
    try folder.write("abcabcabcabc".utf8, "text.txt")
    _ = try prepare(recipe())
    let before = try number(of: cache.directory + "/" + tokenFiles()[0])
    try FileManager.default.setAttributes([.modificationDate: Date()], ofItemAtPath: folder.path + "/text.txt")
    #expect(try prepare(recipe()).isEmpty)
    try FileManager.default.removeItem(atPath: folder.path + "/text.txt")
    try folder.write("abcabcabcabc".utf8, "text.txt")
    #expect(try prepare(recipe()).isEmpty)
    #expect(try tokenFiles().count == 1 && number(of: cache.directory + "/" + tokenFiles()[0]) == before)
    #expect(try TextCorpus(recipe(), cache: cache).vocabulary.count == 4)
  }

  @Test func aFileThatOthersCanChangeIsRefused() throws {
    try folder.write("abcabcabcabc".utf8, "text.txt")
    _ = try prepare(recipe())
    let path = cache.directory + "/" + (try tokenFiles()[0])
    for mode in [0o664, 0o646] {
      try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
      for use in [{ _ = try prepare(recipe()) }, { _ = try TextCorpus(recipe(), cache: cache) }] {
        let error = #expect(throws: Problem.self) { try use() }
        #expect(error?.exitCode == 74 && error?.message.contains("mode \(String(mode, radix: 8))") == true)
      }
    }
  }

  @Test func aValidationFileIsPartOfWhatTheTokensAreMadeFrom() throws {
    try folder.write("abcabcabcabc".utf8, "text.txt")
    let other = try folder.write("abd".utf8, "other.txt")
    let recipe = try recipe(.characters, .file(other))
    _ = try prepare(recipe)
    try folder.write("abc".utf8, "other.txt")
    #expect(try prepare(recipe).count == 1)
    #expect(try TextCorpus(recipe, cache: cache).validation.map(Array.init) == [1, 2, 3])
  }

  @Test func damageAnywhereInAFileIsNoticedAndMadeGood() throws {
    let (path, good) = try madeFile()
    var bad: [Data] = good.indices.map { index in
      var data = good
      data[index] ^= UInt8(1 << (index % 8))
      return data
    }
    bad += [Data(), good.prefix(7), good.prefix(100), good.dropLast(), good + [0], Data(count: good.count)]
    for data in bad {
      try data.write(to: URL(fileURLWithPath: path))
      // Both names are told and removed.
      #expect(try prepare(recipe()).count == 3)
      #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == good)
    }
    #expect(try files().count == 2)
  }

  /// Bytes of a token, tokens to train on, those held out, bytes of the vocabulary: each impossible, with a checksum of
  /// the header that is right. The checksum stands at the header's end, which is where the tokens begin.
  @Test func aHeaderThatLiesIsNoticedBeforeAnythingIsAddedUpOrAllocated() throws {
    let (path, good) = try madeFile()
    let length = try #require(
      (56...good.count - 8).first { end in
        word(good, end) == good.prefix(end).withUnsafeBytes { XXHash64.hash($0) }
      })
    for place in 1...4 {
      for lie in [0, 3, 1 << 20, 1 << 40, 1 << 60, UInt64(Int.max), .max] where lie != word(good, 8 * place) {
        var header = good.prefix(length)
        header.replaceSubrange(8 * place..<8 * place + 8, with: withUnsafeBytes(of: lie.littleEndian) { Data($0) })
        let checksum = header.withUnsafeBytes { XXHash64.hash($0) }
        let bytes = header + withUnsafeBytes(of: checksum.littleEndian) { Data($0) } + good.dropFirst(length + 8)
        try bytes.write(to: URL(fileURLWithPath: path))
        let told = try prepare(recipe())
        #expect(told.count >= 2 && told[0].contains("is removed: expected "), "word \(place): \(lie)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: path)) == good)
      }
    }
  }

  /// A token file's path and bytes.
  private func madeFile() throws -> (path: String, bytes: Data) {
    try folder.write("the rain in été falls".utf8, "text.txt")
    _ = try prepare(recipe())
    let path = cache.directory + "/" + (try tokenFiles()[0])
    return (path, try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  private func word(_ data: Data, _ offset: Int) -> UInt64 {
    data.dropFirst(offset).prefix(8).reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  @Test func aByteOrderMarkIsPassedOverInATokenFileToo() throws {
    try folder.write("\u{FEFF}abcabc".utf8, "text.txt")
    _ = try prepare(recipe())
    let corpus = try TextCorpus(recipe(), cache: cache)
    #expect(corpus.vocabulary.count == 4 && corpus.training.count + (corpus.validation?.count ?? 0) == 6)
  }

  @Test func vocabulariesWhoseEntriesAreTheSameTextInOneLineHaveAFileEach() throws {
    try folder.write("a b a\u{1}b".utf8, "text.txt")
    for entries in [["<unk>", "a", "b"], ["<unk>", "a\u{1}b"]] {
      let recipe = TextRecipe(
        path: folder.path + "/text.txt", numbers: .known(try Vocabulary(kind: .words, entries: entries)))
      #expect(try prepare(recipe).count == 1)
      #expect(try TextCorpus(recipe, cache: cache).vocabulary.count == entries.count)
    }
    #expect(try tokenFiles().count == 2)
  }

  @Test func aFileUnderTheNameOfAnotherRecipeIsFoundOutRemovedAndMadeAgain() throws {
    try folder.write("abcabcabcabc".utf8, "text.txt")
    _ = try prepare(recipe())
    let (mine, link) = (try #require(try tokenFiles().first), try #require(try files().first { $0.hasSuffix(".link") }))
    let before = try Data(contentsOf: URL(filePath: cache.directory + "/" + mine))
    _ = try prepare(recipe(.bytes))
    let other = try #require(try tokenFiles().first { $0 != mine })
    // As if the digits in both names had been the same.
    for name in [mine, link] {
      try FileManager.default.removeItem(atPath: cache.directory + "/" + name)
      try FileManager.default.linkItem(
        atPath: cache.directory + "/" + other, toPath: cache.directory + "/" + name)
    }
    let error = #expect(throws: Problem.self) { try TextCorpus(recipe(), cache: cache) }
    #expect(error?.exitCode == 74)
    #expect(try prepare(recipe()).contains { $0.contains("is removed: expected the recipe and the text") })
    #expect(try Data(contentsOf: URL(filePath: cache.directory + "/" + mine)) == before)
    #expect(try TextCorpus(recipe(), cache: cache).vocabulary.kind == .characters)
  }

  @Test func anUnwritablePlaceOfTokensIsAnErrorWithAHint() throws {
    try folder.write("abcabcabcabc".utf8, "text.txt")
    for place in ["/dev/null/cache", folder.path + "/text.txt", "/proc/cache"] {
      let cache = TokenCache(directory: place, smallestText: 0)
      let error = #expect(throws: Problem.self) { try cache.prepare(recipe()) { _ in } }
      #expect(error?.exitCode == 74 && error?.message.contains(place) == true)
      #expect(error?.hint?.contains("LSTM_DIST_CACHE") == true)
    }
    _ = try prepare(recipe())
    for path in try files().map({ cache.directory + "/" + $0 }) {
      try FileManager.default.removeItem(atPath: path)
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }
    let error = #expect(throws: Problem.self) { try prepare(recipe()) }
    #expect(error?.exitCode == 74 && error?.message.contains("directory") == true)
    #expect(try files().count == 2)
  }

  @Test func neitherABadTextNorAKilledProcessLeavesAnythingBehind() throws {
    try folder.write([0x61, 0x62, 0xFF], "text.txt")
    let error = #expect(throws: Problem.self) { try prepare(recipe()) }
    #expect(error?.exitCode == 65 && error?.message.contains("offset 2 ") == true)
    #expect(try files().isEmpty)
    var host = [CChar](repeating: 0, count: 256)
    gethostname(&host, 255)
    let name = host.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    try folder.write("x".utf8, "deep/cache/unfinished-abcdef@\(name)")
    try folder.write("x".utf8, "deep/cache/unfinished-abcdef@another-\(name)")
    try folder.write("abcabc".utf8, "text.txt")
    _ = try prepare(recipe(.characters, .none))
    #expect(try files().last == "unfinished-abcdef@another-\(name)")
    #expect(try files().count == 3 && files()[1].hasPrefix("text.txt-"))
  }

  @Test func manyThatMakeTheSameAtOnceAllFindItWhole() async throws {
    try folder.write(String(repeating: "the rain in été falls ", count: 50_000).utf8, "text.txt")
    let (cache, recipe) = (cache, try recipe(.words))
    let whole = try CorpusOutcome(reference: recipe)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<6 { group.addTask { try CorpusOutcome(recipe, cache: cache) == whole } }
      for try await isSame in group { #expect(isSame) }
    }
    #expect(try files().count == 2)
  }

  @Test func withoutADirectoryTheErrorSaysWhichVariableNamesOne() throws {
    try folder.write("abcabc".utf8, "text.txt")
    let error = #expect(throws: Problem.self) {
      try TokenCache(directory: "", smallestText: 0).prepare(recipe()) { _ in }
    }
    #expect(error?.exitCode == 74 && error?.message.contains("LSTM_DIST_CACHE") == true)
  }

  @Test func tokensThatNobodyHasMadeAreAnError() throws {
    try folder.write("abcabc".utf8, "text.txt")
    let error = #expect(throws: Problem.self) { try TextCorpus(recipe(), cache: cache) }
    #expect(error?.exitCode == 74)
  }
}
