import ExactMath
import Problems

// What is held out, as a pure function of the labels or names: every rank makes the same split, and so does a resumed
// run. Draws take layer 1 of the data order, beside the shuffling of epochs in layer 0.

extension LabelledSequences {
  /// A share of the sequences held out, drawn from `seed`, with the classes in their proportions.
  /// - Parameter share: 0 < share < 1. An error with exit code 65 where one of the parts would be empty.
  package func holdingOut(
    share: Double, seed: UInt64
  ) throws(Problem) -> (training: LabelledSequences, heldOut: LabelledSequences) {
    precondition(share > 0 && share < 1, "a share of the data lies between 0 and 1")
    // Of the first n sequences of the drawn order ⌊n · share⌋ are held out, for every n.
    return try split(seed: seed, leavesOne: true) { place in
      (Double(place + 1) * share).rounded(.down) > (Double(place) * share).rounded(.down)
    }
  }

  /// One of `folds` parts held out, for cross-validation: the parts differ by at most one sequence, as each class does
  /// over the parts, and every sequence is in exactly one.
  /// - Precondition: 0 ≤ `fold` < `folds`, `folds` ≥ 2.
  package func fold(
    _ fold: Int, of folds: Int, seed: UInt64
  ) throws(Problem) -> (training: LabelledSequences, heldOut: LabelledSequences) {
    precondition(folds >= 2 && (0..<folds).contains(fold), "fold \(fold) is not among \(folds)")
    return try split(seed: seed, leavesOne: false) { $0 % folds == fold }
  }

  /// The sequences held out whose names `isHeldOut` says so of, such as all clips of one speaker.
  package func holdingOut(
    where isHeldOut: (_ name: String) -> Bool
  ) throws(Problem) -> (training: LabelledSequences, heldOut: LabelledSequences) {
    try parts(heldOut: names.map(isHeldOut))
  }

  /// Deals the sequences out class by class, each class in an order drawn from `seed`: `isHeldOut` gets the places
  /// 0 ..< count.
  /// - Parameter leavesOne: Whether a class that would be held out whole keeps one sequence to train on.
  private func split(
    seed: UInt64, leavesOne: Bool, _ isHeldOut: (_ place: Int) -> Bool
  ) throws(Problem) -> (training: LabelledSequences, heldOut: LabelledSequences) {
    var members = [[Int]](repeating: [], count: classes.count)
    for (index, label) in labels.enumerated() { members[Int(label)].append(index) }
    var heldOut = [Bool](repeating: false, count: count)
    var order: [Int] = []
    for (label, indices) in members.enumerated() {
      var draws = PhiloxSequence(seed: seed, purpose: .dataOrder, step: label, layer: 1)
      for position in draws.permutation(indices.count) {
        heldOut[indices[position]] = isHeldOut(order.count)
        order.append(indices[position])
      }
    }
    if leavesOne { leaveOneOfEachClass(order, &heldOut) }
    return try parts(heldOut: heldOut)
  }

  /// Of each class that is held out whole, one sequence changes places with the nearest one of a class that has others
  /// to train on, so that as many are held out as before.
  private func leaveOneOfEachClass(_ order: [Int], _ heldOut: inout [Bool]) {
    var training = [Int](repeating: 0, count: classes.count)
    for index in order where !heldOut[index] { training[Int(labels[index])] += 1 }
    for (place, index) in order.enumerated() where heldOut[index] && training[Int(labels[index])] == 0 {
      let others = Array(order[..<place].reversed()) + order[place...]
      guard let other = others.first(where: { !heldOut[$0] && training[Int(labels[$0])] >= 2 }) else { return }
      (heldOut[index], heldOut[other]) = (false, true)
      training[Int(labels[index])] += 1
      training[Int(labels[other])] -= 1
    }
  }

  private func parts(
    heldOut: [Bool]
  ) throws(Problem) -> (training: LabelledSequences, heldOut: LabelledSequences) {
    let chosen = heldOut.count { $0 }
    guard chosen > 0 && chosen < count else {
      throw .data(
        "nothing \(chosen == 0 ? "is held out" : "is left to train on") — expected at least one sequence, got \(chosen) "
          + "of \(count) held out",
        hint: "hold out another share or other names, or give more data")
    }
    return (selecting((0..<count).filter { !heldOut[$0] }), selecting((0..<count).filter { heldOut[$0] }))
  }
}
