import Crypto
import Glibc

/// A directory of token files, each made once and mapped by all processes that read the same text in the same way.
///
/// A file is known by its recipe, and holds good as long as the text's size, place on the disk, and times of change
/// are what they were, or else its SHA-256 is. It is written under another name, and named when it is whole, so that a
/// reader never finds a part of it; files may be removed while no job begins.
public struct TokenCache: Sendable {
  /// The variable of the environment that names the directory.
  public static let variable = "LSTM_DIST_CACHE"
  /// Texts of fewer bytes than this, 16 MiB, are faster made into tokens than looked for, and go into memory.
  public static let smallestText = 1 << 24

  /// The directory; made when it is needed.
  public let directory: String
  private let smallestText: Int
  private let pieceBytes: Int

  /// The directory that the environment names, or else `lstm-dist` in the user's directory for such things.
  public static var standard: TokenCache {
    let environment = { (name: String) in getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }
    let user = environment("XDG_CACHE_HOME") ?? environment("HOME").map { $0 + "/.cache" }
    // Without any of them there is no directory, which is an error as soon as one is needed.
    return TokenCache(directory: environment(variable) ?? user.map { $0 + "/lstm-dist" } ?? "")
  }

  /// A cache for texts of `smallestText` bytes and more, which are read in pieces of `pieceBytes`.
  public init(directory: String, smallestText: Int = TokenCache.smallestText, pieceBytes: Int = 1 << 20) {
    (self.directory, self.smallestText, self.pieceBytes) = (directory, smallestText, pieceBytes)
  }

  /// Makes the token file of a recipe where there is no good one, and waits until it is on the disk. Of the processes
  /// that will read it one of each node calls this; two that make it at once do not harm each other.
  /// - Parameter tell: is called with what the user should know.
  /// - Throws: as `TextCorpus`, and with exit code 74 where the file cannot be written.
  public func prepare(_ recipe: TextRecipe, tell: (String) -> Void) throws {
    let states = try recipe.states()
    guard isCached(states) else { return }
    let path = try path(recipe)
    do {
      if try goodFile(path, recipe, states) != nil { return }
    } catch let flaw as TokenFileHeader.Flaw {
      tell("\(path) is made again: expected \(flaw.expected), got \(flaw.got)")
    }
    let megabytes = states.reduce(0) { $0 + $1.size } / 1_000_000
    tell("making tokens of \(megabytes) MB of text, which are then kept in \(path)")
    try make(path, recipe, states)
  }

  /// The file of a recipe, as `prepare` left it, or one in memory for a small text.
  func open(_ recipe: TextRecipe) throws -> TextCorpus {
    guard isCached(try recipe.states()) else { return try TextCorpus(inMemory: recipe, pieceBytes: pieceBytes) }
    let path = try path(recipe)
    do {
      guard let file = try TokenFile.open(path), file.header.recipe == (try recipe.digest()) else {
        throw TokenFileHeader.Flaw(expected: "the tokens of \(recipe.path)", got: "none")
      }
      return try TextCorpus(file)
    } catch let flaw as TokenFileHeader.Flaw {
      // It was whole a moment ago.
      throw SequenceError.file(
        "token file was changed by somebody else — expected \(flaw.expected), got \(flaw.got) (\(path))",
        hint: "start again, or name another directory for tokens with \(TokenCache.variable)=DIR")
    }
  }

  private func isCached(_ states: [TextFile.State]) -> Bool { states.reduce(0) { $0 + $1.size } >= smallestText }

  /// The name is that of the text, and of the recipe.
  func path(_ recipe: TextRecipe) throws(SequenceError) -> String {
    // Short enough for a name of any characters.
    let name = String.UnicodeScalarView((recipe.path.split(separator: "/").last ?? "").unicodeScalars.prefix(40))
    return "\(directory)/\(String(name))-\(try recipe.digest().prefix(8).map { $0 }.hexadecimal).tokens"
  }

  // MARK: Is it good?

  /// The file, if it is whole and that of the texts as they are now; nil where there is none, a `Flaw` where it is not.
  private func goodFile(_ path: String, _ recipe: TextRecipe, _ states: [TextFile.State]) throws -> TokenFile? {
    guard let file = try TokenFile.open(path) else { return nil }
    guard file.header.recipe == (try recipe.digest()) else {
      throw TokenFileHeader.Flaw(expected: "the recipe that its name says", got: "another one")
    }
    if file.header.states != TextFile.State.digest(states), file.header.contents != (try contents(recipe)) {
      throw TokenFileHeader.Flaw(expected: "the text that it was made from", got: "another one")
    }
    try file.check()
    return file
  }

  private func contents(_ recipe: TextRecipe) throws(SequenceError) -> [UInt8] {
    var contents = SHA256()
    for file in recipe.files {
      var hash = SHA256()
      try TextFile.forEachPiece(of: file, size: pieceBytes) { (piece) throws(SequenceError) in
        piece.withUnsafeBytes { hash.update(bufferPointer: $0) }
      }
      hash.finalize().withUnsafeBytes { contents.update(bufferPointer: $0) }
    }
    return Array(contents.finalize())
  }

  // MARK: Making it

  private func make(_ path: String, _ recipe: TextRecipe, _ states: [TextFile.State]) throws {
    // A change as young as this could be followed by another one with the same time.
    if let wait = states.map(\.secondsUntilOld).max(), wait > 0 { usleep(UInt32(wait * 1e6)) }
    try makeDirectory(directory)
    removeAbandoned()
    let temporary = "\(directory)/\(TokenCache.unfinished)\(String(UInt64.random(in: 0 ... .max), radix: 16))"
    let descriptor = Glibc.open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw SequenceError.unwritable(directory) }
    do {
      defer { close(descriptor) }
      // For `removeAbandoned`; the system takes the lock away when this process ends.
      flock(descriptor, LOCK_EX | LOCK_NB)
      let header = try TokenFileBuilder(recipe: recipe, pieceBytes: pieceBytes).build(descriptor, name: path)
      guard fsync(descriptor) == 0 else { throw SequenceError.unwritable(path) }
      // On a network a file that is replaced is gone for those who have mapped it on other hosts.
      if isThere(path, header) {
        unlink(temporary)
        return
      }
      guard rename(temporary, path) == 0 else { throw SequenceError.unwritable(path) }
    } catch {
      unlink(temporary)
      throw error
    }
    try sync(directory)
  }

  /// Whether another process has made the same meanwhile.
  private func isThere(_ path: String, _ header: TokenFileHeader) -> Bool {
    guard let file = try? TokenFile.open(path), file.header == header else { return false }
    return (try? file.check()) != nil
  }

  /// What names of files that are being written begin with.
  private static let unfinished = ".unfinished-"

  /// Removes what a process has left that was killed while it wrote: a file that nobody holds the lock of.
  private func removeAbandoned() {
    guard let stream = opendir(directory) else { return }
    defer { closedir(stream) }
    while let item = readdir(stream) {
      let name = withUnsafePointer(to: &item.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      guard name.hasPrefix(TokenCache.unfinished) else { continue }
      let path = "\(directory)/\(name)"
      let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
      close(descriptor)
    }
  }

  private func makeDirectory(_ path: String) throws(SequenceError) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeDirectory(String(path[..<slash])) }
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw .unwritable(path) }
  }

  private func sync(_ directory: String) throws(SequenceError) {
    let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unwritable(directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .unwritable(directory) }
  }
}
