import Files
import Glibc
import Problems
import Sequences
import Testing

@Suite struct ClassFilesTests {
  private let folder: TestFolder

  init() throws { folder = try TestFolder() }

  private func read(
    _ pattern: String = "{class}.txt", _ kind: TokenKind = .words, classes: [String]? = nil
  ) throws -> LabelledTexts {
    try .classFiles(folder: folder.path, pattern: NamePattern(pattern), tokens: kind, classes: classes)
  }

  @Test func eachLineIsATextAndEachFileAClass() throws {
    try folder.write("zwei\r\n\r\ndrei\r\n".utf8, "German.txt")
    try folder.write("\u{FEFF}un\n \t\ndeux".utf8, "French.txt")
    try folder.write([0xFF], "LICENSE")
    try folder.write([0xFF], ".hidden.txt")
    let texts = try read()
    #expect(texts.classes == ["French", "German"] && texts.labels == [0, 0, 1, 1])
    #expect((0..<4).map { String(decoding: texts[$0], as: UTF8.self) } == ["un", "deux", "zwei", "drei"])
    #expect(texts.names == ["French.txt:1", "French.txt:3", "German.txt:1", "German.txt:3"])
  }

  @Test func theClassMayBeAnyPartOfTheName() throws {
    try folder.write("a\n".utf8, "rt.pos")
    try folder.write("b\n".utf8, "rt.neg")
    try folder.write("c\n".utf8, "up/a.txt")
    try folder.write("d\n".utf8, "down/b.txt")
    #expect(try read("rt.{class}").classes == ["neg", "pos"])
    #expect(try read("{class}/*.txt").classes == ["down", "up"])
  }

  @Test func hostileFoldersGiveOneClearError() throws {
    expectBadData("no file fits", "{class}.txt, got none") { _ = try read() }
    try folder.write("a\nb\n".utf8, "x.txt")
    expectBadData("one class only", "\"x\" for all 2") { _ = try read() }
    #expect(try read(classes: ["x", "y"]).count == 2)
    expectBadData("unknown class", "expected one of w, y, got \"x\" (x.txt:1)") { _ = try read(classes: ["w", "y"]) }
    try folder.write("".utf8, "y.txt")
    expectBadData("no lines", "class \"y\"") { _ = try read() }
    try folder.write([0x63, 0x61, 0x66, 0xE9, 0x0A], "y.txt")
    expectBadData("not UTF-8", "offset 3", "y.txt") { _ = try read() }
    #expect(try read("{class}.txt", .bytes).count == 3)
    expectBadData("no file fits", "{class}.csv, got \"x.txt\", \"y.txt\"") { _ = try read("{class}.csv") }
  }

  @Test func namesOfDifferentBytesAreDifferentClasses() throws {
    func write(_ name: [UInt8]) throws {
      let path = Array("\(folder.path)/".utf8) + name + [0]
      let file = try #require(path.withUnsafeBytes { fopen($0.assumingMemoryBound(to: CChar.self).baseAddress!, "w") })
      fputs("a\n", file)
      fclose(file)
    }
    for name in ["e\u{301}.txt", "\u{E9}.txt"] { try write(Array(name.utf8)) }
    let classes = try read().classes
    #expect(classes.map { Array($0.utf8) } == [[0x65, 0xCC, 0x81], [0xC3, 0xA9]])
    #expect(try read(classes: Array(classes.reversed())).labels == [1, 0])
    try write([0x63, 0xE9, 0xFF])
    expectBadData("file name is not UTF-8", #"got "c\xe9\xff""#) { _ = try read() }
  }

  @Test func missingFoldersAndPatternsWithoutAClassAreErrors() throws {
    let file = try folder.write("a".utf8, "x.txt")
    for path in [folder.path + "/none", file] {
      let error = #expect(throws: Problem.self) {
        _ = try LabelledTexts.classFiles(folder: path, pattern: NamePattern("{class}.txt"), tokens: .words)
      }
      #expect(error?.exitCode == 74 && error?.message.contains(path) == true)
    }
    let error = #expect(throws: Problem.self) { _ = try read("*.txt") }
    #expect(error?.exitCode == 78)
  }

  @Test(
    arguments: [
      ("{class}.txt", "Greek.txt", "Greek"), ("{class}.txt", ".txt", nil), ("{class}.txt", "a.txt.txt", "a.txt"),
      ("{class}_*.wav", "7_jackson_32.wav", "7"), ("{class}_*.wav", "7.wav", nil),
      ("*_{class}_*.wav", "7_jo_1.wav", "jo"),
      ("*_0.wav", "7_jo_0.wav", ""), ("*_0.wav", "7_jo_10.wav", nil), ("{class}/*.wav", "up/1.wav", "up"),
      ("{class}/*.wav", "1.wav", nil), ("*/{class}", "a/b", "b"), ("a*", "a", nil), ("a*a", "aa", nil),
      ("a*a", "aaa", ""),
      ("x", "x", ""), ("x", "xx", nil), ("*{class}", "abc", "bc"), ("{class}*", "abc", "a"), ("{class}*", "éü1", "é"),
      ("{class}*", "é", nil), ("{class}", "é", "é"),
    ] as [(String, String, String?)])
  func aPatternMatchesNamesAndGivesTheirClass(pattern: String, path: String, name: String?) throws {
    #expect(try NamePattern(pattern).className(in: path) == name)
  }

  @Test(arguments: ["", "/a", "a//b", "{class}/{class}", "a/"])
  func patternsThatMakeNoSenseAreRefused(pattern: String) {
    let error = #expect(throws: Problem.self) { try NamePattern(pattern) }
    #expect(error?.exitCode == 78)
  }
}
