import DataParallel
import Testing

/// What ranks learn from each other's stop flags: 0 for nothing, a reason's code, or its negative where the step was
/// abandoned.
@Suite struct StopAgreementTests {
  private static let reasons: [StopReason] = [
    .signal(15, rank: 0), .signal(64, rank: 3), .signal(1, rank: 70_000), .stopFile, .timeLimit, .schedulerEnd,
  ]

  private func agreement(_ flags: [(StopReason, isAbandoned: Bool)?]) -> StopAgreement? {
    StopAgreement(flags: flags.map { $0.map { ($0.isAbandoned ? -1 : 1) * Double($0.0.code) } ?? 0 })
  }

  @Test(arguments: reasons) func aReasonArrivesAsItWasSent(reason: StopReason) throws {
    #expect(StopReason(code: reason.code) == reason && Double(reason.code).rounded() == Double(reason.code))
    #expect(Set(Self.reasons.map(\.code)).count == Self.reasons.count)
    for isAbandoned in [false, true] {
      let found = try #require(agreement([nil, (reason, isAbandoned), nil]))
      #expect(found.reason == reason && found.isAbandoned == isAbandoned)
    }
  }

  @Test(arguments: [-5, 0, 65, 200, 204, 255, 256]) func numbersThatNobodySendsAreNoReason(code: Int) {
    #expect(StopReason(code: code) == nil)
  }

  /// A step without the gradients of one rank is nobody's.
  @Test func oneRankThatAbandonsTheStepAbandonsItForAll() throws {
    let (signal, limit) = (StopReason.signal(2, rank: 1), StopReason.timeLimit)
    #expect(agreement([nil, nil, nil]) == nil && agreement([]) == nil)
    let cases: [(flags: [(StopReason, isAbandoned: Bool)?], reason: StopReason, isAbandoned: Bool)] = [
      ([(signal, false), (signal, false)], signal, false), ([(signal, true), (signal, false)], signal, true),
      ([(signal, false), (signal, true)], signal, true), ([nil, (limit, false), (signal, true)], limit, true),
      ([(limit, false), nil, (signal, false)], limit, false),
    ]
    for (flags, reason, isAbandoned) in cases {
      let found = try #require(agreement(flags))
      #expect(found.reason == reason, "the reason of the lowest rank that has one: \(flags)")
      #expect(found.isAbandoned == isAbandoned, "\(flags)")
    }
  }
}
