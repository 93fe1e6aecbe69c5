import Problems
import Tasks

extension TextResult: TextRendered {
  var lines: [String] {
    [
      "text: \(set), \(targets) targets", "loss: \(loss) nats a token",
      tokens == .words
        ? "perplexity: \(rounded(perplexity, 3))" : "bits a token: \(rounded(bitsPerToken, 4))",
    ]
  }
}
