import ExactMath
import Files
import Glibc
import MPI
import Problems

extension World {
  /// Something that all ranks must hold alike, by the name that users know it by.
  package typealias Claim = (name: String, value: String)

  /// Ends the job with exit code 78 where ranks hold different values of something, or some have it and others do not:
  /// the message has the first name, both values and the ranks. Every rank calls it, after `agree` where a rank may have
  /// found an error of its own. Costs a reduction of a few bytes; the values travel only where they differ.
  package func agree(on claims: [Claim], hint: String? = nil) throws {
    let text = claims.map { "\($0.name)\0\($0.value)\0" }.joined()
    if try isSameEverywhere(XXHash64.hash(text)) { return }
    let all = try communicator.gather(Array(text.utf8), root: 0)
    agree {
      guard let all else { return }
      guard let difference = difference(between: all.map(World.claims)) else {
        throw Problem(.internalError, "ranks disagree — expected the same \(claims.map(\.name))")
      }
      func said(_ value: [UInt8]?) -> String {
        value.map { $0.isEmpty ? "\"\"" : String(decoding: $0, as: UTF8.self) } ?? "nothing"
      }
      throw Problem(
        .badConfiguration,
        "ranks disagree about \(difference.what) — expected \(said(difference.expected)) as on "
          + "rank \(difference.expectedRank), got \(said(difference.got)) on \(difference.rankList)", hint: hint)
    }
  }

  /// Ends the job with exit code 78 where ranks run different programs. Every rank calls it.
  package func agreeOnProgram() throws {
    // Processes of one machine that run the same file need not read it.
    if try isSameEverywhere(ProgramFile.place) { return }
    let hash = agree { try ProgramFile.hash() }
    try agree(
      on: [("the program", hexadecimal(hash))], hint: "start the same build of the program on all ranks and hosts")
  }

  private func isSameEverywhere(_ word: UInt64) throws -> Bool {
    // The largest is the smallest, which is the complement of the largest complement.
    var words = [word, ~word]
    try words.withUnsafeMutableBufferPointer { try communicator.allReduce($0, .maximum) }
    return words[0] == ~words[1]
  }

  /// The claims of a text of them: bytes, of which two that differ may be equal strings.
  private static func claims(_ text: [UInt8]) -> [(name: [UInt8], value: [UInt8])] {
    let parts = text.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
    return stride(from: 0, to: parts.count - 1, by: 2).map { (parts[$0], parts[$0 + 1]) }
  }

  /// The first difference, in the order in which the lowest rank has the names.
  private func difference(between claims: [[(name: [UInt8], value: [UInt8])]]) -> RankComparison<[UInt8]?>? {
    var names: [[UInt8]] = []
    for name in claims.joined().map(\.name) where !names.contains(name) { names.append(name) }
    let values = claims.map { claims in names.map { name in claims.first { $0.name == name }?.value } }
    return RankComparison(names: names.map { String(decoding: $0, as: UTF8.self) }, words: values)
  }
}

/// The file of the program that this process runs.
private enum ProgramFile {
  private static let path = "/proc/self/exe"

  /// Equal for processes of one machine that run the same unchanged file.
  static var place: UInt64 {
    let machine = KernelFile.text("/proc/sys/kernel/random/boot_id") ?? "unknown, process \(getpid())"
    var file = stat()
    guard stat(path, &file) == 0 else { return XXHash64.hash("\(machine), process \(getpid())") }
    return XXHash64.hash("\(machine) \(file.st_dev) \(file.st_ino) \(file.st_size)")
  }

  /// XXHash64 of its bytes.
  static func hash() throws -> UInt64 {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    defer { close(descriptor) }
    var file = stat()
    guard descriptor >= 0, fstat(descriptor, &file) == 0,
      let bytes = mmap(nil, Int(file.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), bytes != MAP_FAILED
    else {
      throw Problem(
        .inputOutput,
        "the program's own file cannot be read — expected its bytes, got "
          + "\(String(cString: strerror(errno))) (\(path))")
    }
    defer { munmap(bytes, Int(file.st_size)) }
    return XXHash64.hash(UnsafeRawBufferPointer(start: bytes, count: Int(file.st_size)))
  }
}
