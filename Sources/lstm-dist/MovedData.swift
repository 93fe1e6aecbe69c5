import Problems

/// Data that are no longer where a run says.
enum MovedData {
  /// Of a run that stored where its data lie.
  static let hint =
    "if the data of the run have moved, name them with --set data.path=PATH (and data.validation, if a file)"

  /// Where the data cannot be read, the error of `body` gets this hint.
  static func hinting<Result>(_ hint: String?, _ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch let error as Problem where error.exitCode == 74 && error.hint == nil {
      throw Problem(error.exit, error.message, hint: hint)
    }
  }
}

/// What the user should know of the preparation of data.
func printNotice(_ text: String) { printError("notice: \(singleLine(text))") }
