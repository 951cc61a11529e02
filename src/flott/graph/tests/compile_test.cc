#include <gtest/gtest.h>

#include "flott/graph/tests/graph_builder.h"

namespace flott {
namespace {

TEST(Compile, sourcesComeFirstAndEveryEdgeGoesForward) {
  GraphBuilder job;
  const int a = job.source("a");
  const int shuffled = job.map("shuffled", a, PartitionKind::kShuffle);
  const int b = job.source("b");
  const int joined = job.connect("joined", {shuffled, b});
  job.sink("print", {joined});
  const JobGraph compiled = compile(job.graph);
  EXPECT_EQ(vertexNames(compiled),
            (std::vector<std::string>{"Source: a", "Source: b", "shuffled", "joined -> Sink: print"}));
  for (const JobEdge& edge : compiled.edges) EXPECT_LT(edge.from, edge.to);
}

TEST(Compile, indicesPointAtEachOther) {
  GraphBuilder job;
  const int a = job.source("a");
  const int b = job.source("b");
  const int parsed = job.map("parsed", {a});
  const int keyed = job.map("keyed", parsed, PartitionKind::kHash);
  const int joined = job.connect("joined", {b, keyed});
  job.sink("print", {joined});
  job.sink("file", {parsed, b});

  const JobGraph compiled = compile(job.graph);
  for (size_t v = 0; v < compiled.vertices.size(); ++v) {
    const JobVertex& vertex = compiled.vertices[v];
    EXPECT_EQ(vertex.id, static_cast<int>(v));
    for (const int edge : vertex.inputEdges) EXPECT_EQ(compiled.edges[edge].to, vertex.id);
    for (const int edge : vertex.outputEdges) EXPECT_EQ(compiled.edges[edge].from, vertex.id);
  }
  for (size_t e = 0; e < compiled.edges.size(); ++e) {
    const JobEdge& edge = compiled.edges[e];
    EXPECT_EQ(edge.id, static_cast<int>(e));
    const ChainedOperator& from = compiled.vertices[edge.from].chain[edge.fromOperator];
    int found = 0;
    for (const ChainedOutput& output : from.outputs) found += output.edge == edge.id;
    EXPECT_EQ(found, 1);
  }
}

TEST(Compile, inputEdgesAreOrderedByInputThenCreation) {
  GraphBuilder job;
  const int a = job.source("a");
  const int b = job.source("b");
  const int c = job.source("c");
  const int joined = job.map("joined", {a, b, c});
  job.node(joined).inputs[0].input = 1;
  job.sink("print", {joined});
  const JobGraph compiled = compile(job.graph);
  const JobVertex& vertex = compiled.vertices[3];
  std::vector<int> from;
  for (const int edge : vertex.inputEdges) from.push_back(compiled.edges[edge].from);
  EXPECT_EQ(from, (std::vector<int>{1, 2, 0}));
  EXPECT_EQ(compiled.edges[vertex.inputEdges[2]].input, 1);
}

TEST(Compile, factoriesAndPartitioningsTravelAlong) {
  GraphBuilder job;
  const int lines = job.source("lines");
  const int keyed = job.map("keyed", lines, PartitionKind::kHash);
  const int routed = job.map("routed", keyed, PartitionKind::kCustom);
  const int print = job.sink("print", {routed});
  // Only the addresses matter here: the room cannot see what a factory is.
  static const char source = 0, op = 0;
  job.node(lines).source = {std::shared_ptr<void>(), reinterpret_cast<const SourceFactory*>(&source)};
  job.node(print).op = {std::shared_ptr<void>(), reinterpret_cast<const OperatorFactory*>(&op)};

  const JobGraph compiled = compile(job.graph);
  EXPECT_EQ(operatorOf(compiled, lines).source, job.node(lines).source);
  EXPECT_EQ(operatorOf(compiled, print).op, job.node(print).op);
  EXPECT_EQ(compiled.edges[0].partitioning.hasher, job.node(keyed).inputs[0].partitioning.hasher);
  EXPECT_EQ(compiled.edges[1].partitioning.router, job.node(routed).inputs[0].partitioning.router);
}

TEST(Compile, theBufferTimeoutIsThatOfTheSender) {
  GraphBuilder job;
  job.graph.bufferTimeout = Duration::millis(7);
  const int lines = job.source("lines");
  const int count = job.map("count", lines, PartitionKind::kHash);
  const int total = job.map("total", count, PartitionKind::kGlobal);
  job.node(count).bufferTimeout = Duration::millis(0);
  job.sink("print", {total});
  const JobGraph compiled = compile(job.graph);
  EXPECT_EQ(compiled.edges[0].bufferTimeout, Duration::millis(7));
  EXPECT_EQ(compiled.edges[1].bufferTimeout, Duration::millis(0));
}

TEST(Compile, aWideAndDeepGraphStaysConsistent) {
  GraphBuilder job;
  std::vector<int> ends = {job.source("s0"), job.source("s1"), job.source("s2")};
  for (int i = 0; i < 300; ++i) {
    const int from = ends[i % ends.size()];
    const int id = i % 5 == 0   ? job.map("hash", from, PartitionKind::kHash)
                   : i % 7 == 0 ? job.connect("both", {from, ends[(i + 1) % ends.size()]})
                                : job.map("map", {from});
    job.node(id).parallelism = i % 11 == 0 ? 3 : 0;
    ends[i % ends.size()] = id;
  }
  for (const int end : ends) job.sink("print", {end});

  const JobGraph compiled = compile(job.graph);
  EXPECT_EQ(planTree(job.graph, compiled), planTree(job.graph, compile(job.graph)));
  std::vector<int> seen(job.graph.nodes.size());
  for (const JobVertex& vertex : compiled.vertices) {
    for (size_t i = 0; i < vertex.chain.size(); ++i) {
      ++seen[vertex.chain[i].node - 1];
      for (const ChainedOutput& output : vertex.chain[i].outputs) {
        if (output.to >= 0) {
          EXPECT_GT(output.to, static_cast<int>(i));
        }
      }
    }
  }
  EXPECT_EQ(seen, std::vector<int>(job.graph.nodes.size(), 1));
  for (const JobEdge& edge : compiled.edges) {
    EXPECT_LT(edge.from, edge.to);
    if (edge.partitioning.kind == PartitionKind::kForward) {
      EXPECT_EQ(compiled.vertices[edge.from].parallelism, compiled.vertices[edge.to].parallelism);
    }
  }
}

TEST(Compile, verticesAreDescribedAsATreeOrInALine) {
  GraphBuilder job;
  const int lines = job.source("lines");
  const int split = job.map("split", {lines});
  job.sink("print", {job.map("upper", {split})});
  job.sink("store", {split});
  job.node(split).description = "cuts lines into words";
  EXPECT_EQ(compile(job.graph).vertices[0].description,
            "Source: lines\n"
            "+- cuts lines into words\n"
            "   :- upper\n"
            "   :  +- Sink: print\n"
            "   +- Sink: store\n");
  job.graph.cascadingDescriptions = true;
  EXPECT_EQ(compile(job.graph).vertices[0].description,
            "Source: lines -> cuts lines into words -> (upper -> Sink: print, Sink: store)");
  EXPECT_EQ(compile(job.graph).vertices[0].name,
            "Source: lines -> split -> (upper -> Sink: print, Sink: store)");
}

TEST(Compile, namesOfVerticesMayBeginWithTheirNumbers) {
  GraphBuilder job;
  job.sink("print", {job.map("count", job.source("lines"), PartitionKind::kHash)});
  job.graph.vertexIndexPrefix = true;
  EXPECT_EQ(vertexNames(compile(job.graph)),
            (std::vector<std::string>{"[vertex-0]Source: lines", "[vertex-1]count -> Sink: print"}));
}

}  // namespace
}  // namespace flott
