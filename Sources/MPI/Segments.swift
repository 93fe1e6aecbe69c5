/// Which elements of a flat buffer belong to which rank: rank r has `counts[r]` elements from index `displacements[r]`
/// on, as in the v-forms of MPI's collectives (MPI 4.0 §6.5, §6.7, §6.8). Both arrays are [P]. A call throws if a
/// segment does not lie in its buffer or ends beyond `Int32.max`; segments that are written must not overlap.
public struct Segments: Sendable {
  /// The number of elements of each rank, 0 or more.
  public let counts: [Int]

  /// The index of the first element of each rank: a number of elements, not bytes.
  public let displacements: [Int]

  /// Both as MPI takes them, made once: a call allocates nothing.
  private let narrowed: SegmentArguments

  /// Segments in any order, with or without gaps.
  public init(counts: [Int], displacements: [Int]) {
    self.counts = counts
    self.displacements = displacements
    narrowed = SegmentArguments(counts, displacements)
  }

  /// Segments in rank order without gaps.
  public init(packed counts: [Int]) {
    var displacements: [Int] = []
    var next = 0
    for count in counts {
      displacements.append(next)
      next &+= count
    }
    self.init(counts: counts, displacements: displacements)
  }

  /// The counts and displacements as MPI takes them, after checking that they lie in a buffer of `bufferCount`.
  func arguments(ranks: Int, bufferCount: Int, _ call: String) throws(MPIError) -> SegmentArguments {
    try expectCount("number of counts", ranks, counts.count, call)
    try expectCount("number of displacements", ranks, displacements.count, call)
    for (count, start) in zip(counts, displacements) {
      let end = start.addingReportingOverflow(count)
      guard count >= 0, start >= 0, !end.overflow, end.partialValue <= bufferCount else {
        throw .refused(
          call, "segment — expected to lie in 0..<\(bufferCount), got \(count) elements from \(start) on")
      }
      _ = try int32Count(end.partialValue, call)
    }
    return narrowed
  }
}

extension Segments: Hashable {
  /// Whether every rank has the same elements.
  public static func == (left: Segments, right: Segments) -> Bool {
    left.counts == right.counts && left.displacements == right.displacements
  }

  /// Counts and displacements.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(counts)
    hasher.combine(displacements)
  }
}

/// The two arrays of a v-form at an address of their own: a non-blocking operation reads them until it is complete.
final class SegmentArguments: Sendable {
  // Written by the initializer alone.
  private nonisolated(unsafe) let storage: UnsafeMutablePointer<Int32>
  private let ranks: Int

  /// Numbers that do not fit into 32 bits are cut off: they must be refused before MPI reads them.
  init(_ counts: [Int], _ displacements: [Int]) {
    ranks = counts.count
    storage = .allocate(capacity: counts.count + displacements.count)
    for (index, value) in (counts + displacements).enumerated() {
      (storage + index).initialize(to: Int32(truncatingIfNeeded: value))
    }
  }

  var counts: UnsafePointer<Int32> { UnsafePointer(storage) }
  var displacements: UnsafePointer<Int32> { UnsafePointer(storage + ranks) }

  deinit { storage.deallocate() }
}
