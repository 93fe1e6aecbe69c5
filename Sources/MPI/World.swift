internal import CMPI
import Glibc

/// All ranks of the job, for the time in which MPI is up.
///
///     World.run { world in
///       let corpus = world.agree { try readCorpus() }
///       try train(corpus, on: world.communicator)
///     }
///
/// On an error in one rank all ranks end, quickly, with one message:
///
/// * What every rank does alike and may find wrong alike (settings, files, the plan) belongs in `agree`. It compares
///   the outcomes; the lowest rank that failed reports, and its exit code is the job's. Exact for any number of ranks.
/// * An error thrown anywhere else is reported by the rank that has it. Rank 0 does so at once and ends the job, the
///   others wait a moment first, so that an error which all ranks meet at the same time is still printed once.
///
/// No error path calls MPI_Finalize: it can wait for ever for a rank that is inside a collective.
public struct World: Sendable {
  /// All ranks.
  public let communicator: Communicator

  /// The ranks that can share memory with this one, which means those of its node, in the order of all ranks.
  public let node: Communicator

  /// What the threads of this process may do; never less than what was asked for.
  public let threadLevel: ThreadLevel

  /// Whether there is a launcher to be told of an error.
  private let hasLauncher: Bool

  /// For `agree`, so that it cannot meet the program's own messages.
  private let agreement: Communicator
  private let describe: @Sendable (any Error) -> Failure

  /// Starts MPI, runs `body`, and finalizes MPI. The process is a world of one if no launcher started it.
  /// An error thrown by `body` ends the whole job with the message and exit code that `describe` gives it. Processes
  /// that were started together and do not find each other, as under the launcher of another MPI, end with exit code 78.
  /// May be called once in the life of a process.
  public static func run<R: ~Copyable>(
    threads: ThreadLevel = .funneled,
    describe: @escaping @Sendable (any Error) -> Failure = { Failure(describing: $0) },
    _ body: (World) throws -> R
  ) -> R {
    let world = start(threads, describe)
    do {
      let result = try body(world)
      try check("MPI_Finalize", MPI_Finalize())
      return result
    } catch {
      world.fail(error)
    }
  }

  /// The corresponding MPI functions are `MPI_Init_thread` (MPI 4.0 §11.6.2) and, for the end, `MPI_Finalize`
  /// (§11.2.2).
  private static func start(_ threads: ThreadLevel, _ describe: @escaping @Sendable (any Error) -> Failure) -> World {
    let launch = Launch()
    launch.endWithLauncher()
    launch.prepareEnvironment()
    do {
      var provided: Int32 = 0
      try check("MPI_Init_thread", MPI_Init_thread(nil, nil, threads.mpiValue, &provided))
      let level = ThreadLevel(provided: provided)
      let all = try Communicator(handle: MPI_COMM_WORLD)
      // The library reports errors that belong to no communicator on this one.
      _ = try Communicator(handle: MPI_COMM_SELF)
      launch.refuseStrangers(worldSize: all.size)
      let world = World(
        communicator: all, node: try all.splitBySharedMemory(key: all.rank), threadLevel: level,
        hasLauncher: launch.hasLauncher, agreement: try all.duplicate(), describe: describe)
      if level < threads {
        let error = MPIError.refused("MPI_Init_thread", "thread level — expected \(threads), got \(level)")
        world.agree { throw error }
      }
      return world
    } catch {
      let failure = describe(error)
      failure.report(rank: 0, size: 1)
      MPI_Abort(MPI_COMM_WORLD.handle, failure.exitCode)
      _exit(failure.exitCode)
    }
  }

  /// Whether mpirun, srun or another launcher has started this process. To be asked before MPI starts.
  public static var hasLauncher: Bool { Launch().hasLauncher }

  /// The MPI that the program runs with, as it names itself, on one line.
  /// The corresponding MPI function is `MPI_Get_library_version` (MPI 4.0 §9.1.1), which may be called before MPI starts.
  public static var library: String {
    withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(MPI_MAX_LIBRARY_VERSION_STRING) + 1) { characters in
      characters.initialize(repeating: 0)
      var length: Int32 = 0
      guard MPI_Get_library_version(characters.baseAddress!, &length) == MPI_SUCCESS else { return "unknown" }
      return String(cString: characters.baseAddress!).split { $0 == "," || $0.isNewline }.first.map(String.init)
        ?? "unknown"
    }
  }

  // MARK: Errors

  /// Runs `body` on every rank; all ranks have to call it at the same point. Returns only if it succeeds on all of
  /// them. Otherwise the lowest rank that failed prints its message and ends the job.
  public func agree<R: ~Copyable>(_ body: () throws -> R) -> R {
    let outcome = Result<R, any Error>(catching: body)
    do {
      let failed =
        switch outcome {
        case .success: agreement.size
        case .failure: agreement.rank
        }
      let reporter = try agreement.allReduce(failed, .minimum)
      if reporter < agreement.size && reporter != agreement.rank { waitForTheEnd() }
      return try outcome.get()
    } catch {
      end(describe(error))
    }
  }

  /// Ends the whole job because of an error, with its message and exit code. For whoever holds a live request, past
  /// which an error must not unwind.
  public func fail(_ error: any Error) -> Never {
    let failure = describe(error)
    Failure.acceptTermination()
    fflush(nil)
    // Some time for a lower rank that failed too to end the job first. 0.2 s is ten times what mpirun needs for it;
    // in short sleeps, which become longer on a busy machine as mpirun's time does.
    for _ in 0..<20 * min(communicator.rank, 8) { usleep(10_000) }
    end(failure)
  }

  /// Ends this process with a message and without MPI, which may be coming to its end. The launcher then ends the
  /// others.
  public func leave(with error: any Error) -> Never {
    let failure = describe(error)
    failure.report(rank: communicator.rank, size: communicator.size)
    _exit(failure.exitCode)
  }

  private func end(_ failure: Failure) -> Never {
    failure.report(rank: communicator.rank, size: communicator.size)
    // Alone there is nobody to end, and MPI_Abort would add a message of its own.
    if !hasLauncher { _exit(failure.exitCode) }
    communicator.abort(exitCode: failure.exitCode)
  }

  /// Another rank has printed the message and is ending the job. Should the launcher not reach this process, it ends
  /// by itself: exit code 77, a peer was lost.
  private func waitForTheEnd() -> Never {
    Failure.acceptTermination()
    fflush(nil)
    sleep(30)
    _exit(77)
  }

  // MARK: Time

  /// Seconds since some moment in the past, which is the same for all calls in this process.
  /// The corresponding MPI function is `MPI_Wtime` (MPI 4.0 §9.6).
  public static func wallTimeSeconds() -> Double { MPI_Wtime() }
}
