internal import CSystem
import Glibc

/// What the environment says about how this process was started. Read it before MPI starts: a world of one that was
/// started without a launcher writes such variables itself.
struct Launch {
  /// The number of ranks that the launcher says there are; nil if there is none or it does not say.
  let size: Int?

  /// Whether mpirun, srun or another launcher started this process.
  let hasLauncher: Bool

  init() {
    size = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE"].lazy.compactMap { Launch.variable($0).flatMap { Int($0) } }.first
    hasLauncher = size != nil || ["PMIX_RANK", "PMI_RANK", "PMI_FD"].contains { Launch.variable($0) != nil }
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
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
