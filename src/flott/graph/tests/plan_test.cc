#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "flott/graph/tests/graph_builder.h"

namespace flott {
namespace {

GraphBuilder wordCount() {
  GraphBuilder job;
  job.graph.jobName = "word count";
  const int lines = job.source("lines");
  const int split = job.map("split", {lines});
  const int count = job.map("count", split, PartitionKind::kHash);
  const int late = job.sink("late", {split});
  const int print = job.sink("print", {count});
  job.node(lines).outputType = "string";
  job.node(split).outputType = "WordCount{word: string, count: int64}";
  job.node(split).uid = "splitter";
  job.node(count).parallelism = 2;
  job.node(count).description = "sum of count by word";
  job.node(late).inputs[0].side = SideOutputIndex(0);
  job.node(split).sideOutputs = {{.index = SideOutputIndex(0), .name = "too late", .type = "string"}};
  job.node(late).chaining = ChainingStrategy::kNever;
  job.node(print).parallelism = 2;
  return job;
}

TEST(PlanJson, isFlinks) {
  EXPECT_EQ(planJson(wordCount().graph), R"({
  "nodes": [
    {
      "id": 1,
      "type": "Source: lines",
      "pact": "Data Source",
      "contents": "Source: lines",
      "parallelism": 1
    },
    {
      "id": 2,
      "type": "split",
      "pact": "Operator",
      "contents": "split",
      "parallelism": 1,
      "predecessors": [
        {
          "id": 1,
          "ship_strategy": "FORWARD",
          "side": "first"
        }
      ]
    },
    {
      "id": 3,
      "type": "count",
      "pact": "Operator",
      "contents": "sum of count by word",
      "parallelism": 2,
      "predecessors": [
        {
          "id": 2,
          "ship_strategy": "HASH",
          "side": "first"
        }
      ]
    },
    {
      "id": 4,
      "type": "Sink: late",
      "pact": "Data Sink",
      "contents": "Sink: late",
      "parallelism": 1,
      "predecessors": [
        {
          "id": 2,
          "ship_strategy": "FORWARD",
          "side": "first"
        }
      ]
    },
    {
      "id": 5,
      "type": "Sink: print",
      "pact": "Data Sink",
      "contents": "Sink: print",
      "parallelism": 2,
      "predecessors": [
        {
          "id": 3,
          "ship_strategy": "FORWARD",
          "side": "first"
        }
      ]
    }
  ]
})");
}

TEST(PlanJson, tellsTheSidesOfAConnect) {
  GraphBuilder job;
  const int left = job.source("left");
  const int right = job.source("right");
  job.sink("print", {job.connect("joined", {left, right})});
  const nlohmann::json plan = nlohmann::json::parse(planJson(job.graph));
  const nlohmann::json& predecessors = plan["nodes"][2]["predecessors"];
  ASSERT_EQ(predecessors.size(), 2u);
  EXPECT_EQ(predecessors[0]["side"], "first");
  EXPECT_EQ(predecessors[1]["side"], "second");
}

TEST(PlanJson, survivesNamesThatAreNotText) {
  GraphBuilder job;
  job.sink("bad \xff \"name\"", {job.source("lines")});
  const nlohmann::json plan = nlohmann::json::parse(planJson(job.graph));
  EXPECT_EQ(plan["nodes"][1]["type"], "Sink: bad \xef\xbf\xbd \"name\"");
}

TEST(PlanJson, refusesWhatCompileRefuses) {
  GraphBuilder job;
  job.source("lines");
  EXPECT_THROW(planJson(job.graph), Error);
}

TEST(PlanTree, showsVerticesOperatorsAndExchanges) {
  const GraphBuilder job = wordCount();
  EXPECT_EQ(planTree(job.graph, compile(job.graph)), R"(Job 'word count' (vertices: 3, slots: 2)

Vertex 0: Source: lines -> split
  parallelism 1, max parallelism 128, slot sharing group 'default'
  Source: lines [id 1786a69cb5bcb291] gives string
    split [id 01d0dfa2c1d62d7b, uid 'splitter'] gives WordCount{word: string, count: int64}
      => HASH to vertex 1, input 0
      => FORWARD to vertex 2, input 0, side output 'too late'

Vertex 1: count -> Sink: print
  parallelism 2, max parallelism 128, slot sharing group 'default'
  count: sum of count by word [id 49afd8ca21da08cf]
    Sink: print [id c509cc9cfb426071]

Vertex 2: Sink: late
  parallelism 1, max parallelism 128, slot sharing group 'default'
  Sink: late [id 6dcb622a46a0a152]
)");
}

TEST(Plans, nameTheResourcesOfSlots) {
  GraphBuilder job = wordCount();
  job.node(3).slotSharingGroup = "heavy";
  job.graph.slotResources["heavy"] = {.cpuCores = 1.5,
                                      .taskMemory = MemorySize::mb(512),
                                      .managedMemory = MemorySize::mb(1),
                                      .external = {{"gpu", 1}}};
  const std::string tree = planTree(job.graph, compile(job.graph));
  EXPECT_NE(tree.find("\nSlot sharing group 'heavy': 2 slots, each of cpu 1.5, task memory 512 mb, managed "
                      "memory 1 mb, gpu 1\n"),
            std::string::npos)
      << tree;
  EXPECT_EQ(nlohmann::json::parse(planJson(job.graph))["slot_sharing_groups"].dump(),
            R"([{"cpu_cores":1.5,"external":{"gpu":1.0},"managed_memory":1048576,"name":"heavy","slots":2,)"
            R"("task_memory":536870912}])");
}

}  // namespace
}  // namespace flott
