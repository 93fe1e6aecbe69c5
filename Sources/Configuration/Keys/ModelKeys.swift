import LSTM

extension Configuration {
  /// The network.
  package struct Model: Sendable, Equatable {
    package internal(set) var embedding = 0
    package internal(set) var vectors = ""
    package internal(set) var hidden = 0
    package internal(set) var layers = 0
    package internal(set) var bidirectional = false
    package internal(set) var pooling = Pooling.last
    package internal(set) var dropout = 0.0
    package internal(set) var dropoutMask = Dropout.Mask.timestep
    package internal(set) var weightDropout = 0.0
    package internal(set) var embeddingDropout = 0.0
    package internal(set) var activationPenalty = 0.0
    package internal(set) var temporalPenalty = 0.0
    package internal(set) var tied = false
    package internal(set) var adaptiveSoftmax = ""
    package internal(set) var adaptiveFactor = 0
    package internal(set) var initialization = Initialization.uniform
    package internal(set) var forgetBias = 0.0
    package internal(set) var inputBias = 0.0

    static let keys: [ConfigurationKey] = [
      .init(
        "model.embedding", \.model.embedding, .integer(1...65536), .byTask("128"),
        "D, the length of a token's vector."),
      .init(
        "model.vectors", \.model.vectors, .text("the path of a file"), .always(""),
        scope: .tasks(.languageModel, .classification, .tagging),
        "Pretrained word vectors in text form, a word and D numbers on each line: what the vectors of words begin with that "
          + "are found in it; the others begin as usual."
      ).explained(
        "The form is that of GloVe and word2vec (word2vec's first line is passed over). A file of another "
          + "D, or not in UTF-8, is refused."),
      .init(
        "model.hidden", \.model.hidden, .integer(1...65536), .byTask("256"),
        "H, hidden units of each layer."),
      .init(
        "model.layers", \.model.layers, .integer(1...64), .byTask("1"), "L, LSTM layers."),
      .init(
        "model.bidirectional", \.model.bidirectional, .flag, .always("false"), scope: .tasks(.classification, .tagging),
        "Every layer has a second cell, which reads sequences from their ends (Schuster and Paliwal 1997); what is above "
          + "reads both, 2H numbers, and a head for whole sequences their two ends."
      ).explained(
        "Not with `training.recompute`."),
      .init(
        "model.pooling", \.model.pooling, .choice, .always("last"), scope: .tasks(.classification),
        "What the output layer reads of a sequence: the state at its last timestep (of bidirectional layers the two ends), "
          + "the mean over its timesteps, or of each unit the largest over its timesteps."),
      .init(
        "model.dropout", \.model.dropout, .number(.belowOne), .always("0"),
        "The share of numbers dropped from the inputs of every layer and of the output layer: on all connections that "
          + "are not recurrent, the embedding's among them, never along time (Zaremba et al. 2014)."),
      .init(
        "model.tied", \.model.tied, .flag, .always("false"), scope: .tasks(.reber, .languageModel),
        "Whether the embedding is the matrix of the output too, so that model.embedding must be model.hidden (Press and Wolf "
          + "2017, Inan et al. 2017)."),
      .init(
        "model.adaptiveSoftmax", \.model.adaptiveSoftmax,
        .text("ascending cutoffs with commas between them", examples: ["10,20"]),
        .always(""), scope: .tasks(.languageModel),
        "Cuts the vocabulary, frequent words first, into a head and tails that are asked only where a word of theirs is "
          + "meant (Grave et al. 2017): 2000,10000 makes two tails. The probabilities are exact. Without cutoffs one softmax "
          + "says all words."
      ).explained(
        "Cutoffs are from 1 to below the entries of the vocabulary; a step costs what its words need."),
      .init(
        "model.adaptiveFactor", \.model.adaptiveFactor, .integer(1...64),
        .derived("1 with model.tied, else 4") { $0.model.tied ? "1" : "4" }, scope: .tasks(.languageModel),
        "What each tail of an adaptive softmax divides the units of the previous tail by: its words are told from H / factor, "
          + "H / factor², … numbers."),
      .init(
        "model.dropoutMask", \.model.dropoutMask, .choice, .always("timestep"),
        "How long a mask of model.dropout lasts: a timestep, or the whole window of a sequence, which is variational dropout "
          + "(Gal and Ghahramani 2016)."),
      .init(
        "model.weightDropout", \.model.weightDropout, .number(.belowOne), .always("0"),
        "The share of recurrent weights dropped in an update, the same for all sequences and timesteps (DropConnect, Merity "
          + "et al. 2017)."),
      .init(
        "model.embeddingDropout", \.model.embeddingDropout, .number(.belowOne), .always("0"), scope: .tokens,
        "The share of the vocabulary dropped in an update: a token has no vector wherever it stands (Gal and Ghahramani "
          + "2016)."),
      .init(
        "model.activationPenalty", \.model.activationPenalty, .number(0...1e6), .always("0"),
        scope: .tasks(.reber, .languageModel),
        "α of activation regularisation (AR, Merity et al. 2017): the mean square of what the output layer reads is added "
          + "to what is minimized, not to the loss that is reported."
      ).explained(
        "The mean is over all units and all timesteps with a target."),
      .init(
        "model.temporalPenalty", \.model.temporalPenalty, .number(0...1e6), .always("0"),
        scope: .tasks(.reber, .languageModel),
        "β of temporal activation regularisation (TAR, Merity et al. 2017): likewise for the mean square of the change of "
          + "the highest layer's state from timestep to timestep."),
      .init(
        "model.initialization", \.model.initialization, .choice, .always("uniform"),
        "How weights begin: uniform in ±1/√H, as PyTorch's nn.LSTM documents it, or xavier, uniform in "
          + "±√(6/(inputs + outputs)) gate by gate (Glorot and Bengio 2010)."),
      .init(
        "model.forgetBias", \.model.forgetBias, .number(-100...100), .always("1"),
        "What the bias of the forget gate begins with. 1 lets a cell remember from the start (Gers et al. 2000; "
          + "Jozefowicz et al. 2015)."),
      .init(
        "model.inputBias", \.model.inputBias, .number(-100...100), .always("0"),
        "What is added to the first biases of the input gate. Below 0 a cell takes little in until it has learned what "
          + "(Hochreiter and Schmidhuber 1997)."),
    ]
  }
}

extension Configuration.Model {
  /// The cutoffs as numbers, ascending from 1; none for one softmax; nil where the text is something else.
  package var cutoffs: [Int]? {
    let numbers = adaptiveSoftmax.split(separator: ",", omittingEmptySubsequences: false)
      .map { Int($0.trimmingPrefix(while: { $0 == " " })) }
    if adaptiveSoftmax.isEmpty { return [] }
    guard !numbers.contains(nil), numbers[0]! >= 1, zip(numbers, numbers.dropFirst()).allSatisfy({ $0! < $1! }) else {
      return nil
    }
    return numbers.compactMap(\.self)
  }
}
