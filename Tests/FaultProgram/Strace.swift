import TestSupport

/// `strace`, which can make a call fail, or take long.
struct Strace {
  private let command = ["strace", "-f", "-qq", "-y"]
  private static let calls = "/^(mkdir|openat|write|pwrite|fsync|fdatasync|ftruncate|close|rename|unlink|rmdir)"

  /// Nil where there is no strace, or it may not trace.
  init?() throws {
    let outcome = try Job(command + ["-o", "/dev/null", "true"]).wait()
    if outcome.exitCode != 0 { return nil }
  }

  /// Starts a command, and lists what it does with files.
  func listing(to log: String) -> [String] { command + ["-o", log, "-e", "trace=\(Self.calls)"] }

  /// Starts a command, and disturbs one call.
  func injecting(_ what: String, _ call: SystemCall) -> [String] {
    command + [
      "-o", "/dev/null", "-P", call.argument, "-e", "trace=\(call.name)", "-e",
      "inject=\(call.name):\(what):when=\(call.occurrence)",
    ]
  }

  /// Starts a command whose fsyncs take so much longer. It remains the child of whoever starts it.
  func slowing(milliseconds: Int) -> [String] {
    [
      "strace", "-DD", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null", "-e", "trace=fsync,fdatasync", "-e",
      "inject=fsync,fdatasync:delay_enter=\(milliseconds)ms",
    ]
  }

  /// Holds one thread of a process, at its next system call, for ever; the others go on.
  func holding(thread: Int32) -> [String] {
    ["strace", "-qq", "-o", "/dev/null", "-p", "\(thread)", "-e", "inject=all:delay_enter=600s"]
  }
}
