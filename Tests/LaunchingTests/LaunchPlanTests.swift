import Launching
import Testing

@Suite struct LaunchPlanTests {
  private func plan(_ ranks: Int?, hostfile: String? = nil) -> LaunchPlan {
    LaunchPlan(ranks: ranks, hostfile: hostfile, stopsInGoodOrder: false, readsStandardInput: false)
  }

  @Test func theRanksGetTheSameArgumentsWithoutTheLaunchers() {
    #expect(
      plan(3).arguments(program: "/p", ["train", "--ranks", "3", "--steps", "5"])
        == ["-np", "3", "/p", "train", "--steps", "5"])
    #expect(
      plan(2, hostfile: "h").arguments(program: "/p", ["predict", "--hostfile=h", "run", "--ranks=2", "--", "--ranks"])
        == ["-np", "2", "--hostfile", "h", "-x", "LSTM_DIST_LAUNCHER", "/p", "predict", "run", "--", "--ranks"])
    #expect(
      plan(nil, hostfile: "h").arguments(program: "/p", ["inspect", "run", "--hostfile", "h"])
        == ["--hostfile", "h", "-x", "LSTM_DIST_LAUNCHER", "/p", "inspect", "run"])
  }

  @Test(arguments: [(2, 2.0, "core"), (3, 2, "none"), (1, 0.5, "none"), (4, 8, "core")])
  func aRankIsBoundToACoreWhereThereAreEnough(ranks: Int, cores: Double, binding: String) {
    let variables = plan(ranks).environment(cores: cores, isRoot: false, outputIsTerminal: false)
    #expect(variables["OMPI_MCA_hwloc_base_binding_policy"] == binding)
    #expect(variables["PRTE_MCA_hwloc_default_binding_policy"] == binding)
    #expect(variables["OMPI_MCA_rmaps_base_oversubscribe"] == (binding == "core" ? nil : "1"))
    #expect(variables["PRTE_MCA_rmaps_default_mapping_policy"] == (binding == "core" ? nil : ":oversubscribe"))
    #expect(!variables.keys.contains { $0.contains("ROOT") || $0.contains("keepalive") })
  }

  @Test func rootIsAllowedAndSlotsAreTheHostfiles() {
    let variables = plan(9, hostfile: "h").environment(cores: 2, isRoot: true, outputIsTerminal: true)
    #expect(
      variables == [
        "LSTM_DIST_LAUNCHER": "terminal", "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "PRTE_ALLOW_RUN_AS_ROOT": "1", "PRTE_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_oob_tcp_keepalive_time": "5", "OMPI_MCA_oob_tcp_keepalive_intvl": "2",
        "OMPI_MCA_oob_tcp_keepalive_probes": "3",
      ])
  }
}
