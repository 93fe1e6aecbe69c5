import Foundation
import Glibc
import TestSupport

/// The rank that a process is, from its environment.
func rank(ofProcess process: Int32) -> Int? {
  guard let environment = FileManager.default.contents(atPath: "/proc/\(process)/environ") else { return nil }
  let name = "OMPI_COMM_WORLD_RANK="
  return environment.split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    .first { $0.hasPrefix(name) }.flatMap { Int($0.dropFirst(name.count)) }
}

/// Sleeps until `condition` holds or the time is over; says whether it holds.
@discardableResult
func wait(seconds: Double, everySeconds: Double = 0.02, until condition: () -> Bool) -> Bool {
  let end = Date().addingTimeInterval(seconds)
  while !condition() {
    if Date() > end { return false }
    usleep(UInt32(everySeconds * 1e6))
  }
  return true
}

/// The processes that have this argument.
func processes(with argument: String) -> [Int32] {
  ((try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []).compactMap { Int32($0) }.filter {
    guard let arguments = FileManager.default.contents(atPath: "/proc/\($0)/cmdline") else { return false }
    return arguments.split(separator: 0).contains(Data(argument.utf8))
  }
}

/// The processes that still have this argument ten seconds after their job was ended; they are killed.
func orphans(of argument: String) -> [Int32] {
  var left: [Int32] = []
  wait(seconds: 10) {
    left = processes(with: argument)
    return left.isEmpty
  }
  for process in left { kill(process, SIGKILL) }
  return left
}
