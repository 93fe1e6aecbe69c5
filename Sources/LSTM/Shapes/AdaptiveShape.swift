/// Sizes of an adaptive softmax (Grave, Joulin, Cissé, Grangier and Jégou, "Efficient softmax approximation for GPUs",
/// 2017) over V classes that stand in descending frequency: c = `cutoffs` cut them into a head 0 ..< c₁ and J tails
/// cⱼ ..< cⱼ₊₁. The head's classes are 0 ..< c₁ and the tails; a tail is computed only for rows of its classes.
///
/// Its numbers are a part of the flat memory, one behind the other: W and b of the head [H + 1, c₁ + J], the class of
/// tail j being c₁ + j; then of each tail Pⱼ [H, dⱼ] and Wⱼ [dⱼ, cⱼ₊₁ − cⱼ], where dⱼ = ⌊H / factorʲ⌋ for the j-th tail,
/// counted from 1. PyTorch's `AdaptiveLogSoftmaxWithLoss` with `head_bias=True` has the same.
///
/// With tied weights they are the embedding E [V, H], whose rows are the weights of all classes, so that there is no P
/// and every dⱼ is H (Merity, Keskar and Socher, "An analysis of neural language modeling at multiple scales", 2018);
/// then the weights of the tails as classes of the head [J, H]; then b [c₁ + J].
package struct AdaptiveShape: Equatable, Sendable {
  /// H.
  package let inputs: Int
  /// V.
  package let classes: Int
  /// c₁ < … < c_J, all above 0 and below V.
  package let cutoffs: [Int]
  /// What each tail divides the units of the previous tail by; 1 with tied weights.
  package let factor: Int
  /// Whether the weights are the embedding's.
  package let isTied: Bool
  /// The tails, the most frequent classes first.
  package let tails: [Tail]

  /// One tail.
  package struct Tail: Equatable, Sendable {
    /// Its classes among all.
    package let classes: Range<Int>
    /// d, units of q, the projection that its logits are made from.
    package let units: Int
    /// Where P stands, [H, d], from the beginning of the head; empty with tied weights.
    package let projection: Range<Int>
    /// Where W stands, [d, classes]; with tied weights rows of E, [classes, H].
    package let weights: Range<Int>
  }

  /// - Precondition: `cutoffs` are as above, and there is one.
  package init(inputs: Int, classes: Int, cutoffs: [Int], factor: Int, isTied: Bool = false) {
    precondition(AdaptiveShape.isPossible(cutoffs: cutoffs, classes: classes) && factor >= 1, "impossible cutoffs")
    self.inputs = inputs
    self.classes = classes
    self.cutoffs = cutoffs
    self.factor = factor
    self.isTied = isTied
    if isTied {
      tails = zip(cutoffs, cutoffs.dropFirst() + [classes]).map { lower, upper in
        Tail(
          classes: lower..<upper, units: inputs, projection: 0..<0,
          weights: lower * inputs..<upper * inputs)
      }
      return
    }
    var start = (inputs + 1) * (cutoffs[0] + cutoffs.count)
    var units = inputs
    tails = zip(cutoffs, cutoffs.dropFirst() + [classes]).map { lower, upper in
      units = max(1, units / factor)
      let middle = start + inputs * units
      let end = middle + units * (upper - lower)
      defer { start = end }
      return Tail(classes: lower..<upper, units: units, projection: start..<middle, weights: middle..<end)
    }
  }

  /// Whether an adaptive softmax over V = `classes` can have these cutoffs.
  package static func isPossible(cutoffs: [Int], classes: Int) -> Bool {
    guard let first = cutoffs.first, let last = cutoffs.last else { return false }
    return first > 0 && last < classes && zip(cutoffs, cutoffs.dropFirst()).allSatisfy { $0 < $1 }
  }

  /// c₁ + J, classes of the head's own softmax.
  package var headClasses: Int { cutoffs[0] + cutoffs.count }

  /// Numbers of the head, which come first; with tied weights those that are no embedding's, which come behind it.
  package var headParameterCount: Int {
    isTied ? cutoffs.count * inputs + headClasses : (inputs + 1) * headClasses
  }

  /// Numbers of head and tails.
  package var parameterCount: Int {
    isTied ? classes * inputs + headParameterCount : tails[tails.count - 1].weights.upperBound
  }
}
