/// What each word alone says of its label, as a baseline for a model that reads the words around it: the label that the
/// word most often had in training, of words that were not there the most frequent label of all.
package struct FrequentLabels: Sendable {
  /// [V]
  private let label: [Int]

  /// Counts the labels of training words, each one of 0 ..< `vocabulary`; of equally frequent ones the first counts.
  package init(_ training: TaggedTokens, vocabulary: Int, labels K: Int) {
    var all = [Int](repeating: 0, count: K)
    for word in training.elements { all[Int(word.label)] += 1 }
    var label = [Int](repeating: all.firstIndex(of: all.max()!)!, count: vocabulary)
    var most = [Int](repeating: 0, count: vocabulary)
    // Pairs that occur are few, where all that there could be are a table of V · K.
    let pairs = Dictionary(training.elements.map { ($0, 1) }, uniquingKeysWith: +)
    for (word, count) in pairs {
      let (token, own) = (Int(word.token), Int(word.label))
      guard count > most[token] || (count == most[token] && own < label[token]) else { continue }
      (most[token], label[token]) = (count, own)
    }
    self.label = label
  }

  /// The share of words whose label it says.
  package func accuracy(on words: TaggedTokens) -> Double {
    let correct = words.elements.count { label[Int($0.token)] == Int($0.label) }
    return Double(correct) / Double(max(1, words.elements.count))
  }
}
