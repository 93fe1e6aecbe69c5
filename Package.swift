// swift-tools-version: 6.2
import PackageDescription

// MARK: Build options

/// The MPI whose headers and library are used: `LSTM_DIST_MPI=mpich` selects MPICH, the default is Open MPI.
let mpiPackage = Context.environment["LSTM_DIST_MPI"] == "mpich" ? "mpich" : "ompi-c"

/// The processor that the kernels are compiled for. `haswell` means AVX2 and FMA, which the program checks at its
/// start; `LSTM_DIST_PROCESSOR=native` (or any name that clang's `-march` knows) raises it.
let processor = Context.environment["LSTM_DIST_PROCESSOR"] ?? "haswell"

let strict: [SwiftSetting] = [.treatAllWarnings(as: .error)]

/// Without the processor flag `SIMD8<Float>.addingProduct` is eight calls of `fmaf`; without `-O` in debug builds
/// the tests of the kernels would take 300 times as long.
let fast: [SwiftSetting] =
  strict + [
    .unsafeFlags(["-Xcc", "-march=\(processor)"]),
    .unsafeFlags(["-O"], .when(configuration: .debug)),
  ]

/// The innermost loops once more, for AVX-512; not tuned for one processor, since some of those names would have the
/// compiler prefer half registers.
let avx512: [SwiftSetting] =
  fast + [.unsafeFlags(["f", "vl", "dq", "bw"].flatMap { ["-Xcc", "-mavx512\($0)"] })]

/// Loops over square roots are vectorised only where they need not set `errno`; the bits are the same.
let fastRoots: [SwiftSetting] = fast + [.unsafeFlags(["-Xcc", "-fno-math-errno"])]

/// The commit, `+` behind it where files have been changed since.
let commit = Context.gitInformation.map { $0.currentCommit.prefix(10) + ($0.hasUncommittedChanges ? "+" : "") } ?? ""

let package = Package(
  name: "lstm-dist",
  products: [
    .executable(name: "lstm-dist", targets: ["lstm-dist"]),
    .library(name: "MPI", targets: ["MPI"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.0.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
  ],
  targets: [
    // MARK: C
    .systemLibrary(
      name: "CMPI", pkgConfig: mpiPackage,
      providers: [.apt(["libopenmpi-dev", "openmpi-bin", "pkg-config"])]),
    .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
    .target(name: "CBuild", cSettings: [.define("BUILD_COMMIT", to: "\"\(commit)\"")]),
    .target(name: "CProcessor"),
    .target(name: "CSystem"),
    .target(name: "CMemory"),

    // MARK: Ground
    .target(name: "Problems", swiftSettings: strict),
    .target(
      name: "Files", dependencies: ["CSystem", "Problems", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: strict),
    .target(name: "ExactMath", swiftSettings: fast),
    .target(name: "Plan", dependencies: ["Problems"], swiftSettings: fast),
    .target(
      name: "SafeTensors", dependencies: ["Files", "Problems", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: strict),
    .target(name: "Version", dependencies: ["CBuild"], swiftSettings: strict),

    // MARK: Mathematics
    .target(name: "Tiles", dependencies: ["CProcessor", "ExactMath"], swiftSettings: fast),
    .target(name: "TilesAVX512", dependencies: ["Tiles"], swiftSettings: avx512),
    .target(
      name: "Kernels", dependencies: ["CProcessor", "ExactMath", "Plan", "Tiles", "TilesAVX512"], swiftSettings: fast),
    .target(name: "LSTM", dependencies: ["ExactMath", "Kernels", "Plan"], swiftSettings: fast),
    .target(name: "Optimization", dependencies: ["ExactMath", "Kernels"], swiftSettings: fastRoots),

    // MARK: Data, runs, settings
    .target(
      name: "Sequences",
      dependencies: [
        "CSndFile", "CSystem", "ExactMath", "Files", "Problems", .product(name: "Crypto", package: "swift-crypto"),
      ], swiftSettings: strict),
    .target(
      name: "Runs",
      dependencies: [
        "CSystem", "Files", "Problems", "SafeTensors", "Version", .product(name: "Crypto", package: "swift-crypto"),
      ],
      exclude: ["FORMAT.md"], swiftSettings: strict),
    .target(
      name: "Configuration", dependencies: ["LSTM", "Optimization", "Plan", "Problems", "Sequences", "Yams"],
      swiftSettings: strict),
    .target(name: "Timing", swiftSettings: strict),
    .target(name: "Launching", dependencies: ["CSystem", "Files", "Problems"], swiftSettings: strict),

    // MARK: Processes
    .target(name: "MPI", dependencies: ["CMPI", "CSystem"], exclude: ["README.md"], swiftSettings: strict),
    .target(
      name: "JobHealth", dependencies: ["CSystem", "ExactMath", "Files", "MPI", "Problems", "Runs"],
      swiftSettings: strict),
    .target(
      name: "Reduction", dependencies: ["Kernels", "MPI", "Plan", "Problems", "Timing"], exclude: ["README.md"],
      swiftSettings: fast),
    .target(
      name: "DataParallel",
      dependencies: [
        "ExactMath", "Files", "JobHealth", "Kernels", "LSTM", "MPI", "Optimization", "Plan", "Problems", "Reduction",
        "Runs", "SafeTensors", "Sequences", "Timing",
      ], swiftSettings: fast),
    .target(
      name: "TrainingLoop",
      dependencies: [
        "CSystem", "Configuration", "DataParallel", "ExactMath", "Files", "JobHealth", "LSTM", "MPI", "Problems",
        "Runs",
        "Sequences", "Timing",
      ], swiftSettings: fast),
    .target(
      name: "GradientCheck", dependencies: ["JobHealth", "Kernels", "LSTM", "MPI", "Plan", "Problems", "SafeTensors"],
      swiftSettings: fast),
    .target(
      name: "Benchmarks",
      dependencies: [
        "DataParallel", "ExactMath", "Files", "JobHealth", "Kernels", "LSTM", "MPI", "Optimization", "Plan", "Problems",
        "Reduction", "Runs", "Sequences", "Tiles", "Timing", "TrainingLoop",
      ], swiftSettings: fast),
    .target(
      name: "Tasks",
      dependencies: [
        "Configuration", "DataParallel", "Files", "LSTM", "MPI", "Problems", "Runs", "Sequences",
      ], swiftSettings: strict),
    .executableTarget(
      name: "lstm-dist",
      dependencies: [
        "Benchmarks", "CMemory", "CProcessor", "CSystem", "Configuration", "DataParallel", "Files", "GradientCheck",
        "JobHealth", "Kernels", "LSTM", "Launching", "MPI", "Plan", "Problems", "Reduction", "Runs", "Sequences",
        "Tasks", "Timing", "TrainingLoop", "Version",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], swiftSettings: strict),

    // MARK: Tests
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    .target(
      name: "TestSupport",
      dependencies: [
        "CSndFile", "Configuration", "Files", "Optimization", "Problems",
        .product(name: "Crypto", package: "swift-crypto"),
      ], path: "Tests/TestSupport", swiftSettings: strict),
    .target(name: "TestTraits", path: "Tests/TestTraits", swiftSettings: strict),
    .executableTarget(name: "mpi-programs", dependencies: ["MPI"], path: "Tests/MPIPrograms", swiftSettings: strict),
    .executableTarget(
      name: "fault-matrix",
      dependencies: [
        "ExactMath", "Plan", "Runs", "TestSupport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ], path: "Tests/FaultProgram", swiftSettings: strict),
    .executableTarget(
      name: "fuzz-program",
      dependencies: [
        "Configuration", "DataParallel", "ExactMath", "Files", "JobHealth", "Problems", "Runs", "SafeTensors",
        "Sequences", .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
      ], path: "Tests/FuzzProgram", swiftSettings: strict),
    .executableTarget(
      name: "training-programs",
      dependencies: [
        "CAllocations", "DataParallel", "ExactMath", "JobHealth", "LSTM", "MPI", "Optimization", "Runs", "Sequences",
        "TrainingLoop",
      ], path: "Tests/TrainingPrograms", swiftSettings: strict),
    .executableTarget(
      name: "crossing-program",
      dependencies: [
        "DataParallel", "ExactMath", "LSTM", "MPI", "Optimization", "Runs", "Sequences", "TestSupport", "TrainingLoop",
      ], path: "Tests/CrossingProgram", swiftSettings: strict),
    .testTarget(name: "BenchmarksTests", dependencies: ["Benchmarks", "LSTM"], swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "Configuration", "DataParallel", "Files", "TestSupport", "TestTraits", "crossing-program", "fault-matrix",
        "fuzz-program", "lstm-dist", "training-programs", .product(name: "Crypto", package: "swift-crypto"),
      ], swiftSettings: strict),
    .testTarget(
      name: "ConfigurationTests", dependencies: ["Configuration", "Optimization", "Problems", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "DataParallelTests",
      dependencies: [
        "DataParallel", "Kernels", "LSTM", "Optimization", "Plan", "Problems", "Runs", "SafeTensors", "Sequences",
        "TestSupport", "training-programs",
      ], exclude: ["Fixtures"], swiftSettings: strict),
    .testTarget(name: "ExactMathTests", dependencies: ["CProcessor", "ExactMath", "Kernels"], swiftSettings: strict),
    .testTarget(
      name: "JobHealthTests",
      dependencies: [
        "Files", "JobHealth", "MPI", "Problems", "Runs", "TestSupport", "TestTraits", "training-programs",
      ], swiftSettings: strict),
    .testTarget(name: "KernelsTests", dependencies: ["ExactMath", "Kernels", "Plan"], swiftSettings: strict),
    .testTarget(
      name: "LSTMTests", dependencies: ["ExactMath", "Kernels", "LSTM", "Plan"], exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(name: "LaunchingTests", dependencies: ["Launching"], swiftSettings: strict),
    .testTarget(name: "MPITests", dependencies: ["TestSupport", "mpi-programs"], swiftSettings: strict),
    .testTarget(
      name: "OptimizationTests", dependencies: ["ExactMath", "Kernels", "Optimization", "TestSupport"],
      swiftSettings: strict),
    .testTarget(name: "PlanTests", dependencies: ["Plan", "Problems"], swiftSettings: strict),
    .testTarget(
      name: "ReductionTests", dependencies: ["Kernels", "Plan", "Reduction", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "RunsTests",
      dependencies: ["Files", "JobHealth", "Problems", "Runs", "SafeTensors", "TestSupport", "Version"],
      swiftSettings: strict),
    .testTarget(name: "SafeTensorsTests", dependencies: ["SafeTensors", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "SequencesTests", dependencies: ["ExactMath", "Files", "Plan", "Problems", "Sequences", "TestSupport"],
      exclude: ["Readers/README.md"], swiftSettings: strict),
    .testTarget(
      name: "TasksTests",
      dependencies: ["Configuration", "DataParallel", "LSTM", "Sequences", "Tasks", "TestSupport", "TrainingLoop"],
      swiftSettings: strict),
    .testTarget(name: "TimingTests", dependencies: ["Timing"], swiftSettings: strict),
    .testTarget(
      name: "TrainingLoopTests",
      dependencies: [
        "Configuration", "DataParallel", "Files", "Problems", "Runs", "TestSupport", "Timing", "TrainingLoop",
      ],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
