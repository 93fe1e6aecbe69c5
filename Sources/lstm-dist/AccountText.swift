import ArgumentParser
import Files

/// How much a command says of the data that it read.
struct DataOptions: ParsableArguments {
  @Flag(help: "Says everything that was noticed of the data.") var verbose = false

  /// Remarks beyond these are counted.
  private static let mostRemarks = 5

  /// Prints what was not taken as it stands.
  func tell(_ account: DataAccount) {
    let shown = verbose ? account.remarks[...] : account.remarks.prefix(DataOptions.mostRemarks)
    for remark in shown {
      printNotice(remark.text)
      if let hint = remark.hint { printError("hint: \(singleLine(hint))") }
    }
    let others = account.remarks.count - shown.count
    if others > 0 { printNotice("\(others) more of the data; --verbose shows them") }
  }
}
