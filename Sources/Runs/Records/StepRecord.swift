import Files

/// A step: what came of it, and where its time went.
package struct StepRecord: MetricsRecord {
  package static let event = MetricsEvent.step
  private static let lossKey = "trainLoss"

  package let step: Int
  /// Mean loss over the targets of the global batch; it may be infinite or NaN, as the next.
  package let trainLoss: Double
  /// Before clipping.
  package let gradientNorm: Double
  package let learningRate: Double
  package let seconds: Seconds

  /// Where the time of a step went, in seconds; `hidden` is no part of the total.
  package struct Seconds {
    let total, compute, communication, waiting, data, checkpoint, hidden: Double

    package init(
      total: Double, compute: Double, communication: Double, waiting: Double, data: Double, checkpoint: Double,
      hidden: Double
    ) {
      (self.total, self.compute, self.communication, self.waiting) = (total, compute, communication, waiting)
      (self.data, self.checkpoint, self.hidden) = (data, checkpoint, hidden)
    }
  }

  package init(step: Int, trainLoss: Double, gradientNorm: Double, learningRate: Double, seconds: Seconds) {
    (self.step, self.trainLoss, self.gradientNorm) = (step, trainLoss, gradientNorm)
    (self.learningRate, self.seconds) = (learningRate, seconds)
  }

  package var members: [(key: String, value: JSON)] {
    [
      (Self.lossKey, .number(trainLoss)), ("gradientNorm", .number(gradientNorm)),
      ("stepSeconds", .number(seconds.total)), ("computeSeconds", .number(seconds.compute)),
      ("communicationSeconds", .number(seconds.communication)), ("waitingSeconds", .number(seconds.waiting)),
      ("dataSeconds", .number(seconds.data)), ("checkpointSeconds", .number(seconds.checkpoint)),
      ("hiddenSeconds", .number(seconds.hidden)), ("learningRate", .number(learningRate)),
    ]
  }

  /// The losses among the lines of a part of a file; a line that was cut is no record, and a loss that was not finite is
  /// left out.
  package static func losses(in bytes: [UInt8]) -> [Double] {
    bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      var reader = JSONReader(Array(line))
      var (event, loss): (String?, Double?)
      do {
        try reader.record { reader, key in
          switch key {
          case MetricsEvent.key: event = try reader.string()
          case lossKey: loss = try reader.optionalDouble()
          default: return false
          }
          return true
        }
      } catch {
        return nil
      }
      // A number may be too large for a Double.
      guard event == self.event.rawValue, let loss, loss.isFinite else { return nil }
      return loss
    }
  }
}
