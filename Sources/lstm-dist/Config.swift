import ArgumentParser
import Configuration
import Problems

/// `config`: what can be set, and to what.
struct Config: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Lists the keys of the configuration; with names of keys or sections, says all about them.",
    discussion: "A key is set with train --set KEY=VALUE, or in a YAML file that train --config names.")

  @Argument(help: ArgumentHelp("A key such as model.hidden, or a section such as model.", valueName: "key"))
  var names: [String] = []
  @Flag(help: ArgumentHelp("Prints the table of config/README.md, in Markdown.", visibility: .hidden)) var page = false

  func run() {
    runJob { world in
      let text = world.agree {
        if page { return Configuration.table }
        if names.isEmpty { return Configuration.overview }
        return try names.map { name throws(Problem) in try Configuration.reference(of: name) }.joined(separator: "\n")
      }
      if world.communicator.rank == 0 { printLine(text.hasSuffix("\n") ? String(text.dropLast()) : text) }
      return 0
    }
  }
}
