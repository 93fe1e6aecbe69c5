import Problems

/// What was read of some data, and whatever of them was passed over, cut, merged or looks wrong: readers tell it, the
/// command shows it. Nothing may be dropped without a remark here.
package final class DataAccount {
  /// Something that a user should know of the data.
  package struct Remark: Equatable, Sendable {
    /// What was done and why, such as "blank line passed over".
    package let what: String
    /// How to have it otherwise; nil where nothing need be done.
    package let hint: String?
    /// How often it was found.
    package fileprivate(set) var count = 0
    /// The first three places where.
    package fileprivate(set) var places: [String] = []
  }

  /// How many of something there are.
  package struct Count: Equatable, Sendable {
    /// One of them, such as "row".
    package let unit: String
    package let training: Int
    package let heldOut: Int
  }

  /// How many sequences a class has, or timesteps where each has a label.
  package struct ClassCount: Equatable, Sendable {
    package let name: String
    package let training: Int
    package let heldOut: Int
  }

  /// How many tokens a text has, and how many of them are none of the vocabulary.
  package struct Unknown: Equatable, Sendable {
    package private(set) var tokens: Int
    package private(set) var unknown: Int

    package init(tokens: Int, unknown: Int) { (self.tokens, self.unknown) = (tokens, unknown) }

    mutating func add(isUnknown: Bool) {
      tokens += 1
      unknown += isUnknown ? 1 : 0
    }

    /// From 0 to 1.
    package var share: Double { tokens == 0 ? 0 : Double(unknown) / Double(tokens) }
  }

  /// Files that were read.
  package private(set) var files = 0
  package private(set) var counts: [Count] = []
  package private(set) var classes: [ClassCount] = []
  /// Entries of the vocabulary; nil where there is none.
  package private(set) var vocabulary: Int?
  /// Of the part to train on, and of the part held out.
  package private(set) var unknown: (training: Unknown?, heldOut: Unknown?)
  /// In the order in which they were first made.
  package private(set) var remarks: [Remark] = []

  package init() {}

  // MARK: Telling

  /// Something was found at `place`, such as "t.csv, line 7". What is found again at another place is one remark.
  package func remark(_ what: String, at place: String, hint: String? = nil) {
    let found = remarks.firstIndex { $0.what == what && $0.hint == hint }
    if found == nil { remarks.append(Remark(what: what, hint: hint)) }
    let index = found ?? remarks.count - 1
    remarks[index].count += 1
    if remarks[index].places.count < 3 { remarks[index].places.append(place) }
  }

  /// Something holds of the data as a whole.
  package func remark(_ what: String, hint: String? = nil) {
    guard !remarks.contains(where: { $0.what == what }) else { return }
    remarks.append(Remark(what: what, hint: hint, count: 1))
  }

  package func addFile() { files += 1 }

  package func count(_ unit: String, training: Int, heldOut: Int = 0) {
    counts.append(Count(unit: unit, training: training, heldOut: heldOut))
  }

  /// Counts the classes. One that cannot be learned, or is not measured, is a remark.
  package func count(classes names: [String], training: [Int], heldOut: [Int]?) {
    classes = names.indices.map {
      ClassCount(name: names[$0], training: training[$0], heldOut: heldOut?[$0] ?? 0)
    }
    for counted in classes where counted.training == 0 {
      remark(
        "class without anything to train on: a model cannot learn it", at: quoted(counted.name),
        hint: "give more of the class, leave it out, or hold out another share")
    }
    guard heldOut != nil else { return }
    for counted in classes where counted.heldOut == 0 {
      remark("class of which nothing is held out: nothing is measured of it", at: quoted(counted.name))
    }
  }

  /// More unknown tokens than this are a remark.
  private static let usualUnknown = 0.05

  /// Tells where a loss says little, for many tokens are unknown: all of them are one token, which is easy to predict.
  package func tellOfUnknown(_ part: Unknown, in place: String) {
    guard part.share > DataAccount.usualUnknown else { return }
    remark(
      "more than 5 % of the tokens are none of the vocabulary: the loss and the perplexity count them as one token, and "
        + "are lower than those of the text itself", at: "\(part.unknown) of \(part.tokens) in \(place)",
      hint: "a larger data.vocabulary, characters for tokens, or a text of the kind that was learned")
  }

  package func count(vocabulary: Int, training: Unknown?, heldOut: Unknown?) {
    self.vocabulary = vocabulary
    unknown = (training, heldOut)
    if let training { tellOfUnknown(training, in: "the training part") }
    if let heldOut { tellOfUnknown(heldOut, in: "the held-out part") }
  }
}
