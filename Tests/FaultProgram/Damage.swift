import Foundation
import Runs

/// Every file of the newest checkpoint cut to every length, and single bits of it flipped: each must be noticed, and
/// the checkpoint before it be found. Some of them through the command, which must name what it passes over and end as
/// ever.
func damagedFiles(_ trials: Trials) throws -> Row {
  var (trials, row) = (trials, Row("a checkpoint's file cut or with a flipped bit"))
  let run = trials.path("run")
  try FileManager.default.copyItem(atPath: trials.training.undisturbed, toPath: run)
  let directory = RunDirectory(path: run)
  let steps = try directory.checkpointSteps()
  let (newest, older) = (steps[steps.count - 1], steps[steps.count - 2])
  let files = try FileManager.default.contentsOfDirectory(atPath: directory.checkpointPath(step: newest)).sorted()
    .map { URL(filePath: "\(directory.checkpointPath(step: newest))/\($0)") }

  func problems(_ what: String) throws -> [String] {
    let search = try directory.newestCheckpoint()
    return search.newest?.manifest.step == older && search.damaged.count == 1 ? [] : ["\(what) was not noticed"]
  }
  for file in files {
    let whole = try Data(contentsOf: file)
    for length in lengths(of: whole, trials.isLong) {
      try put(whole.prefix(length), file)
      row.add(try problems("\(file.lastPathComponent) cut to \(length) bytes"))
      row.saw("cut")
    }
    try put(whole, file)
  }
  for _ in 0..<(trials.isLong ? 1000 : 200) {
    let file = files[trials.draws.below(files.count)]
    let whole = try Data(contentsOf: file)
    let flipped = flippingABit(of: whole, &trials)
    try put(flipped, file)
    row.add(try problems("a flipped bit in \(file.lastPathComponent)"))
    row.saw("flipped")
    try put(whole, file)
  }
  for number in 0..<(trials.isLong ? 20 : 4) {
    let file = files[number % files.count]
    let whole = try Data(contentsOf: file)
    try put(number % 2 == 0 ? whole.prefix(trials.draws.below(whole.count)) : flippingABit(of: whole, &trials), file)
    row.add(try problemsOfGoingOn(run, trials.training, ranks: 1 + number % 3, after: older))
    row.saw("through the command")
  }
  return row
}

/// The command passes over damage: what is wrong with what it says and does.
private func problemsOfGoingOn(
  _ run: String, _ training: TinyTraining, ranks: Int, after step: Int
) throws -> [String] {
  let ending = try training.train(run, ranks: ranks)
  var problems: [String] = []
  if ending.beganAfter != step { problems.append("expected to go on after step \(step), got \(ending)") }
  if !ending.outcome.errors.contains("warning: passed over a damaged checkpoint: ") {
    problems.append("damage was not named: \(ending)")
  }
  return problems + (try training.problemsOfResult(run))
}

/// All lengths that are shorter, or, in the short form, those near the ends and a few between.
private func lengths(of file: Data, _ isLong: Bool) -> [Int] {
  (0..<file.count).filter { isLong || $0 < 20 || $0 > file.count - 20 || $0 % 97 == 0 }
}

/// Foundation's `write` waits for the disk each time.
private func put(_ bytes: Data, _ file: URL) throws {
  guard let stream = fopen(file.path, "w") else { throw Problem("cannot write \(file.path)") }
  let written = bytes.withUnsafeBytes { fwrite($0.baseAddress, 1, $0.count, stream) }
  guard fclose(stream) == 0, written == bytes.count else { throw Problem("cannot write \(file.path)") }
}

private func flippingABit(of file: Data, _ trials: inout Trials) -> Data {
  var file = file
  file[trials.draws.below(file.count)] ^= 1 << UInt8(trials.draws.below(8))
  return file
}
