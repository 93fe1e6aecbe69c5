import ExactMath

/// Multinomial naive Bayes over a bag of tokens, with add-one smoothing: what the tokens of a text say without their
/// order, as a baseline for a model that reads them in order.
///
/// ln P(class) + Σ_t ln P(token_t | class), P(token | class) = (n(token, class) + 1) / (n(class) + V).
package struct NaiveBayes: Sendable {
  /// ln P(class), [K].
  private let priors: [Double]
  /// ln P(token | class), [V, K] row-major.
  private let logarithms: [Double]

  /// Counts the tokens of training texts, each one of 0 ..< `vocabulary`. A class without texts is never said.
  package init(_ training: LabelledTokens, vocabulary: Int) {
    let (K, counts) = (training.classes.count, training.classCounts)
    var tokens = [Int](repeating: 0, count: vocabulary * K)
    var totals = [Int](repeating: vocabulary, count: K)
    for (index, label) in training.labels.enumerated() {
      for token in training[index] { tokens[Int(token) * K + Int(label)] += 1 }
      totals[Int(label)] += training.length(of: index)
    }
    priors = counts.map { $0 == 0 ? -.infinity : logarithm(Double($0) / Double(training.count)) }
    logarithms = tokens.indices.map { logarithm(Double(tokens[$0] + 1) / Double(totals[$0 % K])) }
  }

  /// The most probable class of a text.
  package func predicted(_ tokens: some Sequence<Int32>) -> Int {
    var sums = priors
    for token in tokens {
      for k in sums.indices { sums[k] += logarithms[Int(token) * sums.count + k] }
    }
    return sums.indices.max { sums[$0] < sums[$1] }!
  }

  /// The share of texts whose class it says.
  package func accuracy(on texts: LabelledTokens) -> Double {
    let correct = texts.labels.indices.count { predicted(texts[$0]) == Int(texts.labels[$0]) }
    return Double(correct) / Double(max(1, texts.count))
  }
}
