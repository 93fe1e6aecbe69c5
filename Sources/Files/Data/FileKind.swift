/// What a file is by its first bytes, where a reader of text, numbers or sound meets another one: so that an error names
/// a compressed file as one, and not its first byte that is no text.
///
/// Signatures as the formats define them, and file(1) knows them.
package struct FileKind: Equatable, Sendable {
  /// With its article, such as "a ZIP archive".
  package let name: String
  /// What makes a file of it that can be read; nil where nothing is known to.
  package let hint: String?

  /// As many first bytes of a file are looked at.
  package static let beginningBytes = 1 << 16

  private init(_ name: String, _ hint: String? = nil) { (self.name, self.hint) = (name, hint) }

  /// The kind of a file that begins with these bytes; nil for plain text, and for what is not known.
  package init?(_ beginning: some Collection<UInt8>) {
    let bytes = Array(beginning.prefix(FileKind.beginningBytes))
    guard let found = FileKind.inText(bytes) ?? (FileKind.isText(bytes) ? nil : FileKind.inBinary(bytes)) else {
      return nil
    }
    self = found
  }

  /// Whether bytes, which may end within a character, are UTF-8 without NUL.
  private static func isText(_ bytes: [UInt8]) -> Bool {
    // A character has at most three bytes behind its first.
    let end = bytes.count - bytes.reversed().prefix(3).prefix { $0 >= 0x80 }.count
    return !bytes.contains(0)
      && (String(validating: bytes, as: UTF8.self) ?? String(validating: bytes[..<end], as: UTF8.self)) != nil
  }

  /// What has its signature in a text that may be valid.
  private static func inText(_ bytes: [UInt8]) -> FileKind? {
    (documents.first { bytes.starts(with: $0.signature.utf8) }?.kind) ?? textPickle(bytes)
  }

  private static func inBinary(_ bytes: [UInt8]) -> FileKind? {
    binary.first { bytes.dropFirst($0.offset).starts(with: $0.signature) }?.kind ?? archive(bytes) ?? riff(bytes)
      ?? pickle(bytes) ?? vectors(bytes)
  }
}

// MARK: Signatures

extension FileKind {
  private typealias Signature = (offset: Int, signature: [UInt8], kind: FileKind)

  private static func kind(
    _ signature: [UInt8], at offset: Int = 0, _ name: String, _ hint: String? = nil
  ) -> Signature { (offset, signature, FileKind(name, hint)) }

  private static func kind(
    _ signature: String, at offset: Int = 0, _ name: String, _ hint: String? = nil
  ) -> Signature { (offset, Array(signature.utf8), FileKind(name, hint)) }

  private static let asNumbers = "write the numbers as CSV, or one array with numpy.save"
  private static let asTable =
    "write it as CSV, for example: pandas.read_parquet(\"FILE\").to_csv(\"NEW\", index=False)"
  private static let asPlainText = "save it as plain text in UTF-8"
  private static let asCSV = "save the table as CSV UTF-8"
  private static let asWAV = "convert it, for example: ffmpeg -i input output.wav"
  private static let asSound = "sound is read with task=classification data.source=audio"

  /// Valid text, or at least the first bytes.
  private static let documents: [(signature: String, kind: FileKind)] = [
    ("%PDF-1", FileKind("a PDF document", "write its text: pdftotext FILE NEW")),
    ("%PDF-2", FileKind("a PDF document", "write its text: pdftotext FILE NEW")),
    ("{\\rtf1", FileKind("an RTF document", asPlainText)),
    (
      "version https://git-lfs.github.com/spec/",
      FileKind("a pointer of Git LFS in place of the file", "fetch the file: git lfs pull")
    ),
  ]

  private static let binary = compressed + numbers + others + sounds

  private static let compressed: [Signature] = [
    kind([0x1F, 0x8B], "a file compressed with gzip", "unpack it: gunzip < FILE > NEW"),
    kind("BZh", "a file compressed with bzip2", "unpack it: bunzip2 < FILE > NEW"),
    kind([0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], "a file compressed with xz", "unpack it: unxz < FILE > NEW"),
    kind([0x28, 0xB5, 0x2F, 0xFD], "a file compressed with Zstandard", "unpack it: unzstd < FILE > NEW"),
    kind([0x04, 0x22, 0x4D, 0x18], "a file compressed with LZ4", "unpack it: unlz4 < FILE > NEW"),
    kind([0x1F, 0x9D], "a file compressed with compress", "unpack it: gunzip < FILE > NEW"),
    kind([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive", "unpack it: 7z x FILE"),
    kind("Rar!", "a RAR archive", "unpack it: unrar x FILE"),
    kind("ustar", at: 257, "a tar archive", "unpack it: tar -xf FILE"),
  ]

  private static let numbers: [Signature] = [
    kind([0x93] + Array("NUMPY".utf8), "an array of NumPy", "arrays are read with task=forecasting"),
    kind([0x89, 0x48, 0x44, 0x46], "an HDF5 file", asNumbers), kind("CDF", "a NetCDF file", asNumbers),
    kind("MATLAB 5.0 MAT-file", "a MAT-file", asNumbers),
    kind("PAR1", "a Parquet file", asTable), kind("ARROW1", "an Arrow or Feather file", asTable),
    kind("FEA1", "a Feather file", asTable), kind("ORC", "an ORC file", asTable),
    kind("Obj\u{1}", "an Avro file", asTable),
    kind(
      "SQLite format 3", "an SQLite database",
      "write a table of it as CSV: sqlite3 -csv -header FILE 'SELECT * FROM name' > NEW"),
    kind(
      [0xBA, 0x16, 0x4F, 0x2F], "a model of fastText in binary form",
      "take the .vec file beside it, or write the vectors as text, a word and its numbers on each line"),
  ]

  private static let others: [Signature] = [
    kind([0x7F, 0x45, 0x4C, 0x46], "a program (ELF)"),
    kind(
      [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], "an old document of Office, such as .xls or .doc",
      "save a table as CSV UTF-8, a text as plain text in UTF-8"),
    kind([0x89, 0x50, 0x4E, 0x47], "a picture (PNG)"), kind([0xFF, 0xD8, 0xFF], "a picture (JPEG)"),
    kind("GIF8", "a picture (GIF)"), kind([0x49, 0x49, 0x2A, 0], "a picture (TIFF)"),
    kind([0x4D, 0x4D, 0, 0x2A], "a picture (TIFF)"),
    kind("MThd", "a MIDI file", "write its notes as JSON: lists of pieces of frames of MIDI notes"),
  ]

  private static let sounds: [Signature] = [
    kind("fLaC", "a FLAC file", asSound), kind("RIFX", "a big-endian WAV file", asWAV),
    kind("RF64", "an RF64 file", asWAV), kind("OggS", "an Ogg file", asWAV), kind("ID3", "an MP3 file", asWAV),
    kind([0xFF, 0xFB], "an MP3 file", asWAV), kind([0xFF, 0xF3], "an MP3 file", asWAV),
    kind([0xFF, 0xFA], "an MP3 file", asWAV), kind([0xFF, 0xF2], "an MP3 file", asWAV),
    kind([0xFF, 0xF1], "an AAC file", asWAV), kind([0xFF, 0xF9], "an AAC file", asWAV),
    kind("ftyp", at: 4, "an MP4 or M4A file", asWAV), kind("AIFF", at: 8, "an AIFF file", asWAV),
    kind("AIFC", at: 8, "an AIFF file", asWAV), kind(".snd", "a Sun audio file", asWAV),
    kind("caff", "a CAF file", asWAV), kind([0x1A, 0x45, 0xDF, 0xA3], "a Matroska or WebM file", asWAV),
    kind("#!AMR", "an AMR file", asWAV), kind("wvpk", "a WavPack file", asWAV),
  ]
}

// MARK: What the first bytes alone do not say

extension FileKind {
  /// A ZIP archive, called what its first members make it.
  private static func archive(_ bytes: [UInt8]) -> FileKind? {
    let marks: [[UInt8]] = [[0x50, 0x4B, 3, 4], [0x50, 0x4B, 5, 6], [0x50, 0x4B, 7, 8]]
    guard marks.contains(where: bytes.starts) else { return nil }
    // Names of members stand in the clear; what is compressed hardly ever spells one.
    let names = String(decoding: bytes.map { (0x20..<0x7F).contains($0) ? $0 : 0x0A }, as: UTF8.self)
    if names.contains("xl/") { return FileKind("an Excel file (.xlsx, a ZIP archive)", asCSV) }
    if names.contains("word/") { return FileKind("a Word document (.docx, a ZIP archive)", asPlainText) }
    if names.contains("opendocument.spreadsheet") { return FileKind("an OpenDocument table (.ods)", asCSV) }
    if names.contains("opendocument.text") { return FileKind("an OpenDocument text (.odt)", asPlainText) }
    if names.contains(".npy") {
      return FileKind(
        "an .npz archive of NumPy", "save one array of it: numpy.save(\"x.npy\", numpy.load(\"x.npz\")[\"NAME\"])")
    }
    if names.contains("data.pkl") {
      return FileKind(
        "a file of PyTorch (.pt, a ZIP archive)", "save one array of it: numpy.save(\"x.npy\", tensor.numpy())")
    }
    return FileKind("a ZIP archive, as .xlsx is one too", "unpack it with unzip, or save a table as CSV UTF-8")
  }

  private static func riff(_ bytes: [UInt8]) -> FileKind? {
    guard bytes.starts(with: "RIFF".utf8), bytes.count >= 12 else { return nil }
    return switch String(decoding: bytes[8..<12], as: UTF8.self) {
    case "WAVE": FileKind("a WAV file", asSound)
    case "AVI ": FileKind("an AVI file", asWAV)
    case "WEBP": FileKind("a picture (WebP)")
    default: nil
    }
  }

  private static let pickled = FileKind(
    "objects of Python (pickle)",
    "write what is in it: an array with numpy.save, a table with DataFrame.to_csv, piano rolls with json.dump")

  /// Protocols 2 to 5 begin with byte 0x80 and their number; protocol 1 with an empty container that is remembered.
  private static func pickle(_ bytes: [UInt8]) -> FileKind? {
    let isNumbered = bytes.count > 2 && bytes[0] == 0x80 && (2...5).contains(bytes[1])
    let isFirst = bytes.count > 3 && "]}(".utf8.contains(bytes[0]) && bytes[1] == UInt8(ascii: "q") && bytes[2] == 0
    return isNumbered || isFirst ? pickled : nil
  }

  /// Protocol 0 is lines of ASCII.
  private static func textPickle(_ bytes: [UInt8]) -> FileKind? {
    guard let byte = bytes.first, "(c".utf8.contains(byte) else { return nil }
    let first = bytes.prefix(64).prefix { $0 != 0x0A }
    guard first.count < bytes.count, first.count < 64 else { return nil }
    let line = String(decoding: first, as: UTF8.self)
    let isMemo = line.wholeMatch(of: /\([dlt]p\d+/) != nil
    return isMemo
      || ["ccopy_reg", "ccopyreg", "cnumpy", "c__builtin__", "ccollections"].contains(where: line.hasPrefix)
      ? pickled : nil
  }

  /// The binary form of word2vec: a line with two numbers, then words, a blank and bytes of floats behind each.
  private static func vectors(_ bytes: [UInt8]) -> FileKind? {
    let line = String(decoding: bytes.prefix(40).prefix { $0 != 0x0A }, as: UTF8.self)
    guard line.wholeMatch(of: /\d+ \d+ *\r?/) != nil else { return nil }
    return FileKind(
      "word vectors in the binary form of word2vec",
      "write them as text, for example: gensim.models.KeyedVectors.load_word2vec_format(\"FILE\", binary=True)"
        + ".save_word2vec_format(\"NEW\")")
  }
}
