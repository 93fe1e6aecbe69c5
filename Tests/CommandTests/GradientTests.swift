import Foundation
import TestSupport
import Testing

extension Commands {
  /// `gradients` against what PyTorch autograd made of the same cases.
  struct GradientTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../LSTMTests/Fixtures").standardizedFileURL

    static let cases: [String] = try! FileManager.default.contentsOfDirectory(atPath: fixtures.path)
      .filter { $0.hasSuffix(".input.safetensors") }.map { String($0.dropLast(".input.safetensors".count)) }.sorted()

    /// Of 1, 2, 5, 6 and 7 sequences: fewer than ranks, and numbers that do not divide by them.
    private static let spread = ["one-sequence", "two-layers", "last-hidden-and-y", "three-layers", "odd-sizes"]

    private static func input(_ name: String) -> String {
      fixtures.appendingPathComponent("\(name).input.safetensors").path
    }

    /// The file that the program writes.
    private func result(_ name: String, _ precision: String, ranks: Int?, in workspace: Workspace) throws -> [UInt8] {
      let output = "out-\(ranks ?? 0).safetensors"
      let printed = try workspace.output(
        ["gradients", "--input", Self.input(name), "--output", output, "--precision", precision], ranks: ranks)
      #expect(printed.isEmpty)
      return try workspace.get(output)
    }

    @Test func thereAreCases() {
      #expect(Self.cases.count >= 15)
      #expect(Set(Self.spread).isSubset(of: Self.cases))
    }

    @Test(arguments: cases, [("float", "F32", 2e-5), ("double", "F64", 1e-10)])
    func theyAreThoseOfPyTorchOnAnyNumberOfRanks(
      name: String, precision: (name: String, dtype: String, tolerance: Double)
    ) throws {
      try Workspace.run { workspace in
        let bytes = try result(name, precision.name, ranks: nil, in: workspace)
        let ours = try TensorReader(bytes).tensors
        let expected = try TensorReader(
          [UInt8](try Data(contentsOf: Self.fixtures.appendingPathComponent("\(name).expected.safetensors")))
        ).tensors
        #expect(Set(ours.keys) == Set(expected.keys))
        for (tensor, truth) in expected {
          let our = try #require(ours[tensor])
          #expect(our.dtype == precision.dtype && our.shape == truth.shape, "\(tensor)")
          let scale = truth.values.map(abs).max()!
          let error = zip(our.values, truth.values).map { abs($0 - $1) }.max()!
          // Where the truth is 0 everywhere there is nothing to be relative to.
          #expect(error <= precision.tolerance * (scale > 0 ? scale : 1), "\(tensor): \(error) of \(scale)")
        }
        for ranks in Self.spread.contains(name) ? [2, 3, 4] : [3] {
          let same = try result(name, precision.name, ranks: ranks, in: workspace) == bytes
          #expect(same, "other bytes on \(ranks) ranks")
        }
      }
    }

    @Test func floatIsTheDefaultAndTheTwoPrecisionsDiffer() throws {
      try Workspace.run { workspace in
        let float = try result("one-layer", "float", ranks: nil, in: workspace)
        let double = try result("one-layer", "double", ranks: nil, in: workspace)
        try workspace.output(["gradients", "--input", Self.input("one-layer"), "--output", "default"], ranks: nil)
        #expect(try workspace.get("default") == float)
        #expect(double != float)
        let outcome = try workspace.program(
          ["gradients", "--input", Self.input("one-layer"), "--output", "no", "--precision", "half"], ranks: 3)
        #expect(outcome.exitCode == 64 && outcome.errorLines.count == 1, "\(outcome)")
      }
    }
  }
}
