import Testing

/// Tables of numbers as programs and people write them.
struct TableCases {
  @Test(arguments: headers + separators + numbers + rows + dates)
  func tablesAreReadAsTheyAreMeantOrRefused(fieldCase: FieldCase) throws { try fieldCase.check() }

  /// Lines of a table.
  private static func lines(_ count: Int = 10, _ line: (Int) -> String) -> String {
    (0..<count).map { line($0) + "\n" }.joined()
  }

  // MARK: Headers

  private static let headers: [FieldCase] = [
    .table(
      "the index that pandas writes", ",sales\n" + lines { "\($0),\(100 + $0)" },
      outcome: .read(.init(told: ["without a name that counts the rows"], count: 10, columns: ["sales"], mean: [103.5]))
    ),
    .table(
      "an index that begins with 1", "\"\",sales\n" + lines { "\($0 + 1),\($0)" },
      outcome: .read(.init(told: ["counts the rows"], columns: ["sales"]))),
    .table(
      "a column without a name that is no index", ",sales\n" + lines { "\($0 * 2),\($0)" },
      outcome: .refused(["column without a name", "column 1", "data.columns=sales"])),
    .table(
      "a separator at the end of each line", "a,b,\n" + lines { "\($0),1," },
      outcome: .read(.init(told: ["without values is passed over"], columns: ["a", "b"]))),
    .table(
      "two columns of one name", "v,v\n" + lines { "\($0),1" },
      outcome: .refused(["column named twice", "rename one"])),
    .table(
      "two columns of one name, another one asked for", "v,v,w\n" + lines { "\($0),1,2" }, "data.columns=w",
      outcome: .read(.init(columns: ["w"]))),
    .table(
      "three lines of names, not said", "Price,Close\nTicker,A\nDate,\n" + lines { "2019-01-0\($0),\($0)" },
      "data.columns=Close", outcome: .refused(["\"A\"", "data.header=3"])),
    .table(
      "categories with quotes in them", "v,pipe\n" + lines { "\($0),\"\($0 % 2)\"\" pipe\"" },
      "data.columns=v,pipe:categories",
      outcome: .read(.init(columns: ["v", "pipe=0\" pipe", "pipe=1\" pipe"], mean: [3.5, 0.5, 0.5]))),
    .table(
      "comments that are said, before semicolons", "% by hand\na;b\n" + lines { "\($0);1" }, "data.comment=%",
      outcome: .read(.init(told: ["semicolons", "comment is passed over"], columns: ["a", "b"]))),
    .table(
      "months that might be days", "Date,v\n" + lines(12) { "\($0 < 9 ? "0" : "")\($0 + 1)/01/2015,\($0)" },
      "data.columns=v", outcome: .read(.init())),
    .table(
      "holes in the first column at the end", "a,b\n" + lines { $0 > 7 ? ",1" : "\($0),1" }, "data.columns=b",
      outcome: .read(.init())),
    .table(
      "years for names", "2019,2020\n" + lines { "\($0),1" }, outcome: .refused(["data.header=none", "data.header=1"])),
    .table(
      "a name with blanks around it", "a, Open \n" + lines { "\($0),1" }, "data.columns=Open",
      outcome: .refused(["missing column", "\" Open \""])),
    .table("no header", lines { "\($0),0" }, outcome: .refused(["numbers for names of columns", "data.header=none"])),
    .table(
      "no header, said", lines { "\($0),7" }, "data.header=none",
      outcome: .read(.init(count: 10, columns: ["0", "1"], mean: [3.5, 7]))),
    .table(
      "a line of units", "time,temp\ns,°C\n" + lines { "\($0),\($0)" },
      outcome: .refused(["\"s\"", "line 2", "data.header=2"])),
    .table(
      "a line of units, said", "time,temp\ns,°C\n" + lines { "\($0),\($0)" }, "data.header=2",
      outcome: .read(.init(count: 10, columns: ["time s", "temp °C"]))),
    .table(
      "three lines of names, as some exports of prices have",
      "Price,Close,Close\nTicker,A,B\nDate,,\n"
        + lines { "\($0),1,2" }, "data.header=3",
      outcome: .read(.init(count: 10, columns: ["Price Ticker Date", "Close A", "Close B"]))),
    .table(
      "the header again in the middle", "v\n" + lines(5) { "\($0)" } + "v\n" + lines(5) { "\($0)" },
      outcome: .refused(["header repeated", "line 7"])),
    .table(
      "a header behind #", "# a b\n" + lines { "\($0) 1" }, file: "t.txt",
      outcome: .read(.init(told: ["behind #", "blanks stand between"], columns: ["a", "b"]))),
    .table(
      "comments before the header", "# made by hand\n#\na,b\n" + lines { "\($0),1" },
      outcome: .read(.init(told: ["comment is passed over", "t.csv, line 1"], count: 10, columns: ["a", "b"]))),
    .table(
      "comments between rows", "a,b\n" + lines(5) { "\($0),1" } + "# pause\n" + lines(5) { "\($0),1" },
      outcome: .refused(["ragged table", "data.comment"])),
    .table(
      "comments between rows, said", "a,b\n" + lines(5) { "\($0),1" } + "# pause\n" + lines(5) { "\($0),1" },
      "data.comment=#", outcome: .read(.init(told: ["comment is passed over", "line 7"], count: 10))),
    .table(
      "a name with a comma", "\"Close, USD\",b\n" + lines { "\($0),1" }, "data.columns=Close, USD",
      outcome: .refused(["expected one \"Close\"", "double quotes", "Close, USD"])),
    .table(
      "a name with a comma, in quotes", "\"Close, USD\",b\n" + lines { "\($0),1" }, "data.columns=\"Close, USD\",b",
      outcome: .read(.init(columns: ["Close, USD", "b"]))),
    .table(
      "a list of columns with an open quote", "a,b\n" + lines { "\($0),1" }, "data.columns=\"a,b",
      outcome: .refused(["data.columns", "double quotes"], exit: .badConfiguration)),
    .table(
      "a name in other capitals", "Price,b\n" + lines { "\($0),1" }, "data.columns=price",
      outcome: .refused(["missing column", "capitals count"])),
    .table(
      "a name in another normal form", "cafe\u{301},b\n" + lines { "\($0),1" }, "data.columns=caf\u{E9}",
      outcome: .refused(["normal form"])),
  ]

  // MARK: Separators

  private static let separators: [FieldCase] = [
    .table(
      "tabs by the name, in capitals", "a\tb\n" + lines { "\($0)\t1" }, file: "t.TSV",
      outcome: .read(.init(columns: ["a", "b"]))),
    .table(
      "semicolons", "a;b\n" + lines { "\($0);1" },
      outcome: .read(.init(told: ["semicolons stand between the fields"], count: 10, columns: ["a", "b"]))),
    .table(
      "bars", "a|b\n" + lines { "\($0)|1" }, outcome: .read(.init(told: ["bars stand between"], columns: ["a", "b"]))),
    .table(
      "tabs in a .csv", "a\tb\n" + lines { "\($0)\t1" },
      outcome: .read(.init(told: ["tabs stand between"], columns: ["a", "b"]))),
    .table(
      "blanks", "a  b\n" + lines { " \($0)    1 " }, file: "t.txt",
      outcome: .read(.init(told: ["blanks stand between"], count: 10, columns: ["a", "b"]))),
    .table(
      "a line sep=", "sep=;\na;b\n" + lines { "\($0);1" },
      outcome: .read(.init(told: ["\"sep=\" is passed over"], count: 10, columns: ["a", "b"]))),
    .table(
      "a separator that is said", "a;b,c\n" + lines { "\($0);1,5" }, "data.separator=semicolon", "data.columns=a",
      outcome: .read(.init(columns: ["a"]))),
    .table(
      "fields that differ in number by every separator", "a;b\n1;2\n3\n4;5;6\n",
      outcome: .refused(["not a number", "data.separator=semicolon"])),
    .table(
      "a ragged row", "a,b\n1,2\n3\n4,5\n", outcome: .refused(["ragged table", "expected 2 fields, got 1", "line 3"])),
    .table(
      "a sum at the end", "a,b\n" + lines { "\($0),1" } + "total\n",
      outcome: .refused(["ragged table", "line 12", "data.footer=1"])),
    .table(
      "sums and a source at the end", "n,sales\n" + lines { "\($0),\($0)" } + "Sum,45\nMean,4.5\n",
      "data.columns=sales",
      outcome: .read(.init(told: ["2 rows at the end begin otherwise", "line 12", "data.footer=2"], count: 12))),
    .table(
      "sums at the end that are no numbers", "n,sales\n" + lines { "\($0),\($0)" } + "Sum,45\nSource: Office,\n",
      outcome: .refused(["\"Sum\"", "data.footer=2"])),
    .table(
      "a sum at the end, said", "a,b\n" + lines { "\($0),1" } + "total\n", "data.footer=1",
      outcome: .read(.init(told: ["1 row at the end passed over"], count: 10, mean: [3.5, 1]))),
    .table(
      "quotes in a .tsv that a program wrote", "\"a b\"\tc\n" + lines { "\"\($0)\"\t1" }, file: "t.tsv",
      outcome: .read(.init(told: ["in double quotes"], columns: ["a b", "c"]))),
    .table(
      "line ends of carriage returns alone", "a,b\r1,2\r3,4\r", outcome: .refused(["carriage return", "tr "])),
    .table(
      "line ends CRLF and a byte order mark", "\u{FEFF}a,b\r\n" + lines { "\($0),1\r" },
      outcome: .read(.init(count: 10, columns: ["a", "b"]))),
  ]

  // MARK: Numbers

  private static let numbers: [FieldCase] = [
    .table(
      "a meter that counts far from zero", "kwh\n" + lines(100) { "\(123_456_789.0 + 0.5 * Double($0))" },
      outcome: .read(.init(mean: [123_456_808.75]))),
    .table(
      "seconds since 1970", "ts\n" + lines(100) { "\(1_700_000_000 + 60 * $0)" },
      outcome: .read(.init(mean: [1_700_002_370]))),
    .table(
      "neighbours that a Float cannot tell apart", "v\n0\n1e9\n" + lines { "\($0)" },
      outcome: .read(.init(told: ["less than a normalized Float can say", "take differences"]))),
    .table(
      "a comma before fractions", "a;b\n" + lines { "\($0),5;1" },
      outcome: .read(.init(told: ["behind a comma", "semicolons"], columns: ["a", "b"], mean: [4, 1]))),
    .table(
      "a comma that may stand between thousands", "a;b\n" + lines { "1,23\($0);1" },
      outcome: .refused(["\"1,230\"", "data.thousands=comma it is 1230.0", "data.decimal=comma 1.23"])),
    .table(
      "thousands, said", "a;b\n" + lines { "1,23\($0).5;1" }, "data.thousands=comma",
      outcome: .read(.init(told: ["semicolons"], mean: [1234, 1]))),
    .table(
      "thousands in quotes between commas", "a,b\n" + lines { "\"1,23\($0)\",1" }, "data.thousands=comma",
      outcome: .read(.init(mean: [1233.5, 1]))),
    .table(
      "points between thousands", "a;b\n" + lines { "1.234.56\($0),5;1" }, "data.thousands=point",
      outcome: .read(.init(told: ["semicolons"], mean: [1_234_564, 1]))),
    .table(
      "points between thousands, not said", "a;b\n" + lines { "1.234.56\($0),5;1" },
      outcome: .refused(["data.thousands=point", "data.decimal=comma", "1234560.5"])),
    .table(
      "points that may stand between thousands", "a;b\n" + lines { "1.23\($0);1" },
      outcome: .refused(["\"1.230\"", "data.thousands=point", "data.decimal=point"])),
    .table(
      "points before three digits between commas", "a,b\n" + lines { "1.23\($0),1" },
      outcome: .read(.init(columns: ["a", "b"]))),
    .table(
      "points before three digits, said", "a;b\n" + lines { "1.23\($0);1" }, "data.decimal=point",
      outcome: .read(.init(told: ["semicolons"], columns: ["a", "b"]))),
    .table(
      "commas before fractions and points between thousands", "a;b\n" + lines { "1.23\($0);0,5" },
      outcome: .refused(["\"1.230\"", "data.thousands=point"])),
    .table(
      "spaces that do not break between thousands", "a;b\n" + lines { "1\u{202F}23\($0),5;1" }, "data.thousands=blank",
      "data.decimal=comma", outcome: .read(.init(told: ["semicolons"], mean: [1234, 1]))),
    .table(
      "a large offset", "a\n" + lines { "\(10_000_000_000_000 + $0)" },
      outcome: .read(.init(mean: [10_000_000_000_003.5], deviation: [2.29128784747792]))),
    .table("a constant", "a\n" + lines { _ in "0.1" }, outcome: .read(.init(deviation: [1]))),
    .table(
      "the errors of spreadsheets", "a,b\n" + lines { "1,\($0 == 3 ? "#N/A" : "\($0)")" }, "data.missing=previous",
      outcome: .read(.init(told: ["1 missing value filled"], count: 10))),
    .table(
      "a text for no value", "a,b\n" + lines(20) { "1,\($0 == 3 ? "ERR" : "\($0)")" },
      outcome: .refused(["\"ERR\"", "data.holes='ERR'"])),
    .table(
      "texts and numbers for no value, said", "a,b\n" + lines { "1,\($0 == 3 ? "ERR" : $0 == 4 ? "-999" : "\($0)")" },
      "data.holes=ERR|-999", "data.missing=previous",
      outcome: .read(.init(told: ["2 missing values filled"], count: 10))),
    .table(
      "apostrophes between thousands", "a\n" + lines { "1'23\($0)" }, "data.thousands=apostrophe",
      outcome: .read(.init(mean: [1233.5]))),
    .table("a percentage", "a,b\n" + lines { "\($0) %,1" }, outcome: .refused(["not a number", "\"0 %\""])),
    .table(
      "a column of texts", "day,v\n" + lines { "x,\($0)" }, outcome: .refused(["not a number", "data.columns"])),
    .table(
      "a column of dates", "day,v\n" + lines { "2016-01-0\($0 + 1),\($0)" }.replacing("010", with: "10"),
      outcome: .refused(["looks like a date", "day:year"])),
    .table(
      "holes", "v,w\n" + lines { "\($0 == 3 ? "None" : "\($0)"),1" }, outcome: .refused(["missing value", "line 5"])),
    .table(
      "a season longer than the table", "v\n" + lines { "\($0)" }, "data.season=100",
      outcome: .read(.init(told: ["data.season", "10 rows"]))),
  ]

  // MARK: Rows

  private static let rows: [FieldCase] = [
    .table(
      "blank lines in a table of one column", "flow\n" + lines { $0 == 3 ? "" : "\($0)" },
      outcome: .refused(["missing value", "line 5"])),
    .table(
      "blank lines in a table of one column, filled", "flow\n" + lines { $0 == 3 ? "" : "\($0)" },
      "data.missing=previous", outcome: .read(.init(told: ["filled"], count: 10))),
    .table(
      "rows before the first value", "v\n\n\n" + lines(8) { "\($0)" }, "data.missing=previous",
      outcome: .read(.init(told: ["before the first value", "line 2"], count: 8))),
    .table(
      "blank lines in a table of two columns", "a,b\n" + lines { "\($0),1\n" },
      outcome: .read(.init(told: ["line without any character", "line 3"], count: 10))),
    .table(
      "blank lines at the end", "v\n" + lines { "\($0)" } + "\n\n",
      outcome: .read(.init(told: ["line without any character"], count: 10))),
  ]

  // MARK: Dates

  private static let dates: [FieldCase] = [
    .table(
      "the newest row first", "Date,Price\n" + lines(9) { "20\(19 - $0)-01-01,\($0)" }, "data.columns=Price",
      outcome: .read(.init(told: ["newest row comes first", "\"2019-01-01\"", "oldest first"]))),
    .table(
      "the newest row first, day before month", "Date,Price\n" + lines(9) { "31.01.20\(19 - $0),\($0)" },
      "data.columns=Price", outcome: .read(.init(told: ["newest row comes first"]))),
    .table(
      "rows in no order", "Date,v\n" + lines(9) { "2019-01-0\(($0 * 4) % 9 + 1),\($0)" }, "data.columns=v",
      outcome: .read(.init(told: ["older than the one before"]))),
    .table(
      "a date twice", "Date,v\n" + lines(9) { "2019-01-0\($0 / 2 + 1),\($0)" }, "data.columns=v",
      outcome: .read(.init(told: ["has the date of the one before", "several series"]))),
    .table(
      "a gap", "Date,v\n" + lines(9) { "2019-01-\($0 < 5 ? "0" : "1")\($0 % 5 + 1),\($0)" }, "data.columns=v",
      outcome: .read(.init(told: ["1 gap", "1 day apart, there 6 days", "line 7"]))),
    .table(
      "hours in order", "t,v\n" + lines { "2019-01-01 0\($0):00:00,\($0)" }, "data.columns=v,t:hour",
      outcome: .read(.init(columns: ["v", "t:sin-hour", "t:cos-hour"]))),
    .table(
      "hours before and after noon",
      "t,v\n" + ["12:30 AM", "6:30 AM", "12:30 PM", "6:30 PM"].map { "2024-01-01 \($0),1\n" }.joined()
        + lines(6) { "2024-01-02 0\($0):30 AM,1" }, "data.columns=v", outcome: .read(.init())),
    .table(
      "parts of seconds", "t,v\n" + lines { "2024-01-01 00:00:00.\($0),1" }, "data.columns=v", outcome: .read(.init())),
    .table(
      "an hour that comes twice, with its zone",
      "t,v\n" + lines(9) { "2024-10-27T0\($0 < 3 ? $0 : $0 - 1):00:00+0\($0 < 3 ? 2 : 1):00,1" },
      "data.columns=v", outcome: .read(.init())),
    .table(
      "an hour of dates without a time", "t,v\n" + lines(9) { "2019-01-0\($0 + 1),\($0)" }, "data.columns=v,t:hour",
      outcome: .refused(["a date with a time"])),
    .table(
      "weekdays and months", "t,v\n" + lines(9) { "2019-01-0\($0 + 1),\($0)" }, "data.columns=v,t:weekday,t:month",
      outcome: .read(
        .init(columns: ["v", "t:sin-weekday", "t:cos-weekday", "t:sin-month", "t:cos-month"]))),
  ]
}
