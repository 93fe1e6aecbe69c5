import Foundation
import Problems

/// JSON on one line whose keys are sorted: the same bytes for the same value.
package enum SortedJSON {
  /// The value as JSON.
  package static func data(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }

  /// The value as JSON.
  package static func text(_ value: some Encodable) throws -> String {
    String(decoding: try data(value), as: UTF8.self)
  }

  /// Reads what `data` has made. Exit code 65 for anything else: `what` it should be, with which keys, and `name`, what
  /// the file is called.
  static func read<Value: Decodable>(
    _ json: Data, what: String, keys: String, name: String
  ) throws(Problem) -> Value {
    do {
      return try JSONDecoder().decode(Value.self, from: json)
    } catch let error as Problem {
      throw .data("\(error.message) (\(name))")
    } catch {
      throw .data("\(what) cannot be read — expected a JSON object with \(keys), got \(error) (\(name))")
    }
  }
}
