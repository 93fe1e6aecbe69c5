import Sequences

/// The value of a key as what it is, for forms that know types, such as JSON.
package enum KeyValue: Equatable, Sendable {
  case flag(Bool)
  case integer(Int)
  case seed(UInt64)
  case number(Double)
  /// A text of the user's, or the name of a choice.
  case text(String)
}

/// A type of values that are not choices alone, whose names are texts.
protocol KeyValueConvertible {
  var keyValue: KeyValue { get }
}

extension Bool: KeyValueConvertible { var keyValue: KeyValue { .flag(self) } }

extension Int: KeyValueConvertible { var keyValue: KeyValue { .integer(self) } }

extension UInt64: KeyValueConvertible { var keyValue: KeyValue { .seed(self) } }

extension Double: KeyValueConvertible { var keyValue: KeyValue { .number(self) } }

extension String: KeyValueConvertible { var keyValue: KeyValue { .text(self) } }

extension Configuration.Training.Recompute: KeyValueConvertible {
  var keyValue: KeyValue {
    switch self {
    case .off: .text("off")
    case .auto: .text("auto")
    case .segments(let timesteps): .integer(timesteps)
    }
  }
}

extension Configuration.Data.Validation: KeyValueConvertible {
  var keyValue: KeyValue {
    switch self {
    case .none: .integer(0)
    case .fraction(let share): .number(share)
    case .file(let file): .text(file)
    }
  }
}

extension TableForm.Header: KeyValueConvertible {
  var keyValue: KeyValue {
    switch self {
    case .recognised: .text("auto")
    case .none: .text("none")
    case .lines(let count): .integer(count)
    }
  }
}
