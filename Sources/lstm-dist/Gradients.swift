import ArgumentParser
import GradientCheck

/// `gradients`: one forward and backward pass of a case from a file, to compare with any framework.
struct Gradients: DistributedCommand {
  static let configuration = CommandConfiguration(
    abstract: "Computes the gradients of a case in a safetensors file, to check them against another framework.",
    discussion: """
      The case holds, with PyTorch's names, shapes and gate order: x [T, B, D]; weight_ih_l0, weight_hh_l0, bias_ih_l0, \
      bias_hh_l0, and so on for more layers; optionally h0, c0, dhT, dcT [L, B, H] (default 0) and dy [T, B, H] \
      (default 1). The output holds y, hT, cT, dx, dh0, dc0 and d_… for every weight. The sequences are shared out \
      over the ranks; the bits are the same for every number of ranks.
      """)

  @Option(help: "Safetensors file with the case.") var input: String
  @Option(help: "Safetensors file to write.") var output: String
  @Option(help: "float: the layers that train; double: the reference.") var precision = "float"
  @OptionGroup var ranks: RankOptions

  func validate() throws {
    guard GradientCheckPrecision(rawValue: precision) != nil else {
      throw ValidationError("--precision — expected float or double, got \(precision)")
    }
  }

  func run() {
    runJob { world in
      try GradientCheck.run(
        world: world, input: input, output: output, precision: GradientCheckPrecision(rawValue: precision)!)
      return 0
    }
  }
}
