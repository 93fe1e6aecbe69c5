import Problems
import Sequences
import Tasks

extension TextResult: TextRendered {
  var lines: [String] {
    [
      "text: \(set), \(targets) targets", "loss: \(loss) nats a token",
      tokens == .words
        ? "perplexity: \(rounded(perplexity, 3))" : "bits a token: \(figure(bitsPerToken))",
    ]
      + (unknown == 0
        ? [] : ["unknown: \(percentage(unknownShare)) of the targets (\(unknown)) are \(Vocabulary.unknownText)"])
  }
}
