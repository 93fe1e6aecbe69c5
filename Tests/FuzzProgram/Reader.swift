/// One way for foreign bytes into the program. Whoever writes a new one adds it to `checkpointReaders`,
/// `configurationReaders`, `dataReaders` or `formatReaders`: a name, whole files of every kind that it reads, and a closure that reads
/// bytes and says whether what came out is as it should be. The rest is the same for all: `objection` has the kinds of
/// errors that a reader may throw.
struct Reader: Sendable {
  let name: String
  /// Its place among the readers, which names its stream of random numbers.
  let number: Int
  /// Whole files, from which the changed ones are made.
  let originals: [[UInt8]]
  /// Reads bytes, by way of a file where the program does; says whether the result keeps its promises.
  let read: @Sendable ([UInt8], Folder) throws -> Bool

  typealias Kind = (name: String, originals: [[UInt8]], read: @Sendable ([UInt8], Folder) throws -> Bool)

  static let all: [Reader] = (checkpointReaders() + configurationReaders() + dataReaders() + formatReaders())
    .enumerated().map {
      Reader(name: $1.name, number: $0, originals: $1.originals, read: $1.read)
    }
}
