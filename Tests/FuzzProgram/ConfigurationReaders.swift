import Configuration

func configurationReaders() -> [Reader.Kind] {
  let file = """
    data: {path: 'corpus.txt', tokens: words, validation: 0.25}
    model:
      hidden: 12  # units
      layers: 2
      dropout: 0.25
    optimizer: {name: adam, learningRate: 2e-3, clip: 1}
    training:
      timeLimit: 1h30m
    seed: 18446744073709551615
    "paranoid": true
    """
  return [
    (
      "YAML", [Array(file.utf8)],
      { bytes, _ in
        let configuration = try Configuration(yaml: String(decoding: bytes, as: UTF8.self), name: "fuzz")
        // What is saved with a run must come back as it was.
        return try Configuration(yaml: configuration.yaml, name: "fuzz") == configuration
      }
    ),
    (
      "--set", ["model.hidden=256", "data.path=a.txt", "training.timeLimit=2d", "lr=1e-3"].map { Array($0.utf8) },
      { bytes, _ in
        let text = String(decoding: bytes, as: UTF8.self)
        let configuration = try Configuration.load(overrides: [Configuration.Override(set: text)])
        return try Configuration(yaml: configuration.yaml, name: "fuzz") == configuration
      }
    ),
  ]
}
