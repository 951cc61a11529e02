// Listing, printing and comparing checkpoints.
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>

#include <array>
#include <set>
#include <variant>

#include "flott/base/tests/error_text.h"
#include "flott/data/arrow_status.h"
#include "flott/savepoints/comparison.h"
#include "flott/savepoints/operator_states.h"
#include "flott/savepoints/savepoint_writer.h"
#include "flott/savepoints/state_rows.h"
#include "flott/savepoints/summary.h"
#include "flott/savepoints/tests/written_checkpoint.h"

namespace flott {
namespace {

WordState someWords() {
  return {.counts = {{"to", 2}, {"be", 2}, {"or", 1}},
          .visits = {{"to", {{"/", 12, Timestamp(0)}, {"/a,b", std::nullopt, Timestamp(1)}}}},
          .shares = {{"be", {{"z", 0.5}, {"a", 0.25}}}},
          .seen = {{"to", Timestamp(5'000)}},
          .timers = {{"or", {Timestamp(10'000), Timestamp(20'000)}}},
          .slices = {{60'000, {{"to", 4}}}, {120'000, {{"be", 5}, {"to", 6}}}},
          .files = {"a", "b", "c"},
          .rules = {{"x", 1}, {"y", 2}}};
}

WordState manyWords(int64_t words) {
  WordState state;
  for (int64_t i = 0; i < words; ++i) {
    const std::string word = "word " + std::to_string(i);
    state.counts[word] = i;
    if (i % 3 == 0) state.slices[i % 5 * 1000][word] = i;
  }
  return state;
}

class StateTool : public testing::Test {
 protected:
  std::string write(const WordState& state, const Writing& how = {}) {
    return CheckpointWriterOfTests(sim).write(state, how);
  }
  CheckpointFiles open(const std::string& path) { return CheckpointFiles(sim.env(), {}, path); }

  std::string printed(const std::string& path, const std::string& state,
                      std::unique_ptr<RowFormat> (*format)(const StateRowType&, ByteOutput&) = jsonRows) {
    CheckpointFiles files = open(path);
    OperatorStates states(files, findOperator(files.metadata(), "word-count"));
    std::string text;
    ByteOutput output([&text](std::string_view bytes) { text += bytes; });
    for (const auto& rows : states.rows(state)) {
      const auto formatted = format(rows->type(), output);
      for (StateRow row; rows->next(row);) formatted->row(row);
      formatted->end();
    }
    return text;
  }

  std::string compared(const std::string& before, const std::string& after, bool same,
                       const ComparisonOptions& options = {}) {
    CheckpointFiles a = open(before), b = open(after);
    std::string text;
    ByteOutput output([&text](std::string_view bytes) { text += bytes; });
    EXPECT_EQ(compareCheckpoints(a, b, options, output), same) << text;
    return text;
  }

  SimulatedEnv sim{1};
};

TEST_F(StateTool, ListsWhatIsThere) {
  const std::string expected = R"(checkpoint 7 of job 'words', 2026-01-31T12:00:00.000Z
cp/chk-7: 2 operators, BYTES of state

source
  no uid, id 0000000000000001, parallelism 1, max parallelism 128, 1 subtask finished
  source enumerator      6 bytes

count
  uid 'word-count', id ID, parallelism 2, max parallelism 128
  count              value           3 keys   33 bytes  string -> int64
  seen               value, expires  1 key    12 bytes  string -> bool
  shares             map             1 key    24 bytes  string -> map<string, double>
  timers:event-time  timers          1 key    36 bytes  string -> list<struct{at: int64, nameSpace: int64}>
  visits             list            1 key    33 bytes  string -> list<struct{page: string, millis: optional<int32>, at: timestamp(ms)}>
  window-contents    window slices   3 keys   33 bytes  string -> int64
  files              list            3 items  6 bytes   string
  rules              broadcast map   2 items  20 bytes  map<string, int64>
)";
  CheckpointFiles files = open(write(someWords()));
  std::string text = toText(summarize(files));
  const size_t bytes = text.find("operators, ") + 11;
  text.replace(bytes, text.find(" of state") - bytes, "BYTES");
  const std::string id = toString(operatorIdOf("word-count"));
  text.replace(text.find(id), id.size(), "ID");
  EXPECT_EQ(text, expected);
}

TEST_F(StateTool, WhatWasOnItsWayIsNotState) {
  CheckpointFiles files = open(write(someWords()));
  const uint64_t before = summarize(files).bytes;
  files.metadata().channels.push_back(
      {.task = OperatorId(1), .subtask = 0, .elements = {.inlined = "0123456789", .length = 10}});
  const CheckpointSummary summary = summarize(files);
  EXPECT_EQ(summary.bytes, before);
  EXPECT_EQ(summary.inFlightBytes, 10u);
  EXPECT_NE(toText(summary).find(" of state, 10 bytes on their way between tasks\n"), std::string::npos)
      << toText(summary);
  EXPECT_NE(toJson(summary).find("\"inFlightBytes\": 10,\n"), std::string::npos) << toJson(summary);
}

TEST_F(StateTool, ListsAsJson) {
  WordState state;
  state.counts = {{"to", 2}};
  CheckpointFiles files = open(write(state, {.parallelism = 1}));
  const std::string text = toJson(summarize(files));
  EXPECT_EQ(text.find(R"({
  "kind": "checkpoint",
  "id": 7,
  "triggered": "2026-01-31T12:00:00.000Z",
  "job": "words",
  "folder": "cp/chk-7",
  "bytes": )"),
            0u)
      << text;
  EXPECT_NE(text.find(R"({"name": "count", "kind": "value", "key": "string", "type": "int64", "expires": )"
                      R"(false, "entries": 1, "bytes": 11})"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find(R"("enumeratorBytes": 6,
      "states": []})"),
            std::string::npos)
      << text;
}

TEST_F(StateTool, PrintsEachKindOfState) {
  const std::string path = write(someWords());
  const std::string begin = R"({"operator":"word-count","state":)";
  EXPECT_EQ(printed(path, "count"), begin + R"("count","key":"be","value":2})" + "\n" + begin +
                                        R"("count","key":"to","value":2})" + "\n" + begin +
                                        R"("count","key":"or","value":1})" + "\n");
  EXPECT_EQ(printed(path, "visits"),
            begin +
                R"("visits","key":"to","value":[{"page":"/","millis":12,"at":"1970-01-01T00:00:00.000Z"},)"
                R"({"page":"/a,b","millis":null,"at":"1970-01-01T00:00:00.001Z"}]})"
                "\n");
  EXPECT_EQ(printed(path, "shares"), begin + R"("shares","key":"be","value":{"z":0.5,"a":0.25}})" + "\n");
  EXPECT_EQ(printed(path, "seen"),
            begin + R"("seen","key":"to","value":true,"touched":"1970-01-01T00:00:05.000Z"})" + "\n");
  EXPECT_EQ(printed(path, "timers:event-time"),
            begin + R"("timers:event-time","key":"or","timers":[{"time":"1970-01-01T00:00:10.000Z","window":)"
                    R"(null},{"time":"1970-01-01T00:00:20.000Z","window":null}]})"
                    "\n");
  EXPECT_EQ(
      printed(path, "window-contents"),
      begin + R"("window-contents","key":"to","slice_end":"1970-01-01T00:01:00.000Z","value":4})" + "\n" +
          begin + R"("window-contents","key":"be","slice_end":"1970-01-01T00:02:00.000Z","value":5})" + "\n" +
          begin + R"("window-contents","key":"to","slice_end":"1970-01-01T00:02:00.000Z","value":6})" + "\n");
  EXPECT_EQ(printed(path, "files"), begin + R"("files","subtask":0,"value":"a"})" + "\n" + begin +
                                        R"("files","subtask":0,"value":"c"})" + "\n" + begin +
                                        R"("files","subtask":1,"value":"b"})" + "\n");
  EXPECT_EQ(printed(path, "rules"), begin + R"("rules","key":"x","value":1})" + "\n" + begin +
                                        R"("rules","key":"y","value":2})" + "\n");
}

TEST_F(StateTool, PrintsCsv) {
  const std::string path = write(someWords());
  EXPECT_EQ(printed(path, "count", csvRows), "key,value\nbe,2\nto,2\nor,1\n");
  EXPECT_EQ(printed(path, "seen", csvRows), "key,value,touched\nto,true,1970-01-01T00:00:05.000Z\n");
  EXPECT_EQ(printed(path, "window-contents", csvRows),
            "key,slice_end,value\nto,1970-01-01T00:01:00.000Z,4\nbe,1970-01-01T00:02:00.000Z,5\n"
            "to,1970-01-01T00:02:00.000Z,6\n");
  EXPECT_EQ(printed(path, "shares", csvRows), "key,value\nbe,\"{\"\"z\"\":0.5,\"\"a\"\":0.25}\"\n");
  EXPECT_EQ(printed(path, "files", csvRows), "subtask,value\n0,a\n0,c\n1,b\n");
}

std::string readParquet(const std::string& bytes) {
  std::unique_ptr<parquet::arrow::FileReader> reader;
  EXPECT_TRUE(bytes.starts_with("PAR1"));
  const auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes));
  reader = valueOf(parquet::arrow::OpenFile(file, arrow::default_memory_pool()), "test");
  const auto batches = valueOf(reader->GetRecordBatchReader(), "test");
  const auto table = valueOf(batches->ToTable(), "test");
  const auto rows = valueOf(table->CombineChunksToBatch(), "test");
  std::string text;
  for (int i = 0; i < rows->num_columns(); ++i) {
    const auto& field = rows->schema()->field(i);
    text += field->name() + ": " + field->type()->ToString() + " =";
    for (int64_t row = 0; row < rows->num_rows(); ++row)
      text += " " + valueOf(rows->column(i)->GetScalar(row), "test")->ToString();
    text += "\n";
  }
  return text;
}

/// One after the other.
void expectParts(const std::string& text, const std::vector<std::string>& parts) {
  size_t at = 0;
  for (const std::string& part : parts) {
    const size_t found = text.find(part, at);
    EXPECT_NE(found, std::string::npos) << part << " is not in the rest of\n" << text;
    if (found != std::string::npos) at = found + part.size();
  }
}

TEST_F(StateTool, WritesParquet) {
  const std::string path = write(someWords());
  EXPECT_EQ(readParquet(printed(path, "count", parquetRows)),
            "key: string = be to or\nvalue: int64 = 2 2 1\n");
  EXPECT_EQ(readParquet(printed(path, "window-contents", parquetRows)),
            "key: string = to be to\n"
            "slice_end: timestamp[ms, tz=UTC] = 1970-01-01 00:01:00.000Z 1970-01-01 00:02:00.000Z "
            "1970-01-01 00:02:00.000Z\n"
            "value: int64 = 4 5 6\n");
  EXPECT_EQ(readParquet(printed(path, "seen", parquetRows)),
            "key: string = to\nvalue: bool = true\ntouched: timestamp[ms, tz=UTC] = 1970-01-01 "
            "00:00:05.000Z\n");
  expectParts(readParquet(printed(path, "visits", parquetRows)),
              {"struct<page: string not null, millis: int32, at: timestamp[ms, tz=UTC]>",
               "{page:string = /, millis:int32 = 12, at:timestamp[ms, tz=UTC] = 1970-01-01 00:00:00.000Z}, "
               "{page:string = /a,b, millis:int32 = null, at:"});
  expectParts(readParquet(printed(path, "shares", parquetRows)),
              {"value: map<string, double",
               "[{key:string = z, value:double = 0.5}, {key:string = a, "
               "value:double = 0.25}]\n"});
  EXPECT_EQ(readParquet(printed(path, "files", parquetRows)),
            "subtask: uint32 = 0 0 1\nvalue: string = a c b\n");
}

struct Tree {
  int32_t value = 0;
  std::vector<Tree> children;
};
struct AllKinds {
  std::variant<int32_t, std::string> choice;
  Tree tree;
  std::optional<Visit> visit;
  std::pair<bool, uint8_t> pair;
  std::set<int16_t> set;
  std::array<float, 2> array{};
  std::map<int64_t, std::vector<std::string>> map;
  Duration took;
  Timestamp at;
  std::string text;
};

TEST_F(StateTool, WritesAnyTypeAsParquet) {
  StateRowType type{.valueName = "value", .value = describe<AllKinds>()};
  std::string file;
  ByteOutput output([&file](std::string_view bytes) { file += bytes; });
  const auto format = parquetRows(type, output);
  for (const AllKinds& value : {AllKinds{.choice = "x",
                               .tree = {1, {{2, {}}}},
                               .visit = Visit{"/", 7, Timestamp(0)},
                               .pair = {true, 9},
                               .set = {3, 1},
                               .array = {0.5f, 1},
                               .map = {{5, {"a", "b"}}},
                               .took = Duration(4),
                               .at = Timestamp(1),
                               .text = "\xff"},
                                AllKinds{}}) {
    std::string bytes;
    ByteWriter out(bytes);
    Codec<AllKinds>::encode(value, out);
    format->row({.value = bytes});
  }
  format->end();
  expectParts(readParquet(file),
              {R"({choice:string = {"alternative":1,"value":"x"}, tree:struct<)",
               "{value:int32 = 1, children:", R"([{"value":2,"children":[]}]}, visit:struct<)",
               "{page:string = /, millis:int32 = 7, at:", "{0:bool = true, 1:uint8 = 9}, set:",
               "[1, 3], array:", "[0.5, 1], map:", "[{key:int64 = 5, value:", "[a, b]}], took:int64 = 4, at:",
               "1970-01-01 00:00:00.001Z, text:string = \xef\xbf\xbd} ",
               R"({choice:string = {"alternative":0,"value":0}, tree:)",
               " = null, pair:", "[0, 0], map:", " = null, text:string = }"});
}

// More rows than are put together at once, and than a row group has.
TEST_F(StateTool, WritesParquetOfManyRows) {
  const std::string text = readParquet(printed(write(manyWords(70'000)), "count", parquetRows));
  EXPECT_EQ(std::count(text.begin(), text.end(), ' '), 4 + 3 * 70'000);
}

TEST_F(StateTool, TheOrderDoesNotDependOnParallelism) {
  const WordState state = manyWords(5000);
  std::vector<std::string> texts;
  for (const uint32_t parallelism : {1, 2, 7}) {
    const std::string path = write(state, {.id = parallelism, .parallelism = parallelism});
    texts.push_back(printed(path, "count") + printed(path, "window-contents"));
  }
  EXPECT_EQ(std::count(texts[0].begin(), texts[0].end(), '\n'), 5000 + 1667);
  EXPECT_EQ(texts[1], texts[0]);
  EXPECT_EQ(texts[2], texts[0]);
  const std::string inStore = write(state, {.folder = "s3://bucket/cp"});
  EXPECT_EQ(inStore, "s3://bucket/cp/chk-7");
  EXPECT_EQ(printed(inStore, "count") + printed(inStore, "window-contents"), texts[0]);
  const std::string inlined = write(state, {.id = 9, .inlineThreshold = 1 << 30});
  EXPECT_EQ(printed(inlined, "count") + printed(inlined, "window-contents"), texts[0]);
}

TEST_F(StateTool, StateInSharedFilesLooksTheSame) {
  WordState state = manyWords(3000);
  const WordState some = someWords();
  state.visits = some.visits;
  state.seen = some.seen;
  state.timers = some.timers;
  state.files = some.files;
  for (const auto& [folder, stored] : {std::pair(std::string("cp"), Stored::kStoreFiles),
                                       {"s3://bucket/cp", Stored::kStoreFiles},
                                       {"cp", Stored::kSegments},
                                       {"s3://bucket/cp", Stored::kSegments}}) {
    const bool inMemory = stored == Stored::kSegments;
    const std::string whole = write(state, {.folder = folder});
    const std::string byFiles = write(
        state, {.id = inMemory ? uint64_t{10} : 8, .parallelism = 3, .folder = folder, .stored = stored});
    EXPECT_GT(CheckpointStorage(sim.files(), {}, &sim.stores())
                  .readMetadata(byFiles)
                  .operators[1]
                  .subtasks[2]
                  .cold.files.size(),
              0u);
    for (const char* name : {"count", "window-contents", "visits", "seen", "timers:event-time"})
      EXPECT_EQ(printed(byFiles, name), printed(whole, name)) << name;
    EXPECT_EQ(compared(whole, byFiles, true), "");
    std::string listed =
        toText(summarize(*std::make_unique<CheckpointFiles>(sim.env(), StringMap(), byFiles)));
    EXPECT_NE(listed.find("  count              value           3000 keys"), std::string::npos) << listed;
    // What is copied from there is complete without those files.
    const std::string copy = "/copy-" + std::to_string(folder.size()) + (inMemory ? "m" : "");
    SavepointWriter writer(sim.env(), copy);
    writer.copyFrom(byFiles);
    writer.write();
    EXPECT_EQ(compared(copy, whole, true), "");
  }
  for (const std::string folder : {"cp/chk-8", "cp/chk-10"}) {
    const CheckpointMetadata metadata = CheckpointStorage(sim.files(), {}).readMetadata(folder);
    const std::string shared = "cp/shared/" + pathOf(metadata.operators[1].subtasks[1].cold.files[0]);
    sim.files().remove(shared);
    EXPECT_EQ(errorText([&] { open(folder); }, ErrorKind::kCorruption),
              "file '" + shared + "' of a checkpoint is missing. Restore from another checkpoint");
  }
}

TEST_F(StateTool, FindsKeys) {
  CheckpointFiles files = open(write(someWords()));
  OperatorStates states(files, files.metadata().operators[1]);
  const auto rows = std::move(states.rows("count")[0]);
  StateRow row;
  ASSERT_TRUE(rows->next(row));
  EXPECT_TRUE(isKey(rows->type(), row.key, "be"));
  EXPECT_TRUE(isKey(rows->type(), row.key, "\"be\""));
  EXPECT_FALSE(isKey(rows->type(), row.key, "b"));
  StateRowType type = rows->type();
  type.key = describe<Visit>();
  std::string bytes;
  ByteWriter out(bytes);
  Codec<Visit>::encode({"a b", 3, Timestamp(0)}, out);
  EXPECT_TRUE(isKey(type, bytes, R"({ "page": "a b", "millis": 3, "at": "1970-01-01T00:00:00.000Z" })"));
  EXPECT_FALSE(isKey(type, bytes, R"({"page":"ab","millis":3,"at":"1970-01-01T00:00:00.000Z"})"));
}

// What is passed over without a look has not got the key.
TEST_F(StateTool, FindsEachKeyAmongMany) {
  const WordState state = manyWords(3000);
  CheckpointFiles files = open(write(state, {.parallelism = 3}));
  OperatorStates states(files, files.metadata().operators[1]);
  int64_t looked = 0;
  for (const auto& [word, count] : state.counts) {
    for (const std::string name : {"count", "window-contents"}) {
      const auto rows = std::move(states.rows(name)[0]);
      rows->expectKey(word);
      int found = 0;
      for (StateRow row; rows->next(row); ++looked) found += isKey(rows->type(), row.key, word) ? 1 : 0;
      EXPECT_EQ(found, name == "count" || count % 3 == 0 ? 1 : 0) << word;
    }
  }
  EXPECT_LT(looked, 3000 * 100);  // of 12 million
}

TEST_F(StateTool, NamesTheNearest) {
  CheckpointFiles files = open(write(someWords()));
  const auto find = [&](const std::string& which) {
    return errorText([&] { findOperator(files.metadata(), which); });
  };
  EXPECT_EQ(&findOperator(files.metadata(), "count"), &files.metadata().operators[1]);
  EXPECT_EQ(&findOperator(files.metadata(), "word-count"), &files.metadata().operators[1]);
  EXPECT_EQ(&findOperator(files.metadata(), "0000000000000001"), &files.metadata().operators[0]);
  EXPECT_EQ(find("word-cuont"), "the checkpoint has no operator 'word-cuont': did you mean 'word-count'?");
  EXPECT_EQ(find("xyz"), "the checkpoint has no operator 'xyz': it has 'source', 'word-count'");
  files.metadata().operators[0].name = "count";
  EXPECT_EQ(find("count"),
            "2 operators are named 'count': give the uid or id of one: 0000000000000001, word-count");
  OperatorStates states(files, files.metadata().operators[1]);
  EXPECT_EQ(errorText([&] { states.rows("cuont"); }),
            "operator 'count' (uid 'word-count') has no state 'cuont': did you mean 'count'?");
  OperatorStates none(files, files.metadata().operators[0]);
  EXPECT_EQ(errorText([&] { none.rows("x"); }),
            "operator 'count' (id 0000000000000001) has no state 'x': it has none");
}

TEST_F(StateTool, ComparesWhateverTheParallelism) {
  WordState state = someWords();
  const std::string before = write(state);
  EXPECT_EQ(compared(before, write(state, {.id = 8, .parallelism = 3}), true), "");
  state.counts["to"] = 3;
  state.counts.erase("or");
  state.counts["not"] = 1;
  state.slices[120'000]["be"] = 7;
  state.slices.erase(60'000);
  state.files = {"b", "c", "d"};
  state.rules = {{"x", 5}, {"y", 2}};
  state.seen["to"] = Timestamp(6'000);
  const std::string after = write(state, {.id = 9, .parallelism = 3});
  EXPECT_EQ(compared(before, after, false), R"(operator 'count' (uid 'word-count')
  state 'count'
    ~ "to": 2 -> 3
    - "or": 1
    + "not": 1
    1 added, 1 removed, 1 changed
  state 'files'
    - "a"
    + "d"
    1 added, 1 removed, 0 changed
  state 'rules'
    ~ "x": 1 -> 5
    0 added, 0 removed, 1 changed
  state 'seen'
    ~ "to": true (touched "1970-01-01T00:00:05.000Z") -> true (touched "1970-01-01T00:00:06.000Z")
    0 added, 0 removed, 1 changed
  state 'window-contents'
    - "to" @ 1970-01-01T00:01:00.000Z: 4
    ~ "be" @ 1970-01-01T00:02:00.000Z: 5 -> 7
    0 added, 1 removed, 1 changed
)");
  EXPECT_EQ(compared(before, after, false, {.summary = true}), R"(operator 'count' (uid 'word-count')
  state 'count': 1 added, 1 removed, 1 changed
  state 'files': 1 added, 1 removed, 0 changed
  state 'rules': 0 added, 0 removed, 1 changed
  state 'seen': 0 added, 0 removed, 1 changed
  state 'window-contents': 0 added, 1 removed, 1 changed
)");
  EXPECT_EQ(compared(before, after, true, {.op = "source"}), "");
}

TEST_F(StateTool, ComparesManyEntries) {
  WordState state = manyWords(20'000);
  const std::string before = write(state);
  for (int64_t i = 0; i < 20'000; i += 100) state.counts.erase("word " + std::to_string(i));
  for (int64_t i = 1; i < 20'000; i += 50) state.counts["word " + std::to_string(i)] = -1;
  for (int64_t i = 0; i < 30; ++i) state.counts["new " + std::to_string(i)] = i;
  EXPECT_EQ(compared(before, write(state, {.id = 8, .parallelism = 5}), false, {.summary = true}),
            "operator 'count' (uid 'word-count')\n"
            "  state 'count': 30 added, 200 removed, 400 changed\n");
}

// Any damage is found and said where it is.
TEST_F(StateTool, DamageIsNamed) {
  const std::string path = write(someWords());
  const std::string other = write(someWords(), {.id = 8});
  for (const std::string file : {"/_metadata", "/task-1-0", "/task-1-1"}) {
    const std::string good = sim.files().content(path + file);
    int found = 0;
    for (size_t i = 0; i < good.size(); ++i) {
      for (const bool cut : {false, true}) {
        std::string bad = good;
        if (cut) {
          bad.resize(i);
        } else {
          bad[i] = static_cast<char>(bad[i] ^ (1 << i % 8));
        }
        sim.files().put(path + file, bad);
        try {
          CheckpointFiles files = open(path);
          summarize(files);
          ADD_FAILURE() << file << " byte " << i << (cut ? " cut" : " flipped") << " was not found";
        } catch (const Error& error) {
          EXPECT_EQ(toString(error.kind()), toString(ErrorKind::kCorruption)) << error.what();
          EXPECT_NE(std::string(error.what()).find("file '" + path + file + "'"), std::string::npos)
              << error.what();
          ++found;
        }
      }
    }
    EXPECT_GT(found, 100);
    sim.files().put(path + file, good);
  }
  sim.files().remove(path + "/task-1-1");
  CheckpointFiles files = open(path);
  EXPECT_EQ(errorText([&] { summarize(files); }, ErrorKind::kCorruption),
            "file 'cp/chk-7/task-1-1' of a checkpoint is missing. Look at another checkpoint");
  EXPECT_EQ(errorText([&] { open("cp"); }),
            "no checkpoint at 'cp': there is no file 'cp/_metadata'. Give the folder of a completed "
            "checkpoint or savepoint, one with a _metadata file in it");
}

// Bytes with a right checksum that are nonsense all the same.
TEST_F(StateTool, NonsenseIsRefused) {
  const std::string path = write(someWords(), {.parallelism = 1, .inlineThreshold = 1 << 20});
  const CheckpointMetadata good = open(path).metadata();
  const std::string keyed = good.operators[1].subtasks[0].keyed.inlined;
  const std::string lists = good.operators[1].subtasks[0].operatorState.inlined;
  const auto tryOut = [&](const CheckpointMetadata& metadata) {
    sim.files().put(path + "/_metadata", metadata.encode());
    try {
      CheckpointFiles files = open(path);
      summarize(files);
      OperatorStates states(files, files.metadata().operators[1]);
      ByteOutput nowhere([](std::string_view) {});
      for (const std::string& name : states.names()) {
        for (const auto& make : {jsonRows, csvRows, parquetRows}) {
          for (const auto& rows : states.rows(name)) {
            const auto formatted = make(rows->type(), nowhere);
            for (StateRow row; rows->next(row);) formatted->row(row);
            formatted->end();
          }
        }
      }
      CheckpointFiles again = open(path);
      compareCheckpoints(files, again, {}, nowhere);
    } catch (const Error& error) {
      EXPECT_NE(toString(error.kind()), toString(ErrorKind::kBug)) << error.what();
    }
  };
  for (size_t i = 0; i < keyed.size() * 8; i += 3) {
    CheckpointMetadata metadata = good;
    StateHandle& handle = metadata.operators[1].subtasks[0].keyed;
    handle.inlined[i / 8] = static_cast<char>(handle.inlined[i / 8] ^ (1 << i % 8));
    if (i % 7 == 0) handle.inlined.resize(i / 8);
    handle.length = handle.inlined.size();
    tryOut(metadata);
  }
  for (size_t i = 0; i < lists.size() * 8; ++i) {
    CheckpointMetadata metadata = good;
    StateHandle& handle = metadata.operators[1].subtasks[0].operatorState;
    handle.inlined[i / 8] = static_cast<char>(handle.inlined[i / 8] ^ (1 << i % 8));
    handle.length = handle.inlined.size();
    tryOut(metadata);
  }
}

}  // namespace
}  // namespace flott
