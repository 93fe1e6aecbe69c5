import ArgumentParser
import Configuration

/// `keys`: what `config/README.md` holds of the keys.
struct Keys: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints the table of all keys of the configuration, in Markdown.", shouldDisplay: false)

  func run() {
    runJob { world in
      if world.communicator.rank == 0 { printLine(Configuration.table) }
      return 0
    }
  }
}
