import Runs
import Sequences

extension DataRecord {
  /// What readers told.
  package init(_ account: DataAccount) {
    self.init(
      files: account.files,
      counts: account.counts.map { Count($0.unit, training: $0.training, heldOut: $0.heldOut) },
      classes: account.classes.map { Count($0.name, training: $0.training, heldOut: $0.heldOut) },
      vocabulary: account.vocabulary,
      unknown: account.unknown.training.map {
        Count("token", training: $0.unknown, heldOut: account.unknown.heldOut?.unknown ?? 0)
      },
      remarks: account.remarks.map { Remark($0.what, hint: $0.hint, count: $0.count, places: $0.places) })
  }
}
