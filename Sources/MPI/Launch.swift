internal import CSystem
import Glibc

/// What the environment says about how this process was started. Read it before MPI starts: a world of one that was
/// started without a launcher writes such variables itself.
struct Launch {
  /// The number of processes that the launcher says it started; nil if there is none or it does not say.
  let size: Int?

  /// Which of them this is; 0 where the launcher does not say.
  private let rank: Int

  /// Whether a launcher that MPI can know started this process.
  let hasLauncher: Bool

  /// Whether this process is a task of SLURM's srun. A batch script is none, nor what it starts by itself.
  private let isTask: Bool

  init() {
    let tasks = Launch.number("SLURM_STEP_NUM_TASKS")
    isTask = tasks != nil
    // What mpirun starts on other nodes is, to SLURM, a task for each node: mpirun knows better.
    let known = Launch.number("OMPI_COMM_WORLD_SIZE") ?? Launch.number("PMI_SIZE")
    size = known ?? tasks
    rank = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"].lazy.compactMap(Launch.number).first ?? 0
    hasLauncher = known != nil || ["PMIX_RANK", "PMI_RANK", "PMI_FD"].contains { Launch.variable($0) != nil }
  }

  /// No rank outlives its launcher, whatever becomes of that one.
  func endWithLauncher() { if hasLauncher { system_end_with_parent() } }

  /// Settings that Open MPI reads at its start and nothing else can make later. What the user has set stays.
  func prepareEnvironment() {
    // Without it ranks spin while they wait; where Open MPI does not know that there are more ranks than cores,
    // a small all-reduce then takes 16 ms instead of 0.03.
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0)
    // Alone: no helper daemon, half the start-up time.
    if !hasLauncher { setenv("OMPI_MCA_ess_singleton_isolated", "1", 0) }
    // A task of srun without PMIx: Open MPI would end it because of this variable, also where it is the only one.
    if isTask && !hasLauncher { unsetenv("SLURM_STEP_ID") }
  }

  /// Ends this process where MPI knows fewer ranks than the launcher started: each would be a world of one and do the
  /// same work, all of them in the same files. The first one says so.
  func refuseStrangers(worldSize: Int) {
    guard let size, size != worldSize else { return }
    let hint =
      isTask && !hasLauncher
      ? "srun --mpi=pmix, or mpirun in a batch script; one process alone: srun --ntasks=1"
      : "start it with the mpirun of the MPI that it was built with"
    let failure = Failure(
      "ranks do not find each other — expected one world of \(size) ranks, as many as the launcher "
        + "started, got worlds of \(worldSize)", hint: hint, exitCode: 78)
    if rank == 0 {
      failure.report(rank: 0, size: 1)
    } else {
      // Some launchers end the others as soon as one has ended: not before the first has spoken.
      sleep(1)
    }
    _exit(failure.exitCode)
  }

  private static func number(_ name: String) -> Int? { variable(name).flatMap { Int($0) } }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
