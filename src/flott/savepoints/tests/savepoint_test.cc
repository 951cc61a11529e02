// Savepoints that a program writes, and what it reads from them and from checkpoints.
#include <gtest/gtest.h>

#include "flott/base/tests/error_text.h"
#include "flott/data/print.h"
#include "flott/savepoints/comparison.h"
#include "flott/savepoints/savepoint_reader.h"
#include "flott/savepoints/savepoint_writer.h"
#include "flott/savepoints/summary.h"
#include "flott/savepoints/tests/written_checkpoint.h"

namespace flott {
namespace {

using Counts = std::map<std::string, int64_t>;
using CountDescriptor = ValueStateDescriptor<int64_t>;

class Savepoints : public testing::Test {
 protected:
  SavepointReader read(const std::string& path) { return SavepointReader(sim.env(), path); }
  SavepointWriter writer(const std::string& folder) { return SavepointWriter(sim.env(), folder); }

  Counts countsIn(const std::string& path, const std::string& uid = "word-count") {
    Counts counts;
    read(path).keyedState<std::string>(uid, CountDescriptor("count"),
                                       [&](const std::string& word, int64_t n) { counts[word] = n; });
    return counts;
  }

  std::string compared(const std::string& before, const std::string& after) {
    CheckpointFiles a(sim.env(), {}, before), b(sim.env(), {}, after);
    std::string text;
    ByteOutput output([&text](std::string_view bytes) { text += bytes; });
    compareCheckpoints(a, b, {.summary = true}, output);
    return text;
  }

  static Counts manyCounts() {
    Counts counts;
    for (int64_t i = 0; i < 1000; ++i) counts["word " + std::to_string(i)] = i;
    return counts;
  }

  static void fill(KeyedStateEditor<std::string>& state, const Counts& counts) {
    auto count = state.state(CountDescriptor("count"));
    for (const auto& [word, n] : counts) {
      if (!state.owns(word)) continue;
      state.setCurrentKey(word);
      count.set(n);
    }
  }

  SimulatedEnv sim{1};
};

TEST_F(Savepoints, AreReadAsTheTypesTheyHave) {
  WordState state{.counts = {{"to", 2}, {"be", 1}},
                  .visits = {{"to", {{"/", 12, Timestamp(0)}, {"/a", std::nullopt, Timestamp(1)}}}},
                  .shares = {{"be", {{"z", 0.5}, {"a", 0.25}}}},
                  .seen = {{"to", Timestamp(5'000)}},
                  .timers = {{"or", {Timestamp(10'000), Timestamp(20'000)}}},
                  .slices = {{60'000, {{"to", 4}}}, {120'000, {{"be", 5}}}},
                  .files = {"a", "b", "c"},
                  .rules = {{"y", 1}, {"x", 2}}};
  SavepointReader reader = read(CheckpointWriterOfTests(sim).write(state));
  EXPECT_EQ(reader.metadata().id, CheckpointId(7));
  std::string text;
  const auto add = [&text](const auto&... parts) { ((text += toText(parts) + " "), ...); };
  reader.keyedState<std::string>("word-count", CountDescriptor("count"), add);
  reader.keyedState<std::string>("word-count", ListStateDescriptor<Visit>("visits"),
                                 [&](const std::string& word, const std::vector<Visit>& visits) {
                                   add(word, visits.size(), visits[1].page);
                                 });
  reader.keyedState<std::string>("word-count", MapStateDescriptor<std::string, double>("shares"),
                                 [&](const std::string& word, const OrderedMap<std::string, double>& shares) {
                                   add(word);
                                   for (const auto& [name, share] : shares) add(name, share);
                                 });
  reader.keyedState<std::string>("word-count", ValueStateDescriptor<bool>("seen"), add);
  reader.eventTimeTimers<std::string>("word-count",
                                      [&](const std::string& word, Timestamp at) { add(word, at.ms); });
  reader.windowSlices<std::string, int64_t>(
      "word-count", [&](const std::string& word, Timestamp end, int64_t sum) { add(word, end.ms, sum); });
  EXPECT_EQ(text, "be 1 to 2 to 2 /a be z 0.5 a 0.25 to true or 10000 or 20000 to 60000 4 be 120000 5 ");
  EXPECT_EQ(reader.listState<std::string>("word-count", "files"), (std::vector<std::string>{"a", "c", "b"}));
  text.clear();
  const MapStateDescriptor<std::string, int64_t> rules("rules");
  for (const auto& [name, rule] : reader.broadcastState("word-count", rules)) add(name, rule);
  EXPECT_EQ(text, "y 1 x 2 ");
}

TEST_F(Savepoints, WhatDoesNotFitIsSaid) {
  SavepointReader reader =
      read(CheckpointWriterOfTests(sim).write({.counts = {{"to", 2}}, .files = {"a"}, .rules = {{"x", 1}}}));
  const auto nothing = [](const auto&...) {};
  EXPECT_EQ(
      errorText([&] { reader.keyedState<int64_t>("word-count", CountDescriptor("count"), nothing); }),
      "state 'count' of operator 'count' (uid 'word-count') has keys of type string, not int64: read it "
      "with that type");
  EXPECT_EQ(
      errorText([&] {
        reader.keyedState<std::string>("word-count", ValueStateDescriptor<double>("count"), nothing);
      }),
      "state 'count' of operator 'count' (uid 'word-count') is value of int64, not value of double: read "
      "it with the descriptor it was written with");
  EXPECT_EQ(errorText([&] {
              reader.keyedState<std::string>("word-count", ListStateDescriptor<int64_t>("cuont"), nothing);
            }),
            "operator 'count' (uid 'word-count') has no state 'cuont': did you mean 'count'?");
  EXPECT_EQ(errorText([&] { reader.unionListState<std::string>("word-count", "files"); }),
            "state 'files' of operator 'count' (uid 'word-count') is a list of string, not a union list of "
            "string: read it as it was written");
  EXPECT_EQ(
      errorText([&] { reader.listState<int64_t>("word-count", "rules"); }),
      "state 'rules' of operator 'count' (uid 'word-count') is a broadcast map of map<string, int64>, not "
      "a list of int64: read it as it was written");
}

struct OldTotal {
  int64_t cents = 0;
  std::string dropped;
};
struct Total {
  std::string currency = "EUR";
  int64_t cents = 0;
};

/// What one subtask keeps as it restored it has another type than what the others have.
TEST_F(Savepoints, StatesOfSeveralTypesAreReadAsTheOneOfTheProgram) {
  CheckpointMetadata metadata{.id = CheckpointId(1), .triggered = Timestamp(0), .jobName = "job"};
  OperatorSnapshot op{.id = operatorIdOf("totals"), .name = "totals", .uid = "totals", .maxParallelism = 128};
  CheckpointStorage storage(sim.files(), {.folder = "mixed", .inlineThreshold = 0});
  for (uint32_t subtask = 0; subtask < 2; ++subtask) {
    KeyedStateBackend backend(typeOps<int64_t>(), {.keyGroups = keyGroupRange(subtask, 128, 2)});
    KeyedStateEditor<int64_t> editor(backend);
    for (int64_t key = 0; key < 10; ++key) {
      if (!editor.owns(key)) continue;
      editor.setCurrentKey(key);
      if (subtask == 0) {
        editor.state(ValueStateDescriptor<OldTotal>("total")).set({key, "x"});
      } else {
        editor.state(ValueStateDescriptor<Total>("total")).set({"USD", key});
      }
    }
    KeyedSnapshotWriter writer(backend);
    while (!backend.encodeSome(1000)) {
    }
    op.subtasks.push_back(
        {.keyed = storage.write(metadata.id, "task-" + std::to_string(subtask), {writer.finish()})[0]});
  }
  metadata.operators.push_back(op);
  storage.complete(metadata);

  std::map<int64_t, Total> totals;
  read("mixed/chk-1")
      .keyedState<int64_t>("totals", ValueStateDescriptor<Total>("total"),
                           [&](int64_t key, const Total& total) { totals[key] = total; });
  ASSERT_EQ(totals.size(), 10u);
  int old = 0;
  for (const auto& [key, total] : totals) {
    EXPECT_EQ(total.cents, key);
    old += total.currency == "EUR" ? 1 : 0;
  }
  EXPECT_GT(old, 0);
  EXPECT_LT(old, 10);
  CheckpointFiles files(sim.env(), {}, "mixed/chk-1");
  std::string listed;
  const CheckpointSummary summary = summarize(files);
  for (const StateSummary& state : summary.operators[0].states)
    listed += state.name + " " + state.type + " " + std::to_string(state.entries) + "; ";
  EXPECT_EQ(listed, "total struct{cents: int64, dropped: string} " + std::to_string(old) +
                        "; total struct{currency: string, cents: int64} " + std::to_string(10 - old) + "; ");

  // Written by a program that knows it, all is of its type.
  SavepointWriter out = writer("uniform");
  out.copyFrom("mixed/chk-1");
  out.keyed<int64_t>(
      "totals", [](KeyedStateEditor<int64_t>& state) { state.state(ValueStateDescriptor<Total>("total")); });
  out.write();
  EXPECT_EQ(compared("mixed/chk-1", "uniform"),
            "operator 'totals' (uid 'totals')\n"
            "  state 'total' is value of struct{cents: int64, dropped: string} by int64 only in the first "
            "checkpoint\n"
            "  state 'total': " +
                std::to_string(old) + " added, 0 removed, 0 changed\n");
}

TEST_F(Savepoints, AreMadeFromNothing) {
  const Counts counts = manyCounts();
  for (const uint32_t parts : {1, 3}) {
    const std::string folder = "new-" + std::to_string(parts);
    SavepointWriter out = writer(folder);
    out.keyed<std::string>(
        "word-count", [&](auto& state) { fill(state, counts); }, parts);
    out.listState<std::string>("word-count", "files", {"a", "b", "c", "d"});
    out.unionListState<int64_t>("other", "offsets", {1, 2});
    out.broadcastState("other", MapStateDescriptor<std::string, int64_t>("rules"), Counts{{"x", 1}});
    EXPECT_EQ(out.write(), folder);
    EXPECT_EQ(countsIn(folder), counts);
    SavepointReader reader = read(folder);
    EXPECT_EQ(reader.metadata().operators[0].subtasks.size(), parts);
    EXPECT_EQ(reader.metadata().kind, CheckpointKind::kSavepoint);
    EXPECT_EQ(reader.listState<std::string>("word-count", "files"),
              (std::vector<std::string>{"a", "b", "c", "d"}));
    EXPECT_EQ(reader.unionListState<int64_t>("other", "offsets"), (std::vector<int64_t>{1, 2}));
    const MapStateDescriptor<std::string, int64_t> rules("rules");
    EXPECT_EQ(reader.broadcastState("other", rules).size(), 1u);
  }
  EXPECT_EQ(compared("new-1", "new-3"), "");
  EXPECT_EQ(
      errorText([&] { writer("new-1"); }),
      "there is a checkpoint in 'new-1' already: give the new savepoint another folder, or remove that one");
}

TEST_F(Savepoints, AreMadeFromOthers) {
  WordState state{.counts = manyCounts(), .files = {"a", "b", "c"}, .rules = {{"x", 1}}};
  state.shares["word 7"] = {{"z", 0.5}};
  const std::string before = CheckpointWriterOfTests(sim).write(state, {.parallelism = 3});
  SavepointWriter out = writer("s3://bucket/changed");
  out.copyFrom(before);
  int calls = 0;
  out.keyed<std::string>("word-count", [&](KeyedStateEditor<std::string>& part) {
    ++calls;
    part.forEachKey(CountDescriptor("count"), [](const std::string&, ValueState<int64_t>& count) {
      if (count.get() % 2 == 0) return count.clear();
      count.set(count.get() * 10);
    });
  });
  EXPECT_EQ(calls, 3);
  out.listState<std::string>("word-count", "files", {"a", "b", "d", "e"});
  EXPECT_EQ(out.write(), "s3://bucket/changed");
  // What was not asked for is as it was, and nothing is left where it came from.
  EXPECT_EQ(compared(before, "s3://bucket/changed"),
            "operator 'count' (uid 'word-count')\n"
            "  state 'count': 0 added, 500 removed, 500 changed\n"
            "  state 'files': 2 added, 1 removed, 0 changed\n");
  for (const char* file : {"/_metadata", "/task-1-0", "/task-1-1", "/task-1-2"})
    sim.files().remove(before + file);
  const Counts counts = countsIn("s3://bucket/changed");
  EXPECT_EQ(counts.size(), 500u);
  EXPECT_EQ(counts.at("word 7"), 70);
  EXPECT_EQ(read("s3://bucket/changed").metadata().operators[0].enumerator, "splits");
}

TEST_F(Savepoints, OperatorsAndStatesGoAndGetOtherNames) {
  const std::string before =
      CheckpointWriterOfTests(sim).write({.counts = {{"to", 2}}, .files = {"a"}, .rules = {{"x", 1}}});
  SavepointWriter out = writer("other");
  out.copyFrom(before);
  out.removeOperator("source");
  out.removeState("word-count", "visits");
  out.removeState("word-count", "files");
  EXPECT_EQ(errorText([&] { out.removeState("word-count", "cuont"); }),
            "operator 'count' (uid 'word-count') has no state 'cuont': did you mean 'count'?");
  EXPECT_EQ(errorText([&] { out.removeOperator("word-cuont"); }),
            "the checkpoint has no operator 'word-cuont': did you mean 'word-count'?");
  EXPECT_EQ(errorText([&] { out.changeUid("word-count", "word-count"); }),
            "there is an operator with uid 'word-count' already: remove it first");
  out.changeUid("word-count", "words");
  out.write();
  const CheckpointMetadata metadata = read("other").metadata();
  ASSERT_EQ(metadata.operators.size(), 1u);
  EXPECT_EQ(metadata.operators[0].uid, "words");
  EXPECT_EQ(metadata.operators[0].id, OperatorId(hashBytes("words")));
  EXPECT_EQ(countsIn("other", "words"), (Counts{{"to", 2}}));
  CheckpointFiles files(sim.env(), {}, "other");
  std::string names;
  const CheckpointSummary summary = summarize(files);
  for (const StateSummary& state : summary.operators[0].states) names += state.name + " ";
  EXPECT_EQ(names, "count seen shares window-contents rules ");
}

TEST_F(Savepoints, KeysOfOtherPartsAreRefused) {
  SavepointWriter out = writer("new");
  EXPECT_EQ(
      errorText([&] {
        out.keyed<std::string>(
            "word-count",
            [](KeyedStateEditor<std::string>& state) {
              for (int i = 0; i < 100; ++i) state.setCurrentKey(std::to_string(i));
            },
            2);
      }),
      "a key was set that belongs to another part of the operator: ask owns(key), and leave out those of "
      "other parts");
  EXPECT_EQ(errorText([&] { SavepointWriter(sim.env(), "x", {.maxParallelism = 100}); }).substr(0, 41),
            "max parallelism 100 is not a power of two");
}

TEST_F(Savepoints, DamageIsNamedWhenTheyAreCopied) {
  const std::string before = CheckpointWriterOfTests(sim).write({.counts = manyCounts(), .files = {"a"}});
  const std::string file = before + "/task-1-1";
  std::string bytes = sim.files().content(file);
  bytes[100] = static_cast<char>(bytes[100] ^ 1);
  sim.files().put(file, bytes);
  SavepointWriter out = writer("copy");
  out.copyFrom(before);
  EXPECT_EQ(errorText([&] { out.write(); }, ErrorKind::kCorruption).substr(0, 50),
            ("file '" + file + "' of a checkpoint is damaged: ").substr(0, 50));
  EXPECT_EQ(errorText([&] { countsIn(before); }, ErrorKind::kCorruption).substr(0, 50),
            ("file '" + file + "' of a checkpoint is damaged: ").substr(0, 50));
}

}  // namespace
}  // namespace flott
