/// How the parts of a gradient are cut into buckets, and each bucket into one slice for each peer.
///
/// A bucket is what travels together: a piece of a part, or of a table all rows that some peer has. While one bucket
/// is in its all-gather the next one is in its reduce-scatter.
package struct BucketPlan: Sendable {
  /// Elements of a bucket at most: 2 MB.
  package static let mostElements = 1 << 19

  /// The elements of each bucket in the flat gradient; of rows, those of the whole table.
  package let ranges: [Range<Int>]
  /// The buckets of each part.
  package let ofPart: [Range<Int>]
  /// The part of each bucket.
  package let parts: [Int]
  /// Whether bucket 0 is the rows of a table.
  package let hasRows: Bool

  private let peers: Int
  private let tagsOfBucket: Int

  package init(_ plan: ExchangePlan, mostElements: Int = BucketPlan.mostElements) {
    var ranges: [Range<Int>] = []
    var ofPart: [Range<Int>] = []
    hasRows = plan.table != nil
    for (part, range) in plan.ranges.enumerated() {
      let isTable = part == 0 && plan.table != nil
      let count = isTable ? 1 : max(1, (range.count + mostElements - 1) / mostElements)
      ofPart.append(ranges.count..<ranges.count + count)
      ranges += (0..<count).map { BucketPlan.share($0, of: count, range) }
    }
    self.ranges = ranges
    self.ofPart = ofPart
    parts = ofPart.enumerated().flatMap { part, buckets in buckets.map { _ in part } }
    peers = plan.peers
    tagsOfBucket = plan.mostSubtrees + 1
  }

  /// The slice of a bucket that a peer adds up.
  package func slice(ofBucket bucket: Int, peer: Int) -> Range<Int> {
    BucketPlan.share(peer, of: peers, ranges[bucket])
  }

  /// Buckets of a part, from its first, that lie in the first `elements` of its range; the last bucket always belongs
  /// to the whole part.
  package func buckets(ofPart part: Int, within elements: Int) -> Int {
    let own = ofPart[part]
    guard !(hasRows && part == 0) else { return 0 }
    let end = ranges[own.lowerBound].lowerBound + elements
    return own.dropLast().prefix { ranges[$0].upperBound <= end }.count
  }

  // MARK: Tags

  /// Of the message of a bucket's reduce-scatter that carries a subtree of its sender; rows of all subtrees travel
  /// together, as that of subtree 0.
  package func tag(bucket: Int, subtree: Int) -> Int { bucket * tagsOfBucket + subtree }

  /// Of the message of a bucket's all-gather.
  package func allGatherTag(bucket: Int) -> Int { tag(bucket: bucket, subtree: tagsOfBucket - 1) }

  /// Tags are below.
  package var tagCount: Int { ranges.count * tagsOfBucket }

  /// Share i of n of a range: from ⌊i·c/n⌋ to ⌊(i + 1)·c/n⌋ of its c elements.
  private static func share(_ index: Int, of count: Int, _ range: Range<Int>) -> Range<Int> {
    range.lowerBound + index * range.count / count..<range.lowerBound + (index + 1) * range.count / count
  }
}
