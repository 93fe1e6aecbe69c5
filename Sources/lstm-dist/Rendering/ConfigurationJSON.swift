import Configuration
import Files

extension Configuration {
  /// Every key with its value: numbers and truth values as such, all else as text.
  var json: JSONRecord { JSONRecord(typedValues.map { ($0.key, $0.value.json) }) }
}

extension KeyValue {
  fileprivate var json: JSON {
    switch self {
    case .flag(let truth): .boolean(truth)
    case .integer(let integer): .integer(integer)
    case .seed(let seed): .unsigned(seed)
    case .number(let number): .number(number)
    case .text(let text): .string(text)
    }
  }
}
