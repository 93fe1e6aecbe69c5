import ArgumentParser
import ExactMath
import Foundation
import Glibc

/// `fuzz-program`: files that nobody should trust, changed at random, for every reader of the program.
struct Fuzz: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "fuzz-program",
    abstract: "Gives every reader changed files: each is read and keeps its promises, or is one clear error.",
    discussion: "A trap names the input that it came with. Readers: \(Reader.all.map(\.name).joined(separator: ", ")).")

  @Option(help: "Inputs, in equal parts for all readers.") var inputs = 10_000
  @Option(help: "Seed of all changes.") var seed: UInt64 = 1
  @Option(help: "One reader; all of them where none is named.") var reader: String?
  @Option(help: "The first input of each reader, to repeat one that went wrong.") var from = 0

  func run() throws {
    reportTraps()
    let readers = Reader.all.filter { reader == nil || $0.name == reader }
    guard !readers.isEmpty else { throw ValidationError("--reader — expected a known one, got \(reader ?? "")") }
    let share = (inputs + readers.count - 1) / readers.count
    let folder = try Folder()
    defer { folder.remove() }
    var refusals = 0
    for reader in readers {
      var (read, refused) = (0, 0)
      for number in from..<from + share {
        current = (reader.name, number)
        var draws = PhiloxSequence(seed: seed, purpose: .sampling, step: number, layer: reader.number)
        let input = mutated(reader.originals[number % reader.originals.count], &draws)
        do {
          guard try reader.read(input, folder) else { throw Broken("read something that breaks a promise") }
          read += 1
        } catch let broken as Broken {
          fail(broken.description)
        } catch {
          if let objection = objection(to: error) { fail("\(objection): \(error)") }
          refused += 1
        }
      }
      print("\(reader.name): \(share) inputs, \(read) read, \(refused) refused")
      // A reader that takes nothing, or everything, has not been tested.
      if share >= 500, read == 0 || refused == 0 { fail("not tested") }
      refusals += refused
    }
    print("all: \(share * readers.count) inputs, \(refusals) refused, no trap")
  }

  private func fail(_ what: String) -> Never {
    print("error: \(what) (\(current.reader), input \(current.number), seed \(seed))")
    Glibc.exit(1)
  }
}

/// What is being read, for whoever has to say where it ended.
nonisolated(unsafe) private var current = (reader: "none", number: 0)

private func reportTraps() {
  for number in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGABRT, SIGFPE] {
    signal(number) { number in
      print("error: trap with signal \(number) (\(current.reader), input \(current.number))")
      fflush(nil)
      _exit(128 + number)
    }
  }
}

Fuzz.main()
