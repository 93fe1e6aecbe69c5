import Problems

/// The standard error of mpirun and its ranks. What our ranks say goes to the user; mpirun's boxes of dashes and its other
/// remarks do not, but are kept to find out how the job ended. Pure: bytes in, bytes out.
package struct JobMessages {
  /// Whether a rank has told of an error.
  package private(set) var hasError = false
  /// Whether the ranks heed signals from now on.
  package private(set) var isReady = false

  private let mpirun: Int32
  private var line: [UInt8] = []
  private var isInBox = false
  private var box: [String] = []
  private var boxes: [[String]] = []

  /// - Parameter mpirun: its process id, with which it begins some of its lines.
  package init(mpirun: Int32) { self.mpirun = mpirun }

  /// What the user is to see of these bytes, and of those before that had no line feed yet.
  package mutating func take(_ bytes: some Sequence<UInt8>) -> [UInt8] {
    var shown: [UInt8] = []
    for byte in bytes {
      line.append(byte)
      if byte == UInt8(ascii: "\n") { shown += takeLine() }
    }
    return shown
  }

  /// The same at the end, where the last line may have no line feed.
  package mutating func finish() -> [UInt8] {
    defer { if isInBox { boxes.append(box) } }
    return line.isEmpty ? [] : takeLine()
  }

  private mutating func takeLine() -> [UInt8] {
    defer { line = [] }
    let text = String(decoding: line, as: UTF8.self).trimmingLineFeed
    if text == Launcher.readyLine {
      isReady = true
      return []
    }
    if text.isOurError { hasError = true }
    if text.isOurs { return line }
    if text.count >= 60, text.allSatisfy({ $0 == "-" }) {
      if isInBox {
        boxes.append(box)
        box = []
      }
      isInBox.toggle()
      return []
    }
    if isInBox {
      box.append(text)
      return []
    }
    return text.isEmpty || isRemark(text) ? [] : line
  }

  /// `[host:process id] …`, or a line that begins with the name of the launcher.
  private func isRemark(_ text: String) -> Bool {
    if ["mpirun: ", "mpiexec: ", "orterun: ", "prterun: ", "Abort is in progress"].contains(where: text.hasPrefix) {
      return true
    }
    return text.prefixMatch(of: #/\[[^\[\]:]+:(\d+)\] /#).map { Int32($0.1) == mpirun } ?? false
  }
}

// MARK: The end of the job

extension JobMessages {
  /// Codes with a meaning of ours.
  private static let ourCodes: ClosedRange<Int32> = 64...78

  /// The exit code of the job that mpirun ended with this one, and the problem where no rank has told of it.
  package func ending(exitCode: Int32) -> (exitCode: Int32, problem: Problem?) {
    if exitCode == 0 || JobMessages.ourCodes.contains(exitCode) { return (exitCode, nil) }
    if hasError { return (ExitCode.peerLost.rawValue, nil) }
    let problem = problem(exitCode: exitCode)
    return (problem.exitCode, problem)
  }

  /// What mpirun's own words say.
  private func problem(exitCode: Int32) -> Problem {
    let said = boxes.map { $0.joined(separator: " ") }
    for text in said {
      if let match = text.firstMatch(of: #/process rank (\d+) .*on node (\S+) exited on signal (\d+)/#) {
        return killed(rank: match.1, host: match.2, signal: Int32(match.3) ?? 0)
      }
    }
    if let slots = said.first(where: { $0.contains("not enough slots") }) {
      return Problem(
        .badConfiguration, cannotStart(slots),
        hint: "mpirun counts the slots of the hostfile: raise slots=N there, or start fewer ranks")
    }
    let reason = said.first { !$0.hasPrefix("Primary job") }
    return Problem(.peerLost, cannotStart(reason ?? "exit code \(exitCode) without a message"))
  }

  private func killed(rank: Substring, host: Substring, signal: Int32) -> Problem {
    Problem(
      .peerLost,
      "rank \(rank) was killed by \(StopSignals.name(signal)) — expected a running process, got none (host \(host))",
      hint: signal == 9 ? "the system kills a process when memory runs out: dmesg says so" : nil)
  }

  private func cannotStart(_ reason: String) -> String {
    let words = reason.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let end = words.firstRange(of: #/[.:] |[.:]$/#)?.lowerBound ?? words.endIndex
    return "mpirun failed — expected it to run the job to its end, got: \(words[..<end])"
  }
}

extension String {
  fileprivate var trimmingLineFeed: String { hasSuffix("\n") ? String(dropLast()) : self }

  /// Whether a rank of ours has written it: such lines pass even where mpirun is in the middle of a box.
  fileprivate var isOurs: Bool {
    isOurError || ["hint: ", "warning: ", "notice: "].contains(where: hasPrefix)
  }

  /// `error: …` or `[rank 2/3] error: …`.
  fileprivate var isOurError: Bool { prefixMatch(of: #/(\[rank \d+\/\d+\] )?error: /#) != nil }
}
