import Problems

extension ConfigurationKey {
  /// The key of a name; an unknown one is an error that names the nearest known key.
  static func named(_ name: String, value: String, origin: String) throws(Problem) -> ConfigurationKey {
    if let key = all.first(where: { $0.name == name }) { return key }
    if isSection(name) {
      throw Problem(
        .badConfiguration,
        "\(name) is a section — expected a mapping of its keys, got \(value.isEmpty ? "nothing" : value) (\(origin))",
        hint: "its keys are " + all.map(\.name).filter { $0.hasPrefix(name + ".") }.joined(separator: ", "))
    }
    throw Problem(
      .badConfiguration,
      "unknown key \(name) with value \(value.isEmpty ? "nothing" : value) — expected a known key, got \(name) "
        + "(\(origin))",
      hint: "did you mean \(nearest(to: name))?")
  }

  /// True for the first part of a name with two, such as `model`.
  static func isSection(_ name: String) -> Bool { all.contains { $0.name.hasPrefix(name + ".") } }

  /// The known name that takes the fewest edits. The last part of a name counts as a name too, and so do its initials:
  /// `hidden` is nearest to `model.hidden` and `lr` to `optimizer.learningRate`.
  static func nearest(to name: String) -> String {
    let written = String(name.prefix(100))
    let writtenPart = lastPart(written)
    func distance(_ known: String) -> Int {
      let knownPart = lastPart(known)
      let initials = knownPart.prefix(1) + knownPart.filter(\.isUppercase).lowercased()
      if initials.count > 1 && writtenPart == initials { return 1 }
      return min(2 * edits(written, known), 2 * edits(writtenPart, knownPart) + 1)
    }
    return all.map(\.name).min { distance($0) < distance($1) }!
  }

  private static func lastPart(_ name: String) -> String { name.split(separator: ".").last.map { String($0) } ?? name }

  /// The edit distance of Levenshtein: the fewest insertions, deletions and replacements that make `a` into `b`,
  /// letters of either case being equal. Row by row,
  /// d[i, j] = min(d[i−1, j] + 1, d[i, j−1] + 1, d[i−1, j−1] + (aᵢ ≠ bⱼ)).
  package static func edits(_ a: String, _ b: String) -> Int {
    let columns = Array(b.lowercased())
    var row = Array(0...columns.count)
    for (i, letter) in a.lowercased().enumerated() {
      var diagonal = row[0]
      row[0] = i + 1
      for (j, other) in columns.enumerated() {
        let replaced = diagonal + (letter == other ? 0 : 1)
        diagonal = row[j + 1]
        row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
      }
    }
    return row[columns.count]
  }
}
