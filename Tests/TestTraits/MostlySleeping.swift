import Foundation
import Testing

/// Runs tests whose jobs sleep most of the time beside those that compute: on threads of their own, four at a time. As
/// many others run at once as the machine has cores.
package struct MostlySleeping: TestTrait, SuiteTrait, TestScoping {
  package var isRecursive: Bool { true }

  package func provideScope(
    for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
  ) async throws {
    try await withTaskExecutorPreference(SleepersThreads.shared) { try await body() }
  }
}

extension Trait where Self == MostlySleeping {
  /// The jobs of the test sleep most of the time, and no outcome depends on how long anything takes.
  package static var mostlySleeps: Self { MostlySleeping() }
}

/// Threads that tests may block.
private final class SleepersThreads: TaskExecutor, @unchecked Sendable {
  static let shared = SleepersThreads(count: 4)

  /// Guards `jobs`.
  private let condition = NSCondition()
  private var jobs: [UnownedJob] = []

  private init(count: Int) {
    for _ in 0..<count { Thread { self.runForEver() }.start() }
  }

  func enqueue(_ job: consuming ExecutorJob) {
    condition.lock()
    jobs.append(UnownedJob(job))
    condition.signal()
    condition.unlock()
  }

  private func runForEver() -> Never {
    while true {
      condition.lock()
      while jobs.isEmpty { condition.wait() }
      let job = jobs.removeFirst()
      condition.unlock()
      job.runSynchronously(on: asUnownedTaskExecutor())
    }
  }
}
