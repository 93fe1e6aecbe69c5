import ArgumentParser
import Files
@preconcurrency import Glibc
import MPI
import Sequences

/// `predict`: what a saved model says of new sequences.
struct Predict: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract:
      "Predicts the class of new texts, series or clips, the labels of words, or what follows a table, as JSON lines.",
    discussion: """
      A model of texts reads a text on each line of a file, or the rows of a CSV or TSV file with the column that it \
      was trained on; a model of series reads .ts files, whose classes are passed over; a model of sound reads WAV \
      and FLAC files; a tagger reads a word on each line, and blank lines between sequences; a forecaster goes on \
      from the last rows of a table. Without files it reads one of these from standard input. One line of JSON for \
      each sequence, in their order: its name, and the class, its probability and those of all classes, or words and \
      labels, or the forecast; the same bits on any number of ranks.
      """)

  @OptionGroup var model: ModelChoice
  @Argument(help: ArgumentHelp("Files to read; without any, standard input.", valueName: "file"))
  var files: [String] = []
  @OptionGroup var reading: ReadingOptions
  @OptionGroup var dataOptions: DataOptions
  @OptionGroup var ranks: RankOptions

  var readsStandardInput: Bool { files.isEmpty }

  func run() {
    runJob { world in
      let loaded = try model.load(world)
      let standardInput = try files.isEmpty ? readStandardInput(world) : []
      let prediction = world.agree {
        let inputs = try files.map { (name: $0, bytes: try TextFile.read($0, as: "file to predict")) }
        let saved = try loaded.saved.reading(reading.overrides())
        return try saved.configuration.learningTask.prediction(
          by: saved, of: files.isEmpty ? [(name: "standard input", bytes: standardInput)] : inputs)
      }
      if world.communicator.rank == 0 { dataOptions.tell(prediction.account) }
      let lines = try prediction.predict(try loaded.replica(world, timesteps: prediction.timesteps)).map {
        try SortedJSON.text($0)
      }
      if world.communicator.rank == 0 { lines.forEach(printLine) }
      return 0
    }
  }

  /// Only rank 0 has the standard input of the job.
  private func readStandardInput(_ world: World) throws -> [UInt8] {
    var bytes: [UInt8] = []
    if world.communicator.rank == 0 {
      var piece = [UInt8](repeating: 0, count: 1 << 16)
      while true {
        let count = fread(&piece, 1, piece.count, stdin)
        if count == 0 { break }
        bytes += piece[..<count]
      }
    }
    return try world.communicator.broadcast(bytes, root: 0)
  }
}
