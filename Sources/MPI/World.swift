internal import CMPI
import Glibc

/// All ranks of the job, while MPI is initialized.
///
///     World.run { world in
///       let corpus = world.agree { try readCorpus() }
///       try train(corpus, on: world.communicator)
///     }
///
/// An error in one rank ends all ranks, with one message:
///
/// * Work that every rank does and that can fail on all of them (settings, files, the plan) belongs in `agree`. It
///   compares the outcomes: the lowest rank that failed prints its message, and its exit code is the job's.
/// * An error thrown anywhere else is printed by the rank that has it. Rank 0 prints at once and ends the job; rank r
///   waits min(r, 8) · 0.2 s first, so that an error that all ranks have at the same time is printed once.
///
/// No error path calls `MPI_Finalize`: it could wait for ever for a rank that is inside a collective.
public struct World: Sendable {
  /// All ranks: `MPI_COMM_WORLD` (MPI 4.0 §7.2.4).
  public let communicator: Communicator

  /// The ranks that can share memory with this one, in practice those of its node, in the order of all ranks.
  /// The corresponding MPI function is `MPI_Comm_split_type` (MPI 4.0 §7.4.2).
  public let node: Communicator

  /// Which threads of this process may call MPI; at least the level passed to `run`.
  public let threadLevel: ThreadLevel

  /// Whether a launcher started the job and can end its other processes.
  private let hasLauncher: Bool

  /// For `agree`: a context of its own, apart from the program's collectives.
  private let agreement: Communicator
  private let describe: @Sendable (any Error) -> Failure

  /// Initializes MPI, runs `body` on this rank, finalizes MPI, and returns what `body` returned. Without a launcher the
  /// world has one rank. An error thrown by `body` ends the job with the message and exit code that `describe` gives
  /// it. The job also ends if the library does not provide the thread level `threads`, and with exit code 78 if the
  /// processes do not find each other, as under the launcher of another MPI. At most one call in the life of a process.
  /// The corresponding MPI functions are `MPI_Init_thread` (MPI 4.0 §11.2.1) and `MPI_Finalize` (§11.2.2).
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

  /// Initializes MPI and makes the communicators; an error ends the job.
  private static func start(_ threads: ThreadLevel, _ describe: @escaping @Sendable (any Error) -> Failure) -> World {
    let launch = Launch()
    launch.endWithLauncher()
    launch.prepareEnvironment()
    do {
      var provided: Int32 = 0
      try check("MPI_Init_thread", MPI_Init_thread(nil, nil, threads.mpiValue, &provided))
      let level = ThreadLevel(provided: provided)
      let all = try Communicator(handle: MPI_COMM_WORLD)
      // Errors that belong to no communicator are raised on this one (MPI 4.0 §2.8).
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

  /// Whether mpirun, srun or another launcher started this process. Valid only before `run`: an MPI library without a
  /// launcher sets the same environment variables.
  public static var hasLauncher: Bool { Launch().hasLauncher }

  /// The name and version that the MPI library gives itself, up to the first comma or line break; "unknown" if it gives
  /// none. May be called before `run`.
  /// The corresponding MPI function is `MPI_Get_library_version` (MPI 4.0 §9.1.1).
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

  /// Runs `body` on every rank; every rank must call it at the same point. Returns only if `body` succeeds on all of
  /// them. Otherwise the lowest rank that failed prints its message and ends the job with its exit code.
  /// The corresponding MPI function is `MPI_Allreduce` (MPI 4.0 §6.9.6).
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

  /// Ends the job with the message and exit code that `describe` gives the error. For code that holds a live request,
  /// past which an error must not unwind.
  /// The corresponding MPI function is `MPI_Abort` (MPI 4.0 §11.4.2).
  public func fail(_ error: any Error) -> Never {
    let failure = describe(error)
    Failure.acceptTermination()
    fflush(nil)
    // A lower rank that failed too ends the job first. 0.2 s is ten times what mpirun needs for it; in short sleeps,
    // which become longer on a busy machine, as mpirun's time does.
    for _ in 0..<20 * min(communicator.rank, 8) { usleep(10_000) }
    end(failure)
  }

  /// Prints the error and ends this process with its exit code, without a call of MPI: for an error while another
  /// thread may be finalizing MPI. The launcher then ends the other processes.
  public func leave(with error: any Error) -> Never {
    let failure = describe(error)
    failure.report(rank: communicator.rank, size: communicator.size)
    _exit(failure.exitCode)
  }

  private func end(_ failure: Failure) -> Never {
    failure.report(rank: communicator.rank, size: communicator.size)
    // A world of one has no other rank to end, and MPI_Abort would print a message of its own.
    if !hasLauncher { _exit(failure.exitCode) }
    communicator.abort(exitCode: failure.exitCode)
  }

  /// Another rank has printed the message and is ending the job. If the launcher does not end this process within 30 s,
  /// it ends itself with exit code 77 (a peer was lost).
  private func waitForTheEnd() -> Never {
    Failure.acceptTermination()
    fflush(nil)
    sleep(30)
    _exit(77)
  }

  // MARK: Time

  /// Seconds since a moment in the past that is fixed for this process; other ranks may count from another one.
  /// The corresponding MPI function is `MPI_Wtime` (MPI 4.0 §9.6).
  public static func wallTimeSeconds() -> Double { MPI_Wtime() }
}
