/// How mpirun is to be started: its arguments, and the environment that makes up for what this machine lacks. A pure
/// function of what is asked for and of the machine.
package struct LaunchPlan {
  /// Ranks to start; nil for one on each slot of the hostfile.
  package let ranks: Int?
  /// Hosts and slots, as mpirun reads them; nil for this host alone.
  package let hostfile: String?
  /// Whether the first signal is passed to the ranks, which then save their work; else it ends the job.
  package let stopsInGoodOrder: Bool
  /// Whether rank 0 reads standard input.
  package let readsStandardInput: Bool

  /// A plan for a job on these ranks.
  package init(ranks: Int?, hostfile: String?, stopsInGoodOrder: Bool, readsStandardInput: Bool) {
    self.ranks = ranks
    self.hostfile = hostfile
    self.stopsInGoodOrder = stopsInGoodOrder
    self.readsStandardInput = readsStandardInput
  }

  /// What follows the name of mpirun: this program with its arguments, without those that are for the launcher.
  package func arguments(program: String, _ arguments: [String]) -> [String] {
    (ranks.map { ["-np", "\($0)"] } ?? [])
      // mpirun gives only its own variables to other hosts.
      + (hostfile.map { ["--hostfile", $0, "-x", Launcher.variable] } ?? [])
      + [program] + LaunchPlan.withoutLauncherOptions(arguments)
  }

  static func withoutLauncherOptions(_ arguments: [String]) -> [String] {
    let options = ["--ranks", "--hostfile"]
    var (kept, index) = ([String](), 0)
    while index < arguments.count, arguments[index] != "--" {
      if options.contains(arguments[index]) {
        index += 2
      } else {
        if !options.contains(where: { arguments[index].hasPrefix($0 + "=") }) { kept.append(arguments[index]) }
        index += 1
      }
    }
    return kept + arguments.dropFirst(index)
  }

  /// Variables for mpirun beside the inherited ones, which stay: names that Open MPI 4 reads, then those of Open MPI 5.
  /// - Parameter cores: cores' worth of time that this process may use on this host.
  package func environment(cores: Double, isRoot: Bool, outputIsTerminal: Bool) -> [String: String] {
    var variables = [Launcher.variable: outputIsTerminal ? Launcher.terminal : "lines"]
    if isRoot {
      for name in ["OMPI", "PRTE"] {
        variables[name + "_ALLOW_RUN_AS_ROOT"] = "1"
        variables[name + "_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
      }
    }
    if hostfile != nil {
      // A host that is gone is noticed after 11 seconds, not after minutes.
      for (name, value) in [("time", "5"), ("intvl", "2"), ("probes", "3")] {
        variables["OMPI_MCA_oob_tcp_keepalive_" + name] = value
      }
    } else if let ranks {
      let isCrowded = Double(ranks) > cores
      let binding = isCrowded ? "none" : "core"
      variables["OMPI_MCA_hwloc_base_binding_policy"] = binding
      variables["PRTE_MCA_hwloc_default_binding_policy"] = binding
      if isCrowded {
        variables["OMPI_MCA_rmaps_base_oversubscribe"] = "1"
        variables["PRTE_MCA_rmaps_default_mapping_policy"] = ":oversubscribe"
      }
    }
    return variables
  }
}
