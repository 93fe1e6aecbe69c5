import Configuration
import Files
import Sequences

extension Configuration.Data {
  /// Which labelled sequences are held out.
  package func heldOutRule() throws -> HeldOut {
    if folds > 0 { return .fold(fold, of: folds) }
    if !heldOut.isEmpty { return .names(try heldOut.split(separator: "|").map { try NamePattern(String($0)) }) }
    return switch validation {
    case .none: .none
    case .fraction(let share): .share(share)
    case .file(let path): .path(path)
    }
  }
}
