import Files
import Problems

/// What the names of classes say of the data that they come from.
package enum ClassNames {
  // MARK: Too many

  /// Throws where the labels are no names of classes: numbers that were measured, or texts that are nearly all different.
  /// - Parameters:
  ///   - counts: How often each label occurs.
  ///   - unit: What is labelled.
  ///   - hint: How to name the labels.
  static func check(
    _ counts: [ExactString: Int], of unit: String, source: String, hint: String
  ) throws(Problem) {
    let (classes, all) = (counts.count, counts.values.reduce(0, +))
    let single = counts.values.count { $0 == 1 }
    let numbers = counts.keys.map { NumberText.value($0.text) }
    let areNumbers = numbers.allSatisfy { $0 != nil }
    let areMeasured = areNumbers && numbers.contains { $0! != $0!.rounded() }
    let areTooMany = classes > 100 && 2 * single > classes
    guard areTooMany || (areMeasured && classes >= 10 && all < 3 * classes) else { return }
    let what = areNumbers ? "different numbers" : "different labels"
    throw .data(
      "\(areNumbers ? "numbers" : "texts") for classes — expected several \(unit)s of each class, got \(classes) \(what) "
        + "for \(counted(all, unit)), \(single) of them once (\(source))",
      hint: areNumbers ? hint + "; numbers that were measured are forecast with task=forecasting" : hint)
  }

  // MARK: Alike

  /// Classes that a careful reader would take for one, each group with what its names differ in.
  static func alike(_ classes: [String]) -> [(names: [String], difference: String)] {
    let groups = Dictionary(grouping: classes, by: folded).values.filter { $0.count >= 2 }
    return groups.map { group in
      let names = group.sorted { precedes($0, $1) }
      return (names, difference(names))
    }.sorted { precedes($0.names[0], $1.names[0]) }
  }

  /// What to tell where a label is none of the classes but looks like one.
  static func hint(unknown label: String, among classes: [String]) -> String? {
    classes.first { folded($0) == folded(label) }.map { known in
      let names = shown([known, label])
      return "\(names[1]) and the class \(names[0]) \(difference([known, label])): make them one"
    }
  }

  /// A number as its value, any other name without blanks, case, and characters that are not shown.
  private static func folded(_ name: String) -> String {
    let visible = removing(name) { $0.isWhitespace || $0.isDefaultIgnorableCodePoint }
    guard let number = NumberText.value(visible) else { return visible.lowercased() }
    return "\(number == 0 ? 0 : number)"
  }

  /// Swift compares Strings in whatever normal form they are.
  private static func difference(_ names: [String]) -> String {
    func areEqual(_ form: (String) -> String) -> Bool { Set(names.map(form)).count == 1 }
    if areEqual({ $0 }) { return "differ in their normal form of Unicode only" }
    if areEqual({ removing($0, \.isWhitespace) }) { return "differ in blanks only" }
    if areEqual({ removing($0, \.isDefaultIgnorableCodePoint) }) { return "differ in characters that are not shown" }
    if areEqual({ $0.lowercased() }) { return "differ in case only" }
    if names.allSatisfy({ NumberText.value($0) != nil }) { return "are the same number" }
    return "differ in blanks, case or characters that are not shown"
  }

  private static func removing(_ name: String, _ isRemoved: (Unicode.Scalar.Properties) -> Bool) -> String {
    String(String.UnicodeScalarView(name.unicodeScalars.filter { !isRemoved($0.properties) }))
  }

  // MARK: Shown

  /// Names as a table or message shows them: as they are where they cannot be misread, else in quotation marks, and in
  /// escapes where two look alike.
  package static func shown(_ classes: [String]) -> [String] {
    let plain = classes.map(shown)
    let counts = Dictionary(plain.map { ($0, 1) }, uniquingKeysWith: +)
    return zip(classes, plain).map { counts[$1]! > 1 ? escaped($0) : $1 }
  }

  private static func shown(_ name: String) -> String {
    let scalars = name.unicodeScalars
    let isHidden = scalars.contains {
      $0.properties.isDefaultIgnorableCodePoint || ($0.properties.isWhitespace && !$0.isASCII)
    }
    if isHidden { return escaped(name) }
    let isPlain =
      !name.isEmpty && "\"\(name)\"" == quoted(name) && !name.contains(",") && !name.contains("  ")
      && scalars.first != " " && scalars.last != " "
    return isPlain ? name : quoted(name)
  }

  private static func escaped(_ name: String) -> String {
    "\"" + name.unicodeScalars.map { $0.escaped(asASCII: true) }.joined() + "\""
  }
}

extension DataAccount {
  /// Tells of classes whose names look like one, or like none.
  func tellAlike(_ classes: [String]) {
    for (names, difference) in ClassNames.alike(classes) {
      let shown = ClassNames.shown(names).map { $0.hasPrefix("\"") ? $0 : quoted($0) }
      remark(
        "classes that \(difference)", at: shown.joined(separator: " and "),
        hint: "where they are one class, write it in one way")
    }
    for name in classes where NumberText.isMissing(name) {
      remark(
        "class that reads as a missing value", at: quoted(name), hint: "where there is no label, leave the row out")
    }
  }
}
