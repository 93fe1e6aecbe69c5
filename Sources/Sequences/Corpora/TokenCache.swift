import CSystem
import Crypto
import Files
import Glibc
import Problems

/// A directory of token files, each made once and mapped by all processes that read the same text in the same way.
///
/// A file has the SHA-256 of recipe and contents in its name. A link beside it has that of recipe and size, inode and
/// times of the texts instead, so that a text need not be read to know it again; one that was only touched is read once
/// and gets another link. A file is written under another name, and named when it is whole; what has a name is never
/// changed or replaced, only removed where it is damaged. So a reader finds no part of a file, and what a running job has
/// mapped stays. Files may be removed while no job runs.
package struct TokenCache: Sendable {
  /// The variable of the environment that names the directory.
  package static let variable = "LSTM_DIST_CACHE"
  /// Texts of fewer bytes than this, 16 MiB, that of validation with them, are faster made into tokens than looked for,
  /// and go into memory.
  package static let smallestText = 1 << 24

  /// The directory; made when it is needed.
  package let directory: String
  private let smallestText: Int
  private let pieceBytes: Int

  /// The directory that the environment names, or else `lstm-dist` in the user's directory for such things.
  package static var standard: TokenCache {
    let environment = { (name: String) in getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 } }
    let user = environment("XDG_CACHE_HOME") ?? environment("HOME").map { $0 + "/.cache" }
    // Without any of them there is no directory, which is an error as soon as one is needed.
    return TokenCache(directory: environment(variable) ?? user.map { $0 + "/lstm-dist" } ?? "")
  }

  /// A cache for texts of `smallestText` bytes and more, which are read in pieces of `pieceBytes`.
  package init(directory: String, smallestText: Int = TokenCache.smallestText, pieceBytes: Int = 1 << 20) {
    (self.directory, self.smallestText, self.pieceBytes) = (directory, smallestText, pieceBytes)
  }

  /// Makes the token file of a recipe where there is no good one, and waits until it is on the disk. Of the processes
  /// that will read it one of each node calls this; two that make it at once do not harm each other.
  /// - Parameter tell: is called with what the user should know.
  /// - Throws: as `TextCorpus`, and with exit code 74 where the file cannot be written.
  package func prepare(_ recipe: TextRecipe, tell: (String) -> Void) throws {
    let states = try recipe.states()
    guard isCached(states) else { return }
    guard !directory.isEmpty else {
      throw Problem.file(
        "no directory for tokens — expected one of \(TokenCache.variable), XDG_CACHE_HOME and HOME in the environment, "
          + "got none (\(recipe.path))", hint: "name a directory with \(TokenCache.variable)=DIR")
    }
    let link = try link(recipe, states)
    if try isGood(link, recipe, contents: nil, tell) { return }
    // A change as young as this could be followed by another one with the same time.
    if let wait = states.map(\.secondsUntilOld).max(), wait > 0 { usleep(UInt32(wait * 1e6)) }
    let file: String
    if let known = try knownFile(recipe, tell) {
      file = known
    } else {
      let megabytes = states.reduce(0) { $0 + $1.size } / 1_000_000
      tell("making tokens of \(megabytes) MB of text, which are then kept in \(directory)")
      file = try make(recipe)
    }
    guard try recipe.states() == states else { throw Problem.changedText(recipe.path) }
    try name(file, link)
    try inDirectory { () throws(Problem) in try syncDirectory(Place(directory)) }
  }

  /// The file of a recipe, as `prepare` left it, or one in memory for a small text.
  func open(_ recipe: TextRecipe) throws -> TextCorpus {
    let states = try recipe.states()
    guard isCached(states) else { return try TextCorpus(inMemory: recipe, pieceBytes: pieceBytes) }
    let path = try link(recipe, states)
    do {
      guard let file = try TokenFile.open(path), file.header.recipe == (try recipe.digest()) else {
        throw TokenFileHeader.Flaw(expected: "the tokens of \(recipe.path)", got: "none")
      }
      return try TextCorpus(file)
    } catch let flaw as TokenFileHeader.Flaw {
      // It was whole a moment ago.
      throw Problem.file(
        "token file was changed by somebody else — expected \(flaw.expected), got \(flaw.got) (\(path))",
        hint: "start again, or name another directory for tokens with \(TokenCache.variable)=DIR")
    }
  }

  private func isCached(_ states: [FileState]) -> Bool { states.reduce(0) { $0 + $1.size } >= smallestText }

  // MARK: Names

  /// What names of the files of a recipe begin with: the name of the text, and digits of the recipe.
  private func prefix(_ recipe: TextRecipe) throws(Problem) -> String {
    // Short enough for a name of any characters.
    let name = String.UnicodeScalarView((recipe.path.split(separator: "/").last ?? "").unicodeScalars.prefix(40))
    return "\(String(name))-\(digits(try recipe.digest()))-"
  }

  private func file(_ recipe: TextRecipe, _ contents: [UInt8]) throws(Problem) -> String {
    "\(directory)/\(try prefix(recipe))\(digits(contents)).tokens"
  }

  private func link(_ recipe: TextRecipe, _ states: [FileState]) throws(Problem) -> String {
    "\(directory)/\(try prefix(recipe))\(digits(FileState.digest(states))).link"
  }

  private func digits(_ digest: [UInt8]) -> String { Array(digest.prefix(8)).hexadecimal }

  /// Gives a file another name, unless something has that name: another process has then made the same.
  private func name(_ file: String, _ name: String) throws(Problem) {
    guard Glibc.link(file, name) == 0 || errno == EEXIST else { throw .unwritable(name) }
  }

  // MARK: Is it good?

  /// Whether there is a file of this name, whole, of the recipe, and of the contents if they are known. What is damaged
  /// is removed.
  private func isGood(
    _ path: String, _ recipe: TextRecipe, contents: [UInt8]?, _ tell: (String) -> Void
  ) throws -> Bool {
    do {
      guard let file = try TokenFile.open(path) else { return false }
      guard file.header.recipe == (try recipe.digest()), contents == nil || file.header.contents == contents else {
        throw TokenFileHeader.Flaw(expected: "the recipe and the text that its name says", got: "others")
      }
      try file.check()
      return true
    } catch let flaw as TokenFileHeader.Flaw {
      tell("\(path) is removed: expected \(flaw.expected), got \(flaw.got)")
      guard unlink(path) == 0 || errno == ENOENT else { throw Problem.unwritable(path) }
      return false
    }
  }

  /// The file of the contents that the texts have. They are read only where there are files of the recipe.
  private func knownFile(_ recipe: TextRecipe, _ tell: (String) -> Void) throws -> String? {
    let prefix = try prefix(recipe)
    guard names().contains(where: { $0.hasPrefix(prefix) && $0.hasSuffix(".tokens") }) else { return nil }
    let contents = try contents(recipe)
    let path = try file(recipe, contents)
    return try isGood(path, recipe, contents: contents, tell) ? path : nil
  }

  private func contents(_ recipe: TextRecipe) throws(Problem) -> [UInt8] {
    var contents = SHA256()
    for file in recipe.files {
      var hash = SHA256()
      try TextFile.forEachPiece(of: file, size: pieceBytes) { (piece) throws(Problem) in
        piece.withUnsafeBytes { hash.update(bufferPointer: $0) }
      }
      hash.finalize().withUnsafeBytes { contents.update(bufferPointer: $0) }
    }
    return Array(contents.finalize())
  }

  // MARK: Making it

  /// Makes the file of a recipe and returns its path.
  private func make(_ recipe: TextRecipe) throws -> String {
    try inDirectory { () throws(Problem) in try makeDirectories(directory) }
    removeAbandoned()
    let (descriptor, temporary) = try unfinishedFile()
    defer {
      unlink(temporary)
      close(descriptor)
    }
    let header = try TokenFileBuilder(recipe: recipe, pieceBytes: pieceBytes).build(descriptor, name: directory)
    guard fsync(descriptor) == 0 else { throw Problem.unwritable(directory) }
    let path = try file(recipe, header.contents)
    try name(temporary, path)
    return path
  }

  /// A new file, and its path. Its lock, which the system takes away when this process ends, is for `removeAbandoned`.
  private func unfinishedFile() throws(Problem) -> (descriptor: CInt, path: String) {
    while true {
      let random = String(UInt64.random(in: 0 ... .max), radix: 16)
      let path = "\(directory)/\(TokenCache.unfinished)\(random)\(TokenCache.ofThisHost)"
      let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
      guard descriptor >= 0 else { throw .unwritable(directory) }
      // Where a file system has no locks nobody gets one, and nothing is removed.
      while flock(descriptor, LOCK_EX) != 0 && errno == EINTR {}
      var status = stat()
      if fstat(descriptor, &status) == 0, status.st_nlink > 0 { return (descriptor, path) }
      // Another process has removed it before it was locked.
      close(descriptor)
    }
  }

  /// What names of files that are being written begin with.
  private static let unfinished = "unfinished-"

  /// What names of files that this host writes end with: a lock may hold good on one host only.
  private static var ofThisHost: String { "@" + String(cString: system_host_name()) }

  /// Removes what a process of this host has left that was killed while it wrote: a file that nobody holds the lock of.
  private func removeAbandoned() {
    let host = TokenCache.ofThisHost
    for name in names() where name.hasPrefix(TokenCache.unfinished) && name.hasSuffix(host) {
      let path = "\(directory)/\(name)"
      let descriptor = Glibc.open(path, O_RDWR | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { unlink(path) }
      close(descriptor)
    }
  }

  /// The names in the directory; none where it cannot be read.
  private func names() -> [String] { (try? FileFolder.entries(of: directory)) ?? [] }

  /// What cannot be done in the directory gets the hint of the cache.
  private func inDirectory(_ body: () throws(Problem) -> Void) throws(Problem) {
    do throws(Problem) {
      try body()
    } catch {
      throw Problem(error.exit, error.message, hint: Problem.cacheHint)
    }
  }
}
