#include <gtest/gtest.h>

#include "flott/graph/tests/graph_builder.h"

namespace flott {
namespace {

using Names = std::vector<std::string>;

TEST(Chaining, aStraightPipelineIsOneVertex) {
  GraphBuilder job;
  job.sink("print", {job.map("count", {job.map("split", {job.source("lines")})})});
  EXPECT_EQ(vertexNames(compile(job.graph)), Names{"Source: lines -> split -> count -> Sink: print"});
}

TEST(Chaining, aChainIsATree) {
  GraphBuilder job;
  const int lines = job.source("lines");
  const int split = job.map("split", {lines});
  const int count = job.map("count", {split});
  job.sink("audit", {split});
  job.sink("print", {count});
  job.sink("file", {count});
  EXPECT_EQ(vertexNames(compile(job.graph)),
            Names{"Source: lines -> split -> (count -> (Sink: print, Sink: file), Sink: audit)"});
}

TEST(Chaining, parentsComeBeforeChildrenAndBranchesLieTogether) {
  GraphBuilder job;
  const int lines = job.source("lines");
  const int left = job.map("left", {lines});
  const int right = job.map("right", {lines});
  job.sink("leftSink", {left});
  job.sink("rightSink", {right});
  const JobGraph compiled = compile(job.graph);
  ASSERT_EQ(compiled.vertices.size(), 1u);
  Names order;
  for (const ChainedOperator& op : compiled.vertices[0].chain) order.push_back(op.name);
  EXPECT_EQ(order, (Names{"lines", "left", "leftSink", "right", "rightSink"}));
  const std::vector<ChainedOutput>& outputs = compiled.vertices[0].chain[0].outputs;
  ASSERT_EQ(outputs.size(), 2u);
  EXPECT_EQ(outputs[0].to, 1);
  EXPECT_EQ(outputs[1].to, 3);
}

TEST(Chaining, everyExchangeButForwardBreaksTheChain) {
  for (const PartitionKind kind :
       {PartitionKind::kRebalance, PartitionKind::kRescale, PartitionKind::kShuffle,
        PartitionKind::kBroadcast, PartitionKind::kGlobal, PartitionKind::kHash, PartitionKind::kCustom}) {
    GraphBuilder job;
    job.sink("print", {job.map("work", job.source("lines"), kind)});
    const JobGraph compiled = compile(job.graph);
    EXPECT_EQ(vertexNames(compiled), (Names{"Source: lines", "work -> Sink: print"})) << toString(kind);
    ASSERT_EQ(compiled.edges.size(), 1u);
    EXPECT_EQ(compiled.edges[0].partitioning.kind, kind);
  }
}

TEST(Chaining, explicitForwardChains) {
  GraphBuilder job;
  job.sink("print", {job.map("work", job.source("lines"), PartitionKind::kForward)});
  EXPECT_EQ(compile(job.graph).vertices.size(), 1u);
}

TEST(Chaining, differentParallelismIsRebalanced) {
  GraphBuilder job;
  const int lines = job.source("lines");
  const int work = job.map("work", {lines});
  job.node(work).parallelism = 3;
  job.sink("print", {work});
  const JobGraph compiled = compile(job.graph);
  EXPECT_EQ(vertexNames(compiled), (Names{"Source: lines", "work", "Sink: print"}));
  ASSERT_EQ(compiled.edges.size(), 2u);
  EXPECT_EQ(compiled.edges[0].partitioning.kind, PartitionKind::kRebalance);
  EXPECT_EQ(compiled.edges[1].partitioning.kind, PartitionKind::kRebalance);
}

TEST(Chaining, severalInputsBeginAChain) {
  GraphBuilder job;
  const int left = job.source("left");
  const int right = job.source("right");
  const int united = job.map("united", {left, right});
  const int connected = job.connect("connected", {united, right});
  job.sink("print", {connected});
  EXPECT_EQ(vertexNames(compile(job.graph)),
            (Names{"Source: left", "Source: right", "united", "connected -> Sink: print"}));
}

TEST(Chaining, aStreamUnitedWithItselfArrivesTwice) {
  GraphBuilder job;
  const int lines = job.source("lines");
  job.sink("print", {lines, lines});
  const JobGraph compiled = compile(job.graph);
  EXPECT_EQ(vertexNames(compiled), (Names{"Source: lines", "Sink: print"}));
  EXPECT_EQ(compiled.edges.size(), 2u);
  EXPECT_EQ(compiled.vertices[0].chain[0].outputs.size(), 2u);
}

TEST(Chaining, kNeverStandsAlone) {
  GraphBuilder job;
  const int work = job.map("work", {job.source("lines")});
  job.node(work).chaining = ChainingStrategy::kNever;
  job.sink("print", {work});
  const JobGraph compiled = compile(job.graph);
  EXPECT_EQ(vertexNames(compiled), (Names{"Source: lines", "work", "Sink: print"}));
  EXPECT_EQ(compiled.edges[0].partitioning.kind, PartitionKind::kForward);
}

TEST(Chaining, kHeadBeginsAChainAndIsFollowed) {
  GraphBuilder job;
  const int work = job.map("work", {job.source("lines")});
  job.node(work).chaining = ChainingStrategy::kHead;
  job.sink("print", {work});
  EXPECT_EQ(vertexNames(compile(job.graph)), (Names{"Source: lines", "work -> Sink: print"}));
}

TEST(Chaining, canBeSwitchedOff) {
  GraphBuilder job;
  job.sink("print", {job.map("work", {job.source("lines")})});
  job.graph.chaining = false;
  EXPECT_EQ(vertexNames(compile(job.graph)), (Names{"Source: lines", "work", "Sink: print"}));
}

TEST(Chaining, slotSharingGroupsSeparate) {
  GraphBuilder job;
  const int work = job.map("work", {job.source("lines")});
  job.node(work).slotSharingGroup = "heavy";
  job.sink("print", {work});
  EXPECT_EQ(vertexNames(compile(job.graph)), (Names{"Source: lines", "work -> Sink: print"}));
}

TEST(Chaining, differentMaxParallelismSeparatesOnlyOnRequest) {
  GraphBuilder job;
  const int work = job.map("work", {job.source("lines")});
  job.node(work).maxParallelism = 256;
  job.sink("print", {work});

  const JobGraph together = compile(job.graph);
  EXPECT_EQ(together.vertices.size(), 1u);
  EXPECT_EQ(together.vertices[0].maxParallelism, 128);

  job.graph.chainDifferentMaxParallelism = false;
  const JobGraph apart = compile(job.graph);
  EXPECT_EQ(vertexNames(apart), (Names{"Source: lines", "work", "Sink: print"}));
  EXPECT_EQ(apart.vertices[1].maxParallelism, 256);
}

TEST(Chaining, sideOutputsChainBesideExchanges) {
  GraphBuilder job;
  const int split = job.map("split", {job.source("lines")});
  const int count = job.map("count", split, PartitionKind::kHash);
  const int late = job.sink("late", {split});
  job.node(late).inputs[0].side = SideOutputIndex(1);
  job.sink("print", {count});
  const int rejected = job.map("rejected", split, PartitionKind::kBroadcast);
  job.node(rejected).inputs[0].side = SideOutputIndex(0);

  const JobGraph compiled = compile(job.graph);
  EXPECT_EQ(vertexNames(compiled),
            (Names{"Source: lines -> split -> Sink: late", "count -> Sink: print", "rejected"}));
  const std::vector<ChainedOutput>& outputs = operatorOf(compiled, split).outputs;
  ASSERT_EQ(outputs.size(), 3u);
  EXPECT_EQ(outputs[0].side, SideOutputIndex(-1));
  EXPECT_EQ(outputs[0].to, -1);
  EXPECT_EQ(outputs[0].edge, 0);
  EXPECT_EQ(outputs[1].side, SideOutputIndex(1));
  EXPECT_EQ(outputs[1].to, 2);
  EXPECT_EQ(outputs[1].edge, -1);
  EXPECT_EQ(outputs[2].side, SideOutputIndex(0));
  EXPECT_EQ(outputs[2].edge, 1);
  EXPECT_EQ(compiled.edges[1].side, SideOutputIndex(0));
  EXPECT_EQ(compiled.edges[1].fromOperator, 1);
}

}  // namespace
}  // namespace flott
