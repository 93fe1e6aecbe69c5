internal import CSystem
import Glibc

/// How this process was started, from the environment. Read it before MPI starts: a process without a launcher gets
/// such variables from its own MPI library.
struct Launch {
  /// The number of processes that the launcher started; nil without a launcher, or if it sets no variable for it.
  let size: Int?

  /// The number of this process among them; 0 if the launcher sets no variable for it.
  private let rank: Int

  /// Whether a launcher that the MPI library can find started this process.
  let hasLauncher: Bool

  /// Whether this process is a task of SLURM's srun. A batch script is not, nor a program that it starts directly.
  private let isTask: Bool

  init() {
    let tasks = Launch.number("SLURM_STEP_NUM_TASKS")
    isTask = tasks != nil
    // SLURM counts one task for each node on which mpirun starts ranks: the number from mpirun takes precedence.
    let known = Launch.number("OMPI_COMM_WORLD_SIZE") ?? Launch.number("PMI_SIZE")
    size = known ?? tasks
    rank = ["OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"].lazy.compactMap(Launch.number).first ?? 0
    hasLauncher = known != nil || ["PMIX_RANK", "PMI_RANK", "PMI_FD"].contains { Launch.variable($0) != nil }
  }

  /// No rank outlives its launcher, even one that is killed.
  func endWithLauncher() { if hasLauncher { system_end_with_parent() } }

  /// Settings that Open MPI reads only at its start. Variables that the user has set are kept.
  func prepareEnvironment() {
    // Without it ranks spin while they wait; with more ranks than cores, and Open MPI unaware of that, a small
    // all-reduce takes 16 ms instead of 0.03.
    setenv("OMPI_MCA_mpi_yield_when_idle", "1", 0)
    // Alone: no helper daemon, half the start-up time.
    if !hasLauncher { setenv("OMPI_MCA_ess_singleton_isolated", "1", 0) }
    // A task of srun without PMIx: Open MPI would end it because of this variable, even a single task.
    if isTask && !hasLauncher { unsetenv("SLURM_STEP_ID") }
  }

  /// Ends this process with exit code 78 if MPI finds another number of ranks than the launcher started: each process
  /// would be a world of one and do the same work, all in the same files. Process 0 reports it.
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
      // Some launchers end all processes as soon as one has ended: process 0 has to report first.
      sleep(1)
    }
    _exit(failure.exitCode)
  }

  private static func number(_ name: String) -> Int? { variable(name).flatMap { Int($0) } }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
