#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "flott/base/hash.h"
#include "flott/graph/tests/graph_builder.h"

namespace flott {
namespace {

GraphBuilder pipeline() {
  GraphBuilder job;
  job.sink("print", {job.map("count", {job.source("lines")})});
  return job;
}
constexpr int kLines = 1, kCount = 2, kPrint = 3;

TEST(Parallelism, isTheNodesElseTheEnvironments) {
  GraphBuilder job = pipeline();
  job.graph.defaultParallelism = 4;
  job.node(kCount).parallelism = 2;
  const JobGraph compiled = compile(job.graph);
  ASSERT_EQ(compiled.vertices.size(), 3u);
  EXPECT_EQ(compiled.vertices[0].parallelism, 4);
  EXPECT_EQ(compiled.vertices[1].parallelism, 2);
  EXPECT_EQ(compiled.vertices[2].parallelism, 4);
}

TEST(Parallelism, outOfRangeNamesTheOperator) {
  GraphBuilder job = pipeline();
  job.node(kCount).parallelism = -3;
  EXPECT_EQ(refusal(job.graph), "operator 'count': parallelism is -3: give a number from 1 to 32768");
  job.node(kCount).parallelism = 32769;
  EXPECT_EQ(refusal(job.graph), "operator 'count': parallelism is 32769: give a number from 1 to 32768");
  job.node(kCount).parallelism = 32768;
  EXPECT_EQ(refusal(job.graph), "accepted");
}

TEST(Parallelism, ofTheEnvironmentIsChecked) {
  GraphBuilder job = pipeline();
  job.graph.defaultParallelism = 0;
  EXPECT_EQ(refusal(job.graph),
            "job 'test': environment's default: parallelism is 0: give a number from 1 to 32768");
}

TEST(Parallelism, fixedIgnoresTheEnvironmentAndRefusesOthers) {
  GraphBuilder job = pipeline();
  job.graph.defaultParallelism = 4;
  job.node(kLines).parallelismFixed = true;
  EXPECT_EQ(compile(job.graph).vertices[0].parallelism, 1);
  job.node(kLines).parallelism = 1;
  EXPECT_EQ(compile(job.graph).vertices[0].parallelism, 1);
  job.node(kLines).parallelism = 2;
  EXPECT_EQ(refusal(job.graph),
            "operator 'lines': parallelism is 2, but this operator only runs with parallelism 1: leave"
            " setParallelism() out");
}

TEST(Parallelism, forwardCannotChangeIt) {
  GraphBuilder job;
  const int lines = job.source("lines");
  const int count = job.map("count", lines, PartitionKind::kForward);
  job.node(count).parallelism = 3;
  job.sink("print", {count});
  EXPECT_EQ(
      refusal(job.graph),
      "Forward partitioning does not allow change of parallelism: 'lines' has parallelism 1 and 'count'"
      " has 3. Give both the same, or replace forward() by rebalance(), rescale(), shuffle(), broadcast()"
      " or global()");
}

TEST(MaxParallelism, isDerivedFromTheParallelism) {
  EXPECT_EQ(defaultMaxParallelism(1), 128);
  EXPECT_EQ(defaultMaxParallelism(85), 128);
  EXPECT_EQ(defaultMaxParallelism(86), 256);
  EXPECT_EQ(defaultMaxParallelism(1000), 2048);
  EXPECT_EQ(defaultMaxParallelism(32768), 32768);

  GraphBuilder job = pipeline();
  job.graph.defaultParallelism = 200;
  EXPECT_EQ(compile(job.graph).vertices[0].maxParallelism, 512);
}

TEST(MaxParallelism, isTheNodesElseTheEnvironments) {
  GraphBuilder job = pipeline();
  job.graph.defaultMaxParallelism = 16;
  job.node(kCount).maxParallelism = 8;
  job.node(kCount).chaining = ChainingStrategy::kNever;
  const JobGraph compiled = compile(job.graph);
  EXPECT_EQ(compiled.vertices[0].maxParallelism, 16);
  EXPECT_EQ(compiled.vertices[1].maxParallelism, 8);
}

TEST(MaxParallelism, mustBeAPowerOfTwo) {
  GraphBuilder job = pipeline();
  job.node(kCount).maxParallelism = 100;
  EXPECT_EQ(
      refusal(job.graph),
      "operator 'count': max parallelism is 100: it must be a power of two; the nearest are 64 and 128");
  job.node(kCount).maxParallelism = 65536;
  EXPECT_EQ(refusal(job.graph),
            "operator 'count': max parallelism is 65536: give a power of two from 1 to 32768");
  job.node(kCount).maxParallelism = 0;
  job.graph.defaultMaxParallelism = 3;
  EXPECT_EQ(refusal(job.graph),
            "job 'test': environment's default: max parallelism is 3: it must be a power of two; the nearest"
            " are 2 and 4");
}

TEST(MaxParallelism, mustHoldTheParallelism) {
  GraphBuilder job = pipeline();
  job.node(kCount).parallelism = 5;
  job.node(kCount).maxParallelism = 4;
  EXPECT_EQ(
      refusal(job.graph),
      "operator 'count': max parallelism 4 is below the parallelism 5: raise it to 8 or more, or run the"
      " operator with parallelism 4 or less");
  job.node(kCount).maxParallelism = 0;
  job.graph.defaultMaxParallelism = 2;
  EXPECT_EQ(
      refusal(job.graph),
      "operator 'count': max parallelism 2 (the environment's default) is below the parallelism 5: raise"
      " it to 8 or more, or run the operator with parallelism 2 or less");
}

TEST(Uid, twiceNamesBothOperators) {
  GraphBuilder job = pipeline();
  job.node(kLines).uid = "words";
  job.node(kPrint).uid = "words";
  EXPECT_EQ(
      refusal(job.graph),
      "operators 'lines' and 'print' have the same uid 'words': a restart finds state by the uid, so give"
      " each operator one of its own");
}

TEST(Sinks, anEmptyJobIsRefused) {
  EXPECT_EQ(refusal(GraphBuilder().graph),
            "job 'test' has no sink: nothing was added to it. Begin with a source such as fromElements(), and"
            " end with print(), sinkTo() or executeAndCollect()");
}

TEST(Sinks, aJobWithoutOneNamesItsLooseEnds) {
  GraphBuilder job;
  const int lines = job.source("lines");
  job.map("upper", {lines});
  EXPECT_EQ(refusal(job.graph),
            "job 'test' has no sink: what comes out of 'upper' goes nowhere. End the stream with print(),"
            " sinkTo() or executeAndCollect()");
  job.map("lower", {lines});
  job.source("numbers");
  EXPECT_EQ(refusal(job.graph),
            "job 'test' has no sink: what comes out of 'upper', 'lower' and 'numbers' goes nowhere. End the"
            " stream with print(), sinkTo() or executeAndCollect()");
}

TEST(Sinks, aLooseEndBesideASinkStillRuns) {
  GraphBuilder job;
  const int lines = job.source("lines");
  job.map("upper", {lines});
  job.sink("print", {lines});
  EXPECT_EQ(vertexNames(compile(job.graph)),
            std::vector<std::string>{"Source: lines -> (upper, Sink: print)"});
}

TEST(OperatorIds, areTheHashOfTheUid) {
  GraphBuilder job = pipeline();
  job.node(kCount).uid = "counter";
  const JobGraph compiled = compile(job.graph);
  EXPECT_EQ(operatorOf(compiled, kCount).id, OperatorId(hashBytes("counter")));
  EXPECT_EQ(operatorOf(compiled, kCount).uid, "counter");
}

TEST(OperatorIds, areTheUidHashWhereOneIsGiven) {
  GraphBuilder job = pipeline();
  job.node(kCount).uid = "counter";
  job.node(kCount).uidHash = OperatorId(0xbeef);
  EXPECT_EQ(operatorOf(compile(job.graph), kCount).id, OperatorId(0xbeef));
  job.node(kPrint).uidHash = OperatorId(0xbeef);
  EXPECT_EQ(
      refusal(job.graph),
      "operators 'count' and 'print' have the same id 000000000000beef: give one of them another uid or uid "
      "hash");
}

// State is found by these across releases: a change here strands every savepoint without uids.
TEST(OperatorIds, derivedOnesNeverChange) {
  const JobGraph compiled = compile(pipeline().graph);
  EXPECT_EQ(toString(operatorOf(compiled, kLines).id), "1786a69cb5bcb291");
  EXPECT_EQ(toString(operatorOf(compiled, kCount).id), "fd3c731674bc8372");
  EXPECT_EQ(toString(operatorOf(compiled, kPrint).id), "00054141898152d8");
}

TEST(OperatorIds, areIndependentOfHowTheJobRuns) {
  GraphBuilder job = pipeline();
  const JobGraph before = compile(job.graph);
  job.graph.chaining = false;
  job.graph.defaultParallelism = 3;
  job.node(kCount).parallelism = 7;
  job.node(kCount).maxParallelism = 8;
  job.node(kCount).slotSharingGroup = "heavy";
  job.node(kPrint).inputs[0].kind = PartitionKind::kRescale;
  const JobGraph after = compile(job.graph);
  for (const int node : {kLines, kCount, kPrint}) {
    EXPECT_EQ(operatorOf(before, node).id, operatorOf(after, node).id) << node;
  }
}

TEST(OperatorIds, followNameKindAndInputs) {
  const OperatorId before = operatorOf(compile(pipeline().graph), kPrint).id;
  GraphBuilder renamed = pipeline();
  renamed.node(kPrint).name = "show";
  GraphBuilder renamedInput = pipeline();
  renamedInput.node(kLines).name = "rows";
  GraphBuilder otherInput = pipeline();
  otherInput.node(kPrint).inputs[0].from = kLines;
  GraphBuilder side = pipeline();
  side.node(kPrint).inputs[0].side = SideOutputIndex(0);
  std::set<OperatorId> ids = {before};
  for (const GraphBuilder& job : {renamed, renamedInput, otherInput, side}) {
    ids.insert(operatorOf(compile(job.graph), kPrint).id);
  }
  EXPECT_EQ(ids.size(), 5u);
}

TEST(OperatorIds, tellEqualSiblingsApartByOrder) {
  GraphBuilder job;
  const int lines = job.source("lines");
  const int first = job.map("count", {lines});
  const int firstSink = job.sink("print", {first});
  const OperatorId alone = operatorOf(compile(job.graph), first).id;

  const int second = job.map("count", {lines});
  const int secondSink = job.sink("print", {second});
  const int third = job.map("count", {lines});
  const JobGraph compiled = compile(job.graph);
  std::set<OperatorId> ids;
  for (const int node : {lines, first, firstSink, second, secondSink, third}) {
    ids.insert(operatorOf(compiled, node).id);
  }
  EXPECT_EQ(ids.size(), 6u);
  EXPECT_EQ(operatorOf(compiled, first).id, alone);
}

TEST(SlotSharing, groupsAreInheritedWhereTheInputsAgree) {
  GraphBuilder job;
  const int left = job.source("left");
  const int right = job.source("right");
  const int other = job.source("other");
  job.node(left).slotSharingGroup = "heavy";
  job.node(right).slotSharingGroup = "heavy";
  job.sink("agreed", {left, right});
  job.sink("mixed", {left, other});
  const JobGraph compiled = compile(job.graph);
  ASSERT_EQ(compiled.vertices.size(), 5u);
  EXPECT_EQ(compiled.vertices[2].slotSharingGroup, "default");
  EXPECT_EQ(compiled.vertices[3].slotSharingGroup, "heavy");
  EXPECT_EQ(compiled.vertices[4].slotSharingGroup, "default");
}

TEST(SlotSharing, slotsAreTheSumOfTheLargestOfEachGroup) {
  GraphBuilder job = pipeline();
  job.graph.defaultParallelism = 2;
  EXPECT_EQ(compile(job.graph).slots, 2);
  job.node(kCount).parallelism = 5;
  EXPECT_EQ(compile(job.graph).slots, 5);
  job.node(kCount).slotSharingGroup = "heavy";
  job.node(kPrint).slotSharingGroup = "default";
  EXPECT_EQ(compile(job.graph).slots, 7);
}

TEST(SlotSharing, groupsCarryTheirResources) {
  GraphBuilder job = pipeline();
  job.graph.defaultParallelism = 2;
  job.node(kCount).parallelism = 5;
  job.node(kCount).slotSharingGroup = "heavy";
  job.node(kPrint).slotSharingGroup = "default";
  const SlotResources resources{.cpuCores = 0.5, .taskMemory = MemorySize::mb(64), .managedMemory = {}};
  job.graph.slotResources = {{"heavy", resources}, {"unused", resources}};
  const JobGraph compiled = compile(job.graph);
  ASSERT_EQ(compiled.slotGroups.size(), 2u);
  EXPECT_EQ(compiled.slotGroups[0].name, "default");
  EXPECT_EQ(compiled.slotGroups[0].slots, 2);
  EXPECT_EQ(compiled.slotGroups[0].resources, std::nullopt);
  EXPECT_EQ(compiled.slotGroups[1].name, "heavy");
  EXPECT_EQ(compiled.slotGroups[1].slots, 5);
  EXPECT_EQ(compiled.slotGroups[1].resources, resources);
}

std::string refusal(const SlotSharingGroup& group) {
  try {
    check(group);
  } catch (const Error& error) {
    return error.message();
  }
  return "";
}

TEST(SlotSharing, wrongGroupsAreRefused) {
  SlotResources good{.cpuCores = 1, .taskMemory = MemorySize::mb(1), .managedMemory = {}};
  EXPECT_EQ(refusal({.name = "a", .resources = good}), "");
  EXPECT_EQ(refusal({.name = "a", .resources = {}}), "");
  EXPECT_EQ(refusal({.name = "", .resources = good}), "a slot sharing group has no name: give it one");
  SlotResources bad = good;
  bad.cpuCores = 0;
  EXPECT_EQ(refusal({.name = "a", .resources = bad}),
            "slot sharing group 'a': cpuCores is 0: say how much of a core a slot is to have, as 0.5 or 2");
  bad.cpuCores = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(refusal({.name = "a", .resources = bad}), "");
  bad = good;
  bad.taskMemory = {};
  EXPECT_EQ(refusal({.name = "a", .resources = bad}),
            "slot sharing group 'a': taskMemory is not set: say what a slot is to have, as "
            "MemorySize::mb(512)");
  bad = good;
  bad.external = {{"gpu", -1}};
  EXPECT_EQ(refusal({.name = "a", .resources = bad}),
            "slot sharing group 'a': external resource 'gpu' is -1: leave it out, or say how many");
}

using ShapeDeathTest = testing::Test;

TEST(ShapeDeathTest, cyclesAreABrokenInvariant) {
  GraphBuilder job = pipeline();
  job.node(kCount).inputs[0].from = kPrint;
  EXPECT_DEATH(compile(job.graph), "operator 'count' has an input that was not created before it: a cycle");
}

TEST(ShapeDeathTest, inputsBelongToAllButSources) {
  GraphBuilder job = pipeline();
  job.node(kPrint).inputs.clear();
  EXPECT_DEATH(compile(job.graph), "operator 'print': sources have no inputs, all others have");
}

TEST(ShapeDeathTest, aHashExchangeNeedsItsHasher) {
  GraphBuilder job = pipeline();
  job.node(kCount).inputs[0].kind = PartitionKind::kHash;
  EXPECT_DEATH(compile(job.graph), "operator 'count': a hash exchange needs a hasher");
}

}  // namespace
}  // namespace flott
