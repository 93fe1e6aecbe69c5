/// A date, with or without a time of day, in text form.
struct DateText: Equatable {
  let year: Int
  let month: Int
  let day: Int
  /// Microseconds since midnight, less the distance of the time zone where one stands behind it; nil without a time.
  let microsecond: Int?

  /// In which order year, month and day stand.
  enum Order: CaseIterable {
    /// 2016-02-29 or 2016/02/29.
    case yearFirst
    /// 29.02.2016, 29/02/2016 or 29-02-2016.
    case dayFirst
    /// 02/29/2016.
    case monthFirst
  }

  /// A date at the beginning of a text, blanks before it passed over; behind it a time such as ` 13:45`, `T13:45:10.5`,
  /// or anything that does not begin with a digit. Nil for anything else, and for a day that the calendar has not.
  init?(_ text: UnsafeBufferPointer<UInt8>, _ order: Order = .yearFirst) {
    var reader = Reader(text: text)
    reader.skipBlanks()
    let (year, month, day): (Int?, Int?, Int?)
    switch order {
    case .yearFirst:
      year = reader.number(4...4)
      let separator = reader.separator(among: "-/")
      month = reader.number(2...2)
      guard separator != nil, reader.take(separator!) else { return nil }
      day = reader.number(2...2)
    case .dayFirst, .monthFirst:
      let first = reader.number(1...2)
      let separator = reader.separator(among: "/.-")
      let second = reader.number(1...2)
      guard separator != nil, reader.take(separator!) else { return nil }
      year = reader.number(4...4)
      (month, day) = order == .dayFirst ? (second, first) : (first, second)
    }
    guard let year, let month, let day, !reader.isAtDigit, DateText.exists(year, month, day) else { return nil }
    (self.year, self.month, self.day) = (year, month, day)
    microsecond = reader.time()
    hour = reader.hour
  }

  private static func exists(_ year: Int, _ month: Int, _ day: Int) -> Bool {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return (1...12).contains(month) && day >= 1 && day <= lengths[month - 1] - (month == 2 && !isLeap ? 1 : 0)
  }

  /// Days of the months of a leap year.
  private static let lengths = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
  private static let daysBefore = lengths.indices.map { lengths[..<$0].reduce(0, +) }

  /// Days since the first of January of a leap year: the same day has the same number in every year.
  var dayOfYear: Int { DateText.daysBefore[month - 1] + day - 1 }

  /// Days since 1970-01-01.
  var days: Int {
    // Years begin in March, so that the day that some have more is the last.
    let (y, m) = month > 2 ? (year, month - 3) : (year - 1, month + 9)
    let era = (y >= 0 ? y : y - 399) / 400
    let ofEra = y - era * 400
    let ofYear = (153 * m + 2) / 5 + day - 1
    return era * 146_097 + ofEra * 365 + ofEra / 4 - ofEra / 100 + ofYear - 719_468
  }

  /// Microseconds since 1970-01-01.
  var microseconds: Int { days * 86_400_000_000 + (microsecond ?? 0) }

  /// As it is written, on a clock of 24 hours; nil without a time.
  let hour: Int?

  /// 0 for Monday.
  var weekday: Int { ((days + 3) % 7 + 7) % 7 }

  private struct Reader {
    let text: UnsafeBufferPointer<UInt8>
    var place = 0
    /// Of the time that was read.
    private(set) var hour: Int?

    var isAtDigit: Bool { place < text.count && isDigit(text[place]) }

    private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    mutating func skipBlanks() {
      while place < text.count, text[place] == 0x20 || text[place] == 0x09 { place += 1 }
    }

    /// A number of so many digits, as many as there are.
    mutating func number(_ digits: ClosedRange<Int>) -> Int? {
      var (value, count) = (0, 0)
      while count < digits.upperBound, isAtDigit {
        value = value * 10 + Int(text[place] - UInt8(ascii: "0"))
        (place, count) = (place + 1, count + 1)
      }
      return digits.contains(count) ? value : nil
    }

    mutating func take(_ byte: UInt8) -> Bool {
      guard place < text.count, text[place] == byte else { return false }
      place += 1
      return true
    }

    mutating func separator(among bytes: StaticString) -> UInt8? {
      guard place < text.count, bytes.withUTF8Buffer({ $0.contains(text[place]) }) else { return nil }
      place += 1
      return text[place - 1]
    }

    /// Microseconds since midnight; nil where no time stands here.
    mutating func time() -> Int? {
      guard take(UInt8(ascii: "T")) || take(0x20) else { return nil }
      skipBlanks()
      guard var hour = number(1...2), hour < 24, take(UInt8(ascii: ":")), let minute = number(2...2), minute < 60
      else { return nil }
      var micros = 0
      if take(UInt8(ascii: ":")) {
        guard let second = number(2...2), second < 61 else { return nil }
        micros = second * 1_000_000
        if take(UInt8(ascii: ".")) || take(UInt8(ascii: ",")) { micros += fraction() }
      }
      skipBlanks()
      if let isAfternoon = half(), hour <= 12 { hour = hour % 12 + (isAfternoon ? 12 : 0) }
      skipBlanks()
      self.hour = hour
      return (hour * 60 + minute - zone()) * 60_000_000 + micros
    }

    /// Digits behind a second's point, in microseconds.
    private mutating func fraction() -> Int {
      var (value, unit) = (0, 100_000)
      while isAtDigit {
        value += Int(text[place] - UInt8(ascii: "0")) * unit
        (place, unit) = (place + 1, unit / 10)
      }
      return value
    }

    /// Whether PM stands here, or AM; nil for neither.
    private mutating func half() -> Bool? {
      guard place + 1 < text.count, text[place + 1] | 0x20 == UInt8(ascii: "m") else { return nil }
      let letter = text[place] | 0x20
      guard letter == UInt8(ascii: "a") || letter == UInt8(ascii: "p") else { return nil }
      place += 2
      return letter == UInt8(ascii: "p")
    }

    /// Minutes that a zone such as +02:00 is ahead; 0 where none stands here.
    private mutating func zone() -> Int {
      let sign = take(UInt8(ascii: "+")) ? 1 : take(UInt8(ascii: "-")) ? -1 : 0
      guard sign != 0, let hours = number(2...2) else { return 0 }
      _ = take(UInt8(ascii: ":"))
      return sign * (hours * 60 + (number(2...2) ?? 0))
    }
  }
}
