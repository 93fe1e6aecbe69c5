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
#if arch(x86_64)
  let fast: [SwiftSetting] =
    strict + [
      .unsafeFlags(["-Xcc", "-march=\(processor)"]),
      .unsafeFlags(["-O"], .when(configuration: .debug)),
    ]
  /// The innermost loops once more, for AVX-512; not tuned for one processor, since some of those names would have the
  /// compiler prefer half registers.
  let avx512: [SwiftSetting] =
    fast + [.unsafeFlags(["f", "vl", "dq", "bw"].flatMap { ["-Xcc", "-mavx512\($0)"] })]
#else
  let fast: [SwiftSetting] = strict + [.unsafeFlags(["-O"], .when(configuration: .debug))]
  let avx512 = fast
#endif

/// Loops over square roots are vectorised only where they need not set `errno`; the bits are the same.
let fastRoots: [SwiftSetting] = fast + [.unsafeFlags(["-Xcc", "-fno-math-errno"])]

let package = Package(
  name: "lstm-dist",
  products: [.executable(name: "lstm-dist", targets: ["lstm-dist"])],
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
    .target(name: "CProcessor"),
    .target(name: "CSystem"),
    .target(name: "CMemory"),

    // MARK: Errors
    .target(name: "Problems", swiftSettings: strict),

    // MARK: Mathematics
    .target(name: "Randomness", swiftSettings: fast),
    .target(name: "Tiles", dependencies: ["CProcessor"], swiftSettings: fast),
    .target(name: "TilesAVX512", dependencies: ["Tiles"], swiftSettings: avx512),
    .target(name: "Kernels", dependencies: ["CProcessor", "Tiles", "TilesAVX512"], swiftSettings: fast),
    .target(name: "LSTM", dependencies: ["Kernels", "Randomness"], swiftSettings: fast),
    .target(name: "Optimization", dependencies: ["Kernels"], swiftSettings: fastRoots),

    // MARK: Data, files, settings
    .target(
      name: "Sequences",
      dependencies: [
        "CSndFile", "CSystem", "Kernels", "Problems", "Randomness", .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict),
    .target(
      name: "Checkpoints", dependencies: ["CSystem", "Problems", .product(name: "Crypto", package: "swift-crypto")],
      swiftSettings: strict),
    .target(name: "Configuration", dependencies: ["Problems", "Yams"], swiftSettings: strict),
    .target(name: "Timing", swiftSettings: strict),
    .target(name: "Launching", dependencies: ["CSystem", "Problems"], swiftSettings: strict),

    // MARK: Processes
    .target(name: "MPI", dependencies: ["CMPI", "CSystem"], swiftSettings: strict),
    .target(
      name: "DataParallel",
      dependencies: [
        "MPI", "LSTM", "Kernels", "CSystem", "Problems", "Randomness", "Sequences", "Optimization", "Checkpoints",
        "Timing",
      ],
      swiftSettings: fast),
    .executableTarget(
      name: "lstm-dist",
      dependencies: [
        "DataParallel", "MPI", "LSTM", "Kernels", "CProcessor", "CSystem", "CMemory", "Sequences", "Optimization",
        "Checkpoints", "Configuration", "Launching", "Problems", "Timing",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // MARK: Tests
    .executableTarget(
      name: "mpi-programs", dependencies: ["MPI"], path: "Tests/MPIPrograms", swiftSettings: strict),
    .target(name: "CAllocations", path: "Tests/CAllocations"),
    .executableTarget(
      name: "allocation-program",
      dependencies: ["CAllocations", "DataParallel", "LSTM", "MPI", "Optimization", "Sequences"],
      path: "Tests/AllocationProgram", swiftSettings: strict),
    .executableTarget(
      name: "classifier-program",
      dependencies: [
        "CAllocations", "Checkpoints", "DataParallel", "LSTM", "MPI", "Optimization", "Randomness", "Sequences",
      ],
      path: "Tests/ClassifierProgram", swiftSettings: strict),
    .executableTarget(
      name: "paranoid-program",
      dependencies: ["Checkpoints", "DataParallel", "LSTM", "MPI", "Optimization", "Sequences"],
      path: "Tests/ParanoidProgram", swiftSettings: strict),
    .executableTarget(
      name: "fault-matrix",
      dependencies: [
        "Checkpoints", "Randomness", "Sequences", "TestLauncher",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      path: "Tests/FaultProgram", swiftSettings: strict),
    .executableTarget(
      name: "nonfinite-program",
      dependencies: ["Checkpoints", "DataParallel", "LSTM", "MPI", "Optimization", "Sequences"],
      path: "Tests/NonFiniteProgram", swiftSettings: strict),
    .executableTarget(
      name: "fuzz-program",
      dependencies: [
        "Checkpoints", "Configuration", "DataParallel", "Problems", "Randomness", "Sequences",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      path: "Tests/FuzzProgram", swiftSettings: strict),
    .executableTarget(
      name: "watchdog-program", dependencies: ["Checkpoints", "DataParallel", "MPI"], path: "Tests/WatchdogProgram",
      swiftSettings: strict),
    .target(name: "TestLauncher", dependencies: ["CSndFile"], path: "Tests/TestLauncher", swiftSettings: strict),
    .testTarget(name: "MPITests", dependencies: ["mpi-programs", "TestLauncher"], swiftSettings: strict),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Randomness", "CProcessor"], swiftSettings: strict),
    .testTarget(
      name: "LSTMTests", dependencies: ["LSTM", "Kernels", "Randomness"], exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(name: "OptimizationTests", dependencies: ["Optimization", "Kernels"], swiftSettings: strict),
    .testTarget(
      name: "SequencesTests", dependencies: ["Kernels", "Problems", "Randomness", "Sequences", "TestLauncher"],
      exclude: ["Readers/README.md"], swiftSettings: strict),
    .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "Problems"], swiftSettings: strict),
    .testTarget(name: "LaunchingTests", dependencies: ["Launching", "Problems"], swiftSettings: strict),
    .testTarget(name: "TimingTests", dependencies: ["Timing"], swiftSettings: strict),
    .testTarget(name: "ConfigurationTests", dependencies: ["Configuration", "Problems"], swiftSettings: strict),
    .testTarget(
      name: "DataParallelTests",
      dependencies: [
        "Checkpoints", "DataParallel", "LSTM", "Kernels", "MPI", "Optimization", "Problems", "Sequences",
        "allocation-program",
        "classifier-program", "paranoid-program", "watchdog-program", "TestLauncher",
      ],
      exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "CommandTests",
      dependencies: [
        "lstm-dist", "Configuration", "Problems", "fault-matrix", "fuzz-program", "nonfinite-program", "TestLauncher",
        .product(name: "Crypto", package: "swift-crypto"),
      ],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
