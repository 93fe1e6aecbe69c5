import Files
import Foundation
import Sequences
import Testing

/// The data sets that the readers are for, where `LSTM_DIST_DATA` has them: what is known of each must come out.
@Suite struct RealDataTests {
  @Test(
    .enabled(if: RealData.path("ts-classification/JapaneseVowels") != nil, RealData.absence))
  func japaneseVowelsAre640UtterancesOfNineSpeakers() throws {
    let folder = try #require(RealData.path("ts-classification/JapaneseVowels"))
    let training = try TimeSeriesFile.read(folder + "/JapaneseVowels_TRAIN.ts")
    let test = try TimeSeriesFile.read(folder + "/JapaneseVowels_TEST.ts", classes: training.classes)
    #expect(training.count == 270 && test.count == 370 && training.width == 12 && test.width == 12)
    #expect(training.classes == (1...9).map(String.init) && training.classCounts.allSatisfy { $0 == 30 })
    #expect(test.classCounts.min() == 24 && test.classCounts.max() == 88)
    #expect((training.lengths + test.lengths).min() == 7 && (training.lengths + test.lengths).max() == 29)
    #expect(training[0].first == 1.860936)
    let normalized = try training.normalized(by: training.normalization())
    #expect(normalized.elements.allSatisfy { $0.magnitude < 8 })
    let batches = LengthBalancedBatches.batches(lengths: training.lengths, globalBatch: 27, seed: 1, epoch: 0)
    #expect(LengthBalancedBatches.paddingShare(of: batches, lengths: training.lengths) < 0.1)
  }

  @Test(
    .enabled(if: RealData.path("mr-polarity/utf8") != nil, RealData.absence))
  func movieReviewsAre5331SentencesOfEachClass() throws {
    let folder = try #require(RealData.path("mr-polarity"))
    let pattern = try NamePattern("rt-polarity.{class}")
    let texts = try LabelledTexts.classFiles(folder: folder + "/utf8", pattern: pattern, tokens: .words)
    #expect(texts.classes == ["neg", "pos"] && texts.classCounts == [5331, 5331])
    let (training, heldOut) = try texts.fold(0, of: 10, seed: 1)
    #expect(heldOut.count == 1067 && abs(heldOut.classCounts[0] - 533) <= 1)
    let vocabulary = try training.vocabulary(of: .words, name: folder)
    #expect(try heldOut.tokens(in: vocabulary).count == 1067)
    expectBadData("not UTF-8", "rt-polarity.neg") {
      _ = try LabelledTexts.classFiles(folder: folder, pattern: pattern, tokens: .words)
    }
    let bytes = try LabelledTexts.classFiles(folder: folder, pattern: pattern, tokens: .bytes)
    #expect(bytes.classCounts == [5331, 5331])
  }

  @Test(.enabled(if: RealData.path("names18") != nil, RealData.absence))
  func surnamesAreOf18Languages() throws {
    let folder = try #require(RealData.path("names18"))
    let texts = try LabelledTexts.classFiles(folder: folder, pattern: NamePattern("{class}.txt"), tokens: .characters)
    #expect(texts.classes.count == 18 && texts.count == 20_050)
    #expect(texts.classCounts[texts.classes.firstIndex(of: "Vietnamese")!] == 73)
  }

  @Test(
    .enabled(if: RealData.path("fsdd/recordings") != nil, RealData.absence))
  func spokenDigitsAre3000Clips() throws {
    let folder = try #require(RealData.path("fsdd/recordings"))
    let clips = try AudioClips.read(folder: folder, pattern: NamePattern("{class}_*.wav"))
    #expect(clips.rate == 8000 && clips.clips.count == 3000 && clips.clips.classes == (0...9).map(String.init))
    #expect(clips.clips.elements.count == (21_128_848 - 3000 * 44) / 2)
    let official = try (0...4).map { try NamePattern("*_\($0).wav") }
    let (training, heldOut) = try clips.clips.holdingOut { name in official.contains { $0.matches(name) } }
    #expect(training.count == 2700 && heldOut.count == 300 && heldOut.classCounts.allSatisfy { $0 == 30 })
    let speaker = try NamePattern("*_theo_*.wav")
    #expect(try clips.clips.holdingOut(where: speaker.matches).heldOut.count == 500)
    let mel = try LogMel(rate: 8000)
    let features = try clips.features(mel)
    #expect(features.width == 40 && features.lengths == clips.clips.lengths.map(mel.frames))
    #expect(features.elements.allSatisfy { $0 > -24 && $0 < 12 })
  }

  @Test(.enabled(if: RealData.path("small-series") != nil, RealData.absence))
  func seriesOfNumbersHaveTheirRowsColumnsAndHoles() throws {
    let folder = try #require(RealData.path("small-series"))
    let sunspots = try NumberTable(path: folder + "/monthly-sunspots.csv", columns: ["Sunspots"])
    #expect(sunspots.rows == 2820 && sunspots.holes == 0 && sunspots.values.last == 33.4)
    #expect(try NumberTable(path: folder + "/daily-min-temperatures.csv", columns: ["Temp"]).rows == 3650)
    expectBadData("not a number", "\"Month\"") { _ = try NumberTable(path: folder + "/monthly-sunspots.csv") }
    let pollution = folder + "/pollution.csv"
    let weather = try NumberTable(path: pollution, columns: ["pm2.5", "DEWP", "TEMP", "PRES", "Iws", "Is", "Ir"])
    #expect(weather.rows == 43_824 && weather.holes == 2067)
    expectBadData("missing value", "\"pm2.5\"", "line 2;") { _ = try weather.filled(.error, trainingRows: 0..<1000) }
    // The first value of the column stands in the row of the second day's first hour.
    #expect(try weather.filled(.previous, trainingRows: 0..<1000).rows == 43_800)
    #expect(try weather.filled(.mean, trainingRows: 0..<30_000).holes == 0)
    expectBadData("not a number", "\"cbwd\"", "\"NW\"") { _ = try NumberTable(path: pollution, columns: ["cbwd"]) }
  }
}
