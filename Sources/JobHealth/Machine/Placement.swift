import MPI

/// Where the ranks of a job run, and what is wrong with it. A pure function of each rank's node and share.
package enum Placement {
  /// A rank's place.
  package struct Rank: Equatable, Sendable {
    /// The same number for all ranks of a node.
    package let node: Int
    /// What the rank may use there.
    package let share: ProcessorShare

    /// A rank on a node.
    package init(node: Int, share: ProcessorShare) {
      self.node = node
      self.share = share
    }
  }

  /// The worst of what is wrong, as a warning of one line and a hint; nil where every rank can have a core of its own.
  /// Ranks that could not read their cores are not judged.
  package static func warning(_ ranks: [Rank]) -> String? {
    let nodes = Dictionary(grouping: ranks.indices.filter { !ranks[$0].share.cores.isEmpty }) { ranks[$0].node }
    let found = nodes.values.flatMap { members in findings(members.map { (rank: $0, share: ranks[$0].share) }) }
    guard let worst = found.max(by: { ($0.ranksPerCore, $1.ranks[0]) < ($1.ranksPerCore, $0.ranks[0]) }) else {
      return nil
    }
    return worst.text
  }

  /// Some ranks of a node, and the cores that they have together.
  private struct Finding {
    let ranks: [Int]
    let cores: Double
    /// The one core that all of them are bound to.
    let only: Int?
    var ranksPerCore: Double { Double(ranks.count) / cores }

    var text: String {
      let list =
        ranks.count > 8 ? "\(ranks[0]), … \(ranks[ranks.count - 1])" : ranks.map(String.init).joined(separator: ", ")
      if let only {
        return "warning: ranks share a core — expected one for each, got core \(only) for the ranks \(list)\n"
          + "hint: mpirun --bind-to core --map-by core gives each rank its own, --bind-to none leaves it to the system"
      }
      let rounded = (cores * 100).rounded() / 100
      let number = rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
      let most = max(1, Int(cores))
      return "warning: more ranks than cores — expected at most \(most) on this node, got \(ranks.count) on \(number) "
        + "(ranks \(list))\nhint: the result is the same on \(most), and comes sooner"
    }
  }

  /// The ranks that can run on no other cores than some rank's must not be more than these, nor all ranks of the node
  /// more than all its cores and the time that their control group allows.
  private static func findings(_ members: [(rank: Int, share: ProcessorShare)]) -> [Finding] {
    let all = Set(members.flatMap(\.share.cores))
    let quota = members.compactMap(\.share.quota).min()
    return Set(members.map { Set($0.share.cores) } + [all]).compactMap { cores in
      let confined = members.filter { cores.isSuperset(of: $0.share.cores) }.map(\.rank)
      let usable = cores == all ? min(Double(cores.count), quota ?? .infinity) : Double(cores.count)
      guard Double(confined.count) > usable, confined.count > 1 else { return nil }
      return Finding(ranks: confined, cores: usable, only: cores.count == 1 ? cores.first : nil)
    }
  }

  /// The warning about this job, on rank 0. Every rank calls it.
  package static func warning(of world: World) throws -> String? {
    let node = try world.node.broadcast(world.communicator.rank, root: 0)
    let share = ProcessorShare.ofThisProcess
    // Thousandths are what control groups are set in.
    let mine = [node, share.quota.map { Int(($0 * 1000).rounded()) } ?? -1] + share.cores
    return try world.communicator.gather(mine, root: 0).flatMap { all in
      warning(
        all.map { words in
          Rank(
            node: words[0],
            share: ProcessorShare(
              cores: Array(words[2...]), quota: words[1] < 0 ? nil : Double(words[1]) / 1000))
        })
    }
  }
}
