#include "flott/formats/csv.h"

#include <gtest/gtest.h>

#include <optional>

#include "flott/formats/tests/decode_all.h"

namespace flott {
namespace {

enum class Side : uint8_t { kBuy, kSell };

struct Order {
  int64_t id;
  std::string item;
  double price;
};

struct Everything {
  bool flag;
  int8_t tiny;
  uint16_t small;
  float ratio;
  Side side;
  SubtaskIndex subtask;
  Timestamp at;
  std::optional<int32_t> count;
  std::optional<std::string> note;
};

using Texts = std::vector<std::string>;

template <typename T>
Texts read(const CsvOptions& options, std::string_view text) {
  const auto format = csvFormat<T>(options);
  const Texts whole = decodeAll(*format, text).records;
  for (size_t block = 1; block < 20; ++block)
    EXPECT_EQ(decodeAll(*format, text, block).records, whole) << block;
  return whole;
}

// Text of the one bad record.
template <typename T = Order>
std::string problem(const CsvOptions& options, std::string_view text) {
  const auto format = csvFormat<T>(options);
  std::string first;
  for (size_t block = 1; block < 40; ++block) {
    const DecodedText decoded = decodeAll(*format, text, block, "orders.csv");
    EXPECT_EQ(decoded.bad.size(), 1u);
    if (decoded.bad.size() != 1) return "";
    if (block == 1) first = toString(decoded.bad[0]);
    EXPECT_EQ(toString(decoded.bad[0]), first);
  }
  return first;
}

template <typename T>
std::string errorOf(const CsvOptions& options, std::string_view text) {
  try {
    decodeAll(*csvFormat<T>(options), text, SIZE_MAX, "orders.csv");
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUser);
    return error.what();
  }
  return "no error";
}

TEST(CsvTest, FieldsInTheirOrder) {
  EXPECT_EQ(read<Order>({}, "1,apple,2.5\n-2,,-1e3\r\n3,pear,0"),
            (Texts{R"({id: 1, item: "apple", price: 2.5})", R"({id: -2, item: "", price: -1000})",
                   R"({id: 3, item: "pear", price: 0})"}));
}

TEST(CsvTest, EveryKindOfField) {
  EXPECT_EQ(read<Everything>({.delimiter = ';'},
                             "true;-128;65535;0.5;1;7;2026-01-31T12:00:00.5Z;;\n"
                             "FALSE;127;0;nan;0;-1;-1;-5;\"\"\n"),
            (Texts{"{flag: true, tiny: -128, small: 65535, ratio: 0.5, side: 1, subtask: 7, at: "
                   "2026-01-31T12:00:00.500Z, count: null, note: null}",
                   "{flag: false, tiny: 127, small: 0, ratio: nan, side: 0, subtask: -1, at: "
                   "1969-12-31T23:59:59.999Z, count: -5, note: \"\"}"}));
}

TEST(CsvTest, Quotes) {
  EXPECT_EQ(read<Order>({}, "1,\"a,b\",2\n\"2\",\"say \"\"hi\"\"\",3\r\n3,5\" disk,4\n4,\"\",\"5\"\n"),
            (Texts{R"({id: 1, item: "a,b", price: 2})", R"({id: 2, item: "say \"hi\"", price: 3})",
                   R"({id: 3, item: "5\" disk", price: 4})", R"({id: 4, item: "", price: 5})"}));
}

TEST(CsvTest, Escapes) {
  EXPECT_EQ(read<Order>({.escape = '\\'}, "1,a\\,b,2\n2,\"x\\\"y\",3\n"),
            (Texts{R"({id: 1, item: "a,b", price: 2})", R"({id: 2, item: "x\"y", price: 3})"}));
}

TEST(CsvTest, QuotedNewlines) {
  EXPECT_EQ(read<Order>({.quotedNewlines = true}, "1,\"a\nb\r\nc\",2\n2,\"\n\",3"),
            (Texts{R"({id: 1, item: "a\nb\u000d\nc", price: 2})", R"({id: 2, item: "\n", price: 3})"}));
  EXPECT_FALSE(csvFormat<Order>({.quotedNewlines = true})->splittable());
  EXPECT_TRUE(csvFormat<Order>()->splittable());
}

TEST(CsvTest, CommentsBlankLinesAndTrimming) {
  EXPECT_EQ(
      read<Order>({.comment = '#', .trim = true}, "# no\n\n  1 ,\t\"x \" , 2\n\r\n#\n3,  y z , 4 \n# end"),
      (Texts{R"({id: 1, item: "x ", price: 2})", R"({id: 3, item: "y z", price: 4})"}));
}

struct Sparse {
  std::optional<int> count;
  std::optional<std::string> note;
};

TEST(CsvTest, NullText) {
  EXPECT_EQ(read<Sparse>({.nullText = "NULL"}, "NULL,NULL\n1,\"NULL\"\n2,\n"),
            (Texts{"{count: null, note: null}", "{count: 1, note: \"NULL\"}", "{count: 2, note: \"\"}"}));
  EXPECT_EQ(problem<Sparse>({.nullText = "NULL"}, ",x\n"),
            "orders.csv, line 1, column 1 ('count'): '' is empty, where a number is needed");
}

TEST(CsvTest, Tuples) {
  EXPECT_EQ((read<std::pair<std::string, int>>({}, "a,1\nb,2\n")), (Texts{R"(("a", 1))", R"(("b", 2))"}));
  EXPECT_EQ((problem<std::pair<std::string, int>>({}, "a,b\n")),
            "orders.csv, line 1, column 2 ('f1'): 'b' is not a number");
}

TEST(CsvTest, HeaderNamesTheFields) {
  const CsvOptions options{.comment = '#', .header = true};
  EXPECT_EQ(read<Order>(options, "\xEF\xBB\xBF# shop\nprice,\"id\",more,item\n2,1,x,apple\n"),
            (Texts{R"({id: 1, item: "apple", price: 2})"}));
  EXPECT_EQ(read<Order>(options, "id,item,price"), Texts{});
  EXPECT_EQ(read<Order>(options, ""), Texts{});
  EXPECT_EQ(
      errorOf<Order>(options, "id,item,prise\n1,a,2\n"),
      "orders.csv, header: there is no column 'price'; did you mean 'prise'? The columns are: id, item, "
      "prise");
  EXPECT_EQ(errorOf<Order>(options, "id,item,price,id\n"),
            "orders.csv, header: two columns are named 'id': rename one of them");
}

TEST(CsvTest, BadValuesNameTheirPlace) {
  EXPECT_EQ(problem({}, "1,a,2\n2,b,abc\n"), "orders.csv, line 2, column 3 ('price'): 'abc' is not a number");
  EXPECT_EQ(problem({}, "1.5,a,2\n"), "orders.csv, line 1, column 1 ('id'): '1.5' is not a whole number");
  EXPECT_EQ(problem({}, "1 ,a,2\n"), "orders.csv, line 1, column 1 ('id'): '1 ' is not a number");
  EXPECT_EQ(problem({}, "+1,a,2\n"), "orders.csv, line 1, column 1 ('id'): '+1' is not a number");
  EXPECT_EQ(problem({}, "\n\n9223372036854775808,a,2\n"),
            "orders.csv, line 3, column 1 ('id'): '9223372036854775808' is out of range for int64");
  EXPECT_EQ(problem({}, "1,a,\n"),
            "orders.csv, line 1, column 3 ('price'): '' is empty, where a number is needed");
  const auto everything = [](const std::string& line) { return problem<Everything>({}, line); };
  EXPECT_EQ(everything("yes,0,0,0,0,0,0,,"),
            "orders.csv, line 1, column 1 ('flag'): 'yes' is neither true nor false");
  EXPECT_EQ(everything("true,128,0,0,0,0,0,,"),
            "orders.csv, line 1, column 2 ('tiny'): '128' is out of range: int8 goes from -128 to 127");
  EXPECT_EQ(everything("true,0,-1,0,0,0,0,,"),
            "orders.csv, line 1, column 3 ('small'): '-1' is out of range: uint16 goes from 0 to 65535");
  EXPECT_EQ(
      everything("true,0,0,0,0,0,2026-02-29,,"),
      "orders.csv, line 1, column 7 ('at'): '2026-02-29' is not a time: write 2026-01-31T12:00:00.000Z, or "
      "milliseconds since 1970");
}

TEST(CsvTest, BadRecordsNameTheirLine) {
  EXPECT_EQ(problem({}, "1,a\n"), "orders.csv, line 1: '1,a' has 2 columns instead of 3");
  EXPECT_EQ(problem({}, "1,a,2,4\n"), "orders.csv, line 1: '1,a,2,4' has 4 columns instead of 3");
  EXPECT_EQ(
      problem({}, "1,\"a,2\n3,b,4\n"),
      "orders.csv, line 1, column 2 ('item'): '1,\"a,2' opens a quote that is not closed on its line; where "
      "values hold line feeds, set quotedNewlines");
  EXPECT_EQ(problem({}, "1,\"a\"b,2\n"),
            "orders.csv, line 1, column 2 ('item'): '1,\"a\"b,2' has text behind a closing quote");
  EXPECT_EQ(problem({.quotedNewlines = true}, "1,\"a\nb\",2\n2,\"a\n3,b,4\n"),
            "orders.csv, line 3, column 2 ('item'): '2,\"a\n3,b,4' opens a quote that is never closed");
  EXPECT_EQ(problem({}, std::string(100, 'x') + "\n"),
            "orders.csv, line 1: '" + std::string(80, 'x') + "…' has 1 column instead of 3");
}

TEST(CsvTest, PoliciesForBadRecords) {
  const std::string_view text = "1,a,2\nx\n2,b,3\ny,c,4\n3,d,5\n";
  const Texts good{R"({id: 1, item: "a", price: 2})", R"({id: 2, item: "b", price: 3})",
                   R"({id: 3, item: "d", price: 5})"};
  const DecodedText counted = decodeAll(*csvFormat<Order>({.badRecords = BadRecordPolicy::kCount}), text);
  EXPECT_EQ(counted.records, good);
  EXPECT_EQ(counted.rejected, 2u);
  EXPECT_TRUE(counted.bad.empty());
  const DecodedText aside = decodeAll(*csvFormat<Order>({.badRecords = BadRecordPolicy::kSideOutput}), text);
  EXPECT_EQ(aside.records, good);
  ASSERT_EQ(aside.bad.size(), 2u);
  EXPECT_EQ(aside.bad[1].line, 4);
  EXPECT_EQ(aside.bad[1].text, "y");
  const DecodedText failed = decodeAll(*csvFormat<Order>({}), text);
  EXPECT_EQ(failed.records, Texts{good[0]});
  EXPECT_EQ(failed.bad.size(), 1u);
}

TEST(CsvTest, OptionsThatContradictEachOther) {
  for (const CsvOptions& options :
       {CsvOptions{.delimiter = '"'}, CsvOptions{.escape = '"'}, CsvOptions{.delimiter = '\n'}}) {
    try {
      csvFormat<Order>(options);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_STREQ(
          error.what(),
          "CSV options: delimiter, quote, escape and comment must be different characters, and none a "
          "line feed (a doubled quote needs no escape)");
    }
  }
}

TEST(CsvTest, WhatIsWrittenIsReadAgain) {
  const std::vector<Everything> all = {
      {true, -1, 2, 0.1f, Side::kSell, SubtaskIndex(3), Timestamp(1'769'860'800'123), 4, "a,b"},
      {false, 1, 0, -2e30f, Side::kBuy, SubtaskIndex(0), Timestamp::min(), std::nullopt, "say \"hi\"\r\n"},
      {false, 1, 0, 3, Side::kBuy, SubtaskIndex(0), Timestamp::max(), 0, ""},
      {false, 1, 0, 3, Side::kBuy, SubtaskIndex(0), Timestamp(0), 0, std::nullopt},
      {false, 1, 0, 3, Side::kBuy, SubtaskIndex(0), Timestamp(0), 0, " #\\ "}};
  for (const char escape : {'\0', '\\'}) {
    for (const bool trim : {false, true}) {
      const CsvOptions options{
          .escape = escape, .comment = '#', .header = true, .quotedNewlines = true, .trim = trim};
      BatchPools pools;
      Batch batch = rowsPool<Everything>(pools).acquire();
      for (const Everything& row : all) batch.rows<Everything>().emplace(row);
      std::string text;
      const auto encoder = csvEncoder<Everything>(options);
      encoder->begin(text);
      encoder->encode(batch, text);
      EXPECT_TRUE(text.starts_with("flag,tiny,small,ratio,side,subtask,at,count,note\n")) << text;
      Texts printed;
      for (const Everything& row : all) printed.push_back(toText(row));
      EXPECT_EQ(read<Everything>(options, text), printed) << text;
    }
  }
}

struct Word {
  std::string word;
};

TEST(CsvTest, AnEmptyLineIsWrittenSoThatItIsRead) {
  BatchPools pools;
  Batch batch = rowsPool<Word>(pools).acquire();
  batch.rows<Word>().emplace("");
  std::string text;
  csvEncoder<Word>()->encode(batch, text);
  EXPECT_EQ(text, "\"\"\n");
  EXPECT_EQ(read<Word>({}, text), Texts{"{word: \"\"}"});
}

}  // namespace
}  // namespace flott
