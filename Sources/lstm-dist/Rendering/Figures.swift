// How numbers stand in what people read.

import Foundation

/// A number with a fixed count of decimals.
package func rounded(_ value: Double, _ decimals: Int) -> String {
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  // Beyond 2⁵³ not every integer is a Double.
  guard value.isFinite, abs(value) * scale < 0x1p53 else { return "\(value)" }
  let scaled = (abs(value) * scale).rounded()
  let (whole, rest) = Int(scaled).quotientAndRemainder(dividingBy: Int(scale))
  let sign = value < 0 && scaled > 0 ? "-" : ""
  if decimals == 0 { return sign + "\(whole)" }
  let fraction = String(rest)
  return sign + "\(whole)." + String(repeating: "0", count: decimals - fraction.count) + fraction
}

/// A figure of a result: four decimals, and below 0.1 four significant digits, so that what is not zero never looks it.
package func figure(_ value: Double) -> String {
  value.magnitude >= 0.1 || value == 0 ? rounded(value, 4) : significant(value, 4)
}

/// A share from 0 to 1 as a percentage of two significant digits.
package func percentage(_ share: Double) -> String { "\(significant(100 * share, 2)) %" }

/// A number with this many significant digits, those before its point all shown; with an exponent where it is tiny.
package func significant(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, value != 0 else { return rounded(value, 0) }
  let exponent = Int(log10(value.magnitude).rounded(.down))
  guard exponent < -6 else { return rounded(value, max(0, digits - 1 - exponent)) }
  return String(format: "%.*e", digits - 1, value)
}
