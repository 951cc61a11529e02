// What the sink says to a server, without one: names, quotes, values, statements.
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <limits>

#include "flott/base/tests/error_text.h"
#include "flott/connectors/postgres/postgres_sink.h"

namespace flott::postgres_names_test {
namespace {

enum class Color : uint8_t { kRed = 3 };
using UserId = Strong<struct UserIdTag, int64_t>;

TEST(PostgresNames, TellWhatAnAttemptLeft) {
  const PostgresTransactionName name{"5f2c91d04a11", 2, CheckpointId(41), 7};
  EXPECT_EQ(name.text(), "flott-5f2c91d04a11-2-41-7");
  const auto parsed = PostgresTransactionName::parse(name.text(), "5f2c91d04a11");
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->subtask, 2);
  EXPECT_EQ(parsed->epoch, CheckpointId(41));
  EXPECT_EQ(parsed->number, 7u);
  for (const char* other :
       {"flott-5f2c91d04a12-2-41-7", "flott-5f2c91d04a11-2-41", "flott-5f2c91d04a11-2-41-",
        "flott-5f2c91d04a11-x-41-7", "flott-5f2c91d04a11--1-41-7", "flott-5f2c91d04a11-2-41-7x",
        "flott-5f2c91d04a11", "5f2c91d04a11-2-41-7"}) {
    EXPECT_FALSE(PostgresTransactionName::parse(other, "5f2c91d04a11")) << other;
  }
  const PostgresSessionName session{"5f2c91d04a11", 12, "9c0f3e00"};
  EXPECT_EQ(session.text(), "flott-5f2c91d04a11-12-9c0f3e00");
  EXPECT_EQ(PostgresSessionName::parse(session.text(), "5f2c91d04a11")->subtask, 12);
  EXPECT_EQ(PostgresSessionName::parse(session.text(), "5f2c91d04a11")->mark, "9c0f3e00");
  EXPECT_FALSE(PostgresSessionName::parse("flott commits", "5f2c91d04a11"));
  EXPECT_LE((PostgresSessionName{"5f2c91d04a11", 32767, "9c0f3e00"}.text().size()), 63u)
      << "the server cuts names";
  EXPECT_EQ(postgresNamesLike("5f2c91d04a11"), "flott-5f2c91d04a11-%");
}

TEST(PostgresNames, MarksDifferByAttempt) {
  OperatorInfo info{.jobName = "job", .name = "sink", .uid = {}, .id = {}, .subtask = {}};
  info.jobId = "a";
  const std::string first = postgresMark(info);
  EXPECT_EQ(first.size(), 8u);
  info.attempt = 1;
  EXPECT_NE(postgresMark(info), first);
  info.attempt = 0;
  info.jobId = "b";
  EXPECT_NE(postgresMark(info), first);
}

TEST(PostgresNames, AreQuoted) {
  EXPECT_EQ(quotedIdentifier("order"), "\"order\"");
  EXPECT_EQ(quotedIdentifier("a\"b; DROP TABLE x"), "\"a\"\"b; DROP TABLE x\"");
  EXPECT_EQ(quotedText("it's"), "'it''s'");
}

std::shared_ptr<const std::vector<std::string>> names(std::vector<std::string> of) {
  return std::make_shared<const std::vector<std::string>>(std::move(of));
}

template <typename T>
std::string textOf(const T& value) {
  PostgresRows rows(names({"c"}));
  rows.row().add(value);
  rows.endRow();
  const auto text = rows.value(0, 0);
  return text ? std::string(*text) : "NULL";
}

TEST(PostgresRows, ValuesAreTextThatTheServerReads) {
  EXPECT_EQ(textOf(int64_t{std::numeric_limits<int64_t>::min()}), "-9223372036854775808");
  EXPECT_EQ(textOf(std::numeric_limits<uint64_t>::max()), "18446744073709551615");
  EXPECT_EQ(textOf(int8_t{-1}), "-1");
  EXPECT_EQ(textOf(uint8_t{200}), "200");
  EXPECT_EQ(textOf(true), "t");
  EXPECT_EQ(textOf(false), "f");
  EXPECT_EQ(textOf(0.1), "0.1");
  EXPECT_EQ(textOf(0.1f), "0.1");
  EXPECT_EQ(textOf(1e300), "1e+300");
  EXPECT_EQ(textOf(-std::numeric_limits<double>::infinity()), "-Infinity");
  EXPECT_EQ(textOf(std::nan("")), "NaN");
  EXPECT_EQ(textOf(std::string("a,b")), "a,b");
  EXPECT_EQ(textOf(std::optional<int>()), "NULL");
  EXPECT_EQ(textOf(std::optional<int>(7)), "7");
  EXPECT_EQ(textOf(Color::kRed), "3");
  EXPECT_EQ(textOf(UserId(9)), "9");
  EXPECT_EQ(textOf(std::vector<uint8_t>{0, 16, 255}), "\\x0010ff");
  EXPECT_EQ(textOf(std::vector<uint8_t>{}), "\\x");
}

TEST(PostgresRows, TimesAreUtcToTheMicrosecond) {
  using namespace std::chrono;
  EXPECT_EQ(textOf(Timestamp(0)), "1970-01-01 00:00:00.000000+00");
  EXPECT_EQ(textOf(Timestamp(1'709'164'799'999)), "2024-02-28 23:59:59.999000+00");
  EXPECT_EQ(textOf(Timestamp(1'709'164'800'000)), "2024-02-29 00:00:00.000000+00");
  EXPECT_EQ(textOf(Timestamp(-1)), "1969-12-31 23:59:59.999000+00");
  EXPECT_EQ(textOf(Timestamp(-62'135'596'800'000)), "0001-01-01 00:00:00.000000+00");
  EXPECT_EQ(textOf(Timestamp(-62'135'596'800'001)), "0001-12-31 23:59:59.999000+00 BC");
  EXPECT_EQ(textOf(Timestamp(253'402'300'800'000)), "10000-01-01 00:00:00.000000+00");
  EXPECT_EQ(textOf(Timestamp::min()), "-infinity");
  EXPECT_EQ(textOf(Timestamp::max()), "infinity");
  EXPECT_EQ(textOf(system_clock::time_point(nanoseconds(1'999))), "1970-01-01 00:00:00.000001+00");
  EXPECT_EQ(textOf(system_clock::time_point(nanoseconds(-1))), "1969-12-31 23:59:59.999999+00");
  EXPECT_EQ(textOf(time_point<system_clock, hours>(hours(25))), "1970-01-02 01:00:00.000000+00");
}

PostgresRows threeRows() {
  PostgresRows rows(names({"id", "name"}));
  for (const char* name : {"plain", "\"quoted\", \\ {}", "NULL"}) {
    rows.row().add(rows.size() < 2 ? 1 : 2).add(name);
    rows.endRow();
  }
  rows.row().add(1).addNull();
  rows.endRow();
  return rows;
}

TEST(PostgresRows, BecomeArrays) {
  const PostgresRows rows = threeRows();
  EXPECT_EQ(rows.array(0, rows.allRows()), R"({"1","1","2","1"})");
  EXPECT_EQ(rows.array(1, rows.allRows()), R"({"plain","\"quoted\", \\ {}","NULL",NULL})");
  EXPECT_EQ(rows.array(1, {}), "{}");
  EXPECT_EQ(rows.lastOfEach({0}), (std::vector<size_t>{2, 3}));
  EXPECT_EQ(rows.lastOfEach({0, 1}), (std::vector<size_t>{0, 1, 2, 3}));
  EXPECT_EQ(rows.describe(1), R"(id="1", name="\"quoted\", \\ {}")");
  EXPECT_EQ(rows.describe(3), R"(id="1", name=NULL)");
}

TEST(PostgresRows, LongValuesAreCutInMessages) {
  const std::string many(79, 'x');
  std::string expected = "t=\"";
  expected.append(many).append("…\"");
  PostgresRows rows(names({"t"}));
  rows.row().add(many + "äöü");
  rows.endRow();
  EXPECT_EQ(rows.describe(0), expected) << "not in the middle of a character";
}

TEST(PostgresRows, RefuseWhatIsNoRow) {
  PostgresRows rows(names({"id", "name"}));
  EXPECT_EQ(
      errorText([&] { rows.row().add(1).add(std::string_view("a\0b", 3)); }),
      "the value of column 'name' has a zero byte, which no text in PostgreSQL can hold: remove it, or write "
      "bytes (std::vector<uint8_t>) into a column of type bytea");
  EXPECT_EQ(errorText([&] { rows.endRow(); }),
            "the row has 1 values, and the sink has 2 columns (id, name): add() one for each, addNull() "
            "where there "
            "is none");
}

TEST(PostgresTable, HasOneStatement) {
  PostgresTable table{
      .name = "sales.orders", .columns = {{"id", "bigint"}, {"Na\"me", "character varying"}}, .keys = {}};
  EXPECT_EQ(
      table.insertStatement(),
      "INSERT INTO sales.orders (\"id\", \"Na\"\"me\") SELECT * FROM unnest($1::bigint[], $2::character "
      "varying[])");
  table.keys = {0};
  EXPECT_EQ(
      table.insertStatement(),
      "INSERT INTO sales.orders (\"id\", \"Na\"\"me\") SELECT * FROM unnest($1::bigint[], $2::character "
      "varying[]) ON CONFLICT (\"id\") DO UPDATE SET \"Na\"\"me\" = EXCLUDED.\"Na\"\"me\"");
  table.keys = {0, 1};
  EXPECT_NE(table.insertStatement().find(" ON CONFLICT (\"id\", \"Na\"\"me\") DO NOTHING"),
            std::string::npos);
}

TEST(PostgresProblem, SaysWhetherItMayPass) {
  const auto problem = [](const char* state) { return PostgresProblem{.state = state, .message = "m"}; };
  for (const char* state :
       {"", "08006", "40P01", "40001", "53300", "53200", "57P01", "57P03", "57014", "25006", "55P03"}) {
    EXPECT_EQ(PostgresError(problem(state)).kind(), ErrorKind::kTransient) << state;
  }
  for (const char* state : {"23505", "22003", "42P01", "42501", "28P01", "3D000", "21000"}) {
    EXPECT_EQ(PostgresError(problem(state)).kind(), ErrorKind::kUser) << state;
  }
  EXPECT_EQ((PostgresProblem{.state = "23505", .message = "m", .detail = "d", .hint = "h"}).text(),
            "m (d; h; SQLSTATE 23505)");
  EXPECT_EQ((PostgresProblem{.state = "", .message = "m"}).text(), "m");
}

struct Order {
  int64_t id = 0;
  std::string item;
};

TEST(PostgresSinkOptions, ThatMakeNoSenseAreRefused) {
  using Sink = PostgresSink<Order>;
  const std::string at = "host=db port=6543 dbname=shop password=secret";
  const std::string sink = "the sink for table 'orders' in PostgreSQL (db:6543/shop) ";
  const auto orders = Sink::insert(at, "orders");
  EXPECT_EQ(
      errorText([] { Sink::insert("hots=db password=secret", "orders"); }),
      "the connection string for PostgreSQL cannot be read: invalid connection option \"hots\". Write it as "
      "\"host=localhost dbname=shop user=flott\" or \"postgresql://flott@localhost/shop\"");
  EXPECT_EQ(
      errorText([&] { Sink::insert(at, ""); }),
      "the sink for table '' in PostgreSQL (db:6543/shop) has no table: name the one that its rows go to");
  EXPECT_EQ(errorText([&] { Sink::upsert(at, "orders", {}); }),
            "the sink for table 'orders' upserts without keys: name the columns that tell its rows apart");
  EXPECT_EQ(
      errorText(
          [&] { Sink::upsert(at, "orders", {"id"}).withDeliveryGuarantee(DeliveryGuarantee::kExactlyOnce); }),
      sink +
          "upserts, and needs no transactions for that, since a row that is written again changes nothing: "
          "leave the guarantee out, or insert");
  EXPECT_EQ(errorText([&] { orders.withBatching({.rows = 0}); }),
            sink + "sends batches of nothing: give it rows and a size");
  EXPECT_EQ(errorText([&] { orders.withBatching({.interval = Duration()}); }),
            sink + "sends after no time: give a longer interval");
  EXPECT_EQ(errorText([&] { orders.withBatching({.queued = 0}); }),
            sink + "lets no batch wait: raise queued");
  EXPECT_EQ(errorText([&] { orders.withRetries({.retries = -1}); }),
            sink + "has less than no retries: give 0 or more");
  EXPECT_EQ(errorText([&] { orders.withRetries({.firstPause = Duration()}); }),
            sink + "tries again after no pause: give a longer firstPause");
  EXPECT_EQ(errorText([&] { orders.withColumnName("itme", "name"); }),
            sink + "has no column 'itme' to rename: did you mean 'item'?");
  const auto fill = [](const Order& order, PostgresRow& row) { row.add(order.id); };
  EXPECT_EQ(errorText([&] { orders.withColumns({}, fill); }),
            sink + "has no columns: name those that its rows have values for");
  EXPECT_EQ(errorText([&] {
              orders.withColumns({"id", "id"}, fill);
            }),
            sink + "has the column 'id' twice: name each once");
  EXPECT_EQ(errorText([&] { Sink::upsert(at, "orders", {"ip"}).withColumns({"id"}, fill); }),
            sink + "has the key 'ip', which is none of its columns: did you mean 'id'?");
}

}  // namespace
}  // namespace flott::postgres_names_test
