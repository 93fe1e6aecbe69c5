import Files

/// What was read of the data when the run began, behind its first line:
///
///     {"event":"data","step":0,"files":1,"counts":[{"unit":"row","training":8,"heldOut":2}],"classes":[],
///      "vocabulary":null,"unknown":null,"remarks":[{"what":"comment is passed over","hint":null,"count":1,
///      "places":["t.csv, line 3"]}]}
package struct DataRecord: MetricsRecord, Equatable, Sendable {
  package static let event = MetricsEvent.data

  /// How many of something there are: rows, or sequences of a class.
  package struct Count: Equatable, Sendable {
    let name: String
    let training: Int
    let heldOut: Int

    package init(_ name: String, training: Int, heldOut: Int) {
      (self.name, self.training, self.heldOut) = (name, training, heldOut)
    }

    fileprivate func json(_ key: String) -> JSON {
      [key: .string(name), "training": .integer(training), "heldOut": .integer(heldOut)]
    }
  }

  /// Something that was not taken as it stands.
  package struct Remark: Equatable, Sendable {
    let what: String
    let hint: String?
    let count: Int
    let places: [String]

    package init(_ what: String, hint: String?, count: Int, places: [String]) {
      (self.what, self.hint, self.count, self.places) = (what, hint, count, places)
    }
  }

  package let step = 0
  let files: Int
  let counts: [Count]
  let classes: [Count]
  let vocabulary: Int?
  let unknown: Count?
  let remarks: [Remark]

  /// - Parameters:
  ///   - vocabulary: entries; nil where there is none.
  ///   - unknown: tokens of both parts that are none of the vocabulary; nil where there is none.
  package init(
    files: Int, counts: [Count], classes: [Count], vocabulary: Int?, unknown: Count?, remarks: [Remark]
  ) {
    (self.files, self.counts, self.classes) = (files, counts, classes)
    (self.vocabulary, self.unknown, self.remarks) = (vocabulary, unknown, remarks)
  }

  package var members: [(key: String, value: JSON)] {
    [
      ("files", .integer(files)), ("counts", .array(counts.map { $0.json("unit") })),
      ("classes", .array(classes.map { $0.json("name") })), ("vocabulary", vocabulary.map { .integer($0) } ?? .null),
      ("unknown", unknown?.json("unit") ?? .null),
      (
        "remarks",
        .array(
          remarks.map {
            [
              "what": .string($0.what), "hint": $0.hint.map { .string($0) } ?? .null, "count": .integer($0.count),
              "places": .array($0.places.map { .string($0) }),
            ]
          })
      ),
    ]
  }
}
