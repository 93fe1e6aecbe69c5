import Kernels
import Plan
import Tiles

/// One kernel's time beside that of its reference.
package struct KernelTiming: Sendable {
  /// The kernel and its sizes.
  package let name: String
  /// Floating-point operations of a call, or numbers it makes where operations are not what counts.
  package let work: Double
  /// What `work` counts: `flop` or `number`.
  package let unit: String
  /// Median seconds of a call.
  package let seconds: Double
  /// Median seconds of a call of the reference; nil where the reference is the same code for one number.
  package let referenceSeconds: Double?
  /// The core's peak in flop a second, measured between the calls.
  package let peak: Double

  /// Work a second.
  package var rate: Double { work / seconds }
}

/// Times every kernel on this core. `rounds` calls of each, interleaved with measurements of the peak.
package func benchmarkKernels(rounds: Int) -> [KernelTiming] {
  let bench = KernelBenchmark(rounds: rounds)
  return [
    // The first stays in the first-level cache: what a tile can do at best, on a core that others may use as well.
    bench.product(rows: 12, depth: 64, columns: 32), bench.product(rows: 512, depth: 512, columns: 2048),
    bench.product(rows: 32, depth: 512, columns: 2048),
    bench.product(rows: 5, depth: 650, columns: 2624), bench.product(rows: 1, depth: 128, columns: 512),
    bench.weightGradient(timesteps: 128, lanes: 32, depth: 513, columns: 512),
    bench.weightGradient(timesteps: 35, lanes: 10, depth: 651, columns: 650),
    bench.elementwise("sigmoid", applySigmoid), bench.elementwise("tanh", applyHyperbolicTangent),
    bench.elementwise("exponential", applyExponential), bench.softmax(vocabulary: 10_000),
  ]
}

/// The benchmark's memory and clock.
private struct KernelBenchmark {
  let rounds: Int

  /// Z += X·W in place, as at a timestep.
  func product(rows: Int, depth: Int, columns: Int) -> KernelTiming {
    let x = filled(rows * depth)
    let w = PackedMatrix(depth: depth, columns: columns)
    w.pack(filled(depth * columns), stride: columns, rows: depth, columns: columns)
    let flops = 2 * Double(rows) * Double(depth) * Double(columns)
    let z = FloatBuffer(count: rows * columns)
    let seconds = time(flops: flops) {
      multiplyAdd(rows: rows, x: x, xStride: depth, w: w, z: z.pointer, zStride: columns)
    }
    let reference = time(flops: flops, calls: 1) {
      Reference.multiply(
        rows: rows, x: x, xStride: depth, w: w, start: z.pointer, startStride: columns, z: z.pointer, zStride: columns)
    }
    return KernelTiming(
      name: "product [\(rows), \(depth)]·[\(depth), \(columns)]", work: flops, unit: "flop", seconds: seconds.median,
      referenceSeconds: reference.median, peak: seconds.peak)
  }

  func weightGradient(timesteps: Int, lanes: Int, depth: Int, columns: Int) -> KernelTiming {
    let shards = (0..<4).map { $0 * lanes / 4..<($0 + 1) * lanes / 4 }
    let rows = ShardedRows(timesteps: timesteps, shardLanes: shards, shards: 0..<4, shardCount: 8)
    let width = padded(columns)
    let (a, dZ) = (filled(timesteps * lanes * depth), filled(timesteps * lanes * width))
    let product = WeightGradient(rows: rows, maximumDepth: depth)
    var (fast, slow) = (filled(depth * columns), filled(depth * columns))
    let flops = 2 * Double(timesteps * lanes) * Double(depth) * Double(columns)
    let seconds = time(flops: flops) {
      product.begin(depth: depth)
      product.packInput(a, stride: depth, columns: depth, at: 0)
      product.multiply(
        dZ: dZ, zStride: width, columns: columns, gradient: &fast, gradientStride: columns, subtreeStride: 0,
        between: {})
    }
    let reference = time(flops: flops, calls: 1) {
      Reference.weightGradient(
        rows: rows, a: a, aStride: depth, depth: depth, dZ: dZ, zStride: width, columns: columns, gradient: &slow,
        gradientStride: columns, subtreeStride: 0)
    }
    return KernelTiming(
      name: "weight gradient [\(depth), \(timesteps)·\(lanes)]·[\(timesteps)·\(lanes), \(columns)]", work: flops,
      unit: "flop", seconds: seconds.median, referenceSeconds: reference.median, peak: seconds.peak)
  }

  func elementwise(_ name: String, _ apply: (UnsafeMutablePointer<Float>, Int) -> Void) -> KernelTiming {
    let count = 1 << 14
    let values = filled(count)
    var y = values
    // About forty operations a number.
    let seconds = time(flops: 40 * Double(count)) {
      y.withUnsafeMutableBufferPointer { y in
        y.baseAddress!.update(from: values, count: count)
        apply(y.baseAddress!, count)
      }
    }
    return KernelTiming(
      name: name, work: Double(count), unit: "number", seconds: seconds.median, referenceSeconds: nil,
      peak: seconds.peak)
  }

  func softmax(vocabulary: Int) -> KernelTiming {
    let values = filled(padded(vocabulary))
    var (fast, slow) = (values, values)
    let seconds = time(flops: 40 * Double(vocabulary)) {
      fast.withUnsafeMutableBufferPointer { $0.baseAddress!.update(from: values, count: values.count) }
      _ = crossEntropy(logits: &fast, vocabulary: vocabulary, target: 1, scale: 1)
    }
    let reference = time(flops: 40 * Double(vocabulary)) {
      slow.withUnsafeMutableBufferPointer { $0.baseAddress!.update(from: values, count: values.count) }
      _ = Reference.crossEntropy(logits: &slow, vocabulary: vocabulary, target: 1, scale: 1)
    }
    return KernelTiming(
      name: "softmax cross-entropy, V \(vocabulary)", work: Double(vocabulary), unit: "number",
      seconds: seconds.median, referenceSeconds: reference.median, peak: seconds.peak)
  }

  private func filled(_ count: Int) -> [Float] { (0..<count).map { Float($0 % 17) * 0.01 - 0.08 } }

  /// Median seconds of a call and of the peak. Each round makes as many calls as take about a millisecond at a tenth
  /// of 100 GFLOP/s, or `calls`.
  private func time(flops: Double, calls fixed: Int? = nil, _ body: () -> Void) -> (median: Double, peak: Double) {
    let calls = fixed ?? max(1, Int(1e7 / flops))
    let clock = ContinuousClock()
    body()
    let samples = (0..<(fixed == nil ? rounds : 1)).map { _ in
      (seconds: clock.measure { for _ in 0..<calls { body() } } / .seconds(1), peak: measuredPeak())
    }
    return (
      samples.map { $0.seconds / Double(calls) }.sorted()[samples.count / 2],
      samples.map(\.peak).sorted()[samples.count / 2]
    )
  }
}
