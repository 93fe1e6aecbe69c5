import Problems
import Sequences
import Tasks

extension ReberResult: TextRendered {
  var lines: [String] {
    ["embedded Reber grammar (entropy \(rounded(ReberGrammar.entropyPerTarget, 4)) nats a symbol)"]
      + scores.map { score in
        "  \(score.set) strings: loss \(figure(score.loss)), by the grammar's own probabilities "
          + "\(figure(score.grammarLoss)); "
          + "only legal symbols most likely at every step: \(score.solved) of \(score.strings) "
          + "(\(rounded(100 * Double(score.solved) / Double(score.strings), 1)) %)"
      } + [
        "  the criterion of Hochreiter and Schmidhuber (1997), every string of both sets: "
          + "\(isMet ? "met" : "not met") after \(trained) strings"
      ]
  }

  /// With strings drawn from the model, and what to do after a first training.
  func summary(trains: [String]) -> [String] {
    let ofText = ShellCommand(trains + ["--text", "FILE"])
    return [""] + lines + ["  sampled:"] + sampled.map { "    \($0.line)" }
      + ["", "a character model of any text: \(ofText.line)"]
  }

  var report: [String] { [""] + lines }
}

extension SampledSequence {
  /// A string of a grammar is marked legal or not.
  var line: String { isLegal.map { "\(text)  \($0 ? "legal" : "not legal")" } ?? text }
}
