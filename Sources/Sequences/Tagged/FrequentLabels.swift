/// What each word alone says of its label, as a baseline for a model that reads the words around it: the label that the
/// word most often had in training, of words that were not there the most frequent label of all.
public struct FrequentLabels: Sendable {
  /// [V]
  private let label: [Int]

  /// Counts the labels of training words, each one of 0 ..< `vocabulary`; of equally frequent ones the first counts.
  public init(_ training: TaggedTokens, vocabulary: Int, labels K: Int) {
    var (counts, all) = ([Int](repeating: 0, count: vocabulary * K), [Int](repeating: 0, count: K))
    for word in training.elements {
      counts[Int(word.token) * K + Int(word.label)] += 1
      all[Int(word.label)] += 1
    }
    func mostFrequent(_ counts: ArraySlice<Int>) -> Int { counts.firstIndex(of: counts.max()!)! - counts.startIndex }
    let usual = mostFrequent(all[...])
    label = (0..<vocabulary).map { token in
      let own = counts[token * K..<(token + 1) * K]
      return own.allSatisfy { $0 == 0 } ? usual : mostFrequent(own)
    }
  }

  /// The share of words whose label it says.
  public func accuracy(on words: TaggedTokens) -> Double {
    let correct = words.elements.count { label[Int($0.token)] == Int($0.label) }
    return Double(correct) / Double(max(1, words.elements.count))
  }
}
