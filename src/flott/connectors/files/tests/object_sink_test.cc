// The file sink in an object store.
#include <gtest/gtest.h>

#include "flott/base/tests/error_text.h"
#include "flott/connectors/files/part_file_sink.h"
#include "flott/connectors/files/tests/plain_names.h"
#include "flott/connectors/tests/sink_run.h"
#include "flott/env/simulated.h"

namespace flott {
namespace {

using Names = std::vector<std::string>;
using Attempt = SinkRun<std::string>;
using Text = FileSink<std::string>;

class ObjectSinkTest : public testing::Test {
 protected:
  Names names() {
    Names all;
    for (const auto& [uri, content] : world.stores().objects()) all.push_back(plainName(uri));
    return all;
  }
  Names contents() {
    Names all;
    for (const auto& [uri, content] : world.stores().objects()) all.push_back(content);
    return all;
  }

  SimulatedEnv world{1};
  Text sink = Text::forRowFormat("s3://bucket/out");
};

TEST_F(ObjectSinkTest, AnObjectIsClosedAtEachBarrierAndPublishedWhole) {
  Attempt attempt(world, sink.withBufferSize(MemorySize(4)));
  attempt.write({"aaa", "bbb"});
  EXPECT_EQ(names(), Names()) << "it is being sent";
  attempt.checkpoint(1);
  EXPECT_EQ(names(), (Names{"s3://bucket/out/.part-0-ID-0.inprogress.0"}));
  attempt.complete(1);
  EXPECT_EQ(names(), (Names{"s3://bucket/out/part-0-ID-0"}));
  EXPECT_EQ(contents(), (Names{"aaa\nbbb\n"}));
  attempt.write({"c"});
  attempt.checkpoint(2);
  attempt.complete(2);
  EXPECT_EQ(contents(), (Names{"aaa\nbbb\n", "c\n"}));
}

TEST_F(ObjectSinkTest, AfterARestoreItIsPublishedOnceAndLeftOversGo) {
  std::string state;
  {
    Attempt attempt(world, sink);
    attempt.write({"a"});
    attempt.checkpoint(1);
    state = attempt.state();
    attempt.write({"of no checkpoint"});
    attempt.checkpoint(2);  // void
  }
  EXPECT_EQ(names().size(), 2u);
  // As it is when a process is killed between the two steps of publishing.
  const auto [uri, content] = *world.stores().objects().begin();
  std::string name = uri.substr(0, uri.find(".inprogress"));
  name.erase(name.find("/.") + 1, 1);
  world.stores().objects()[name] = content;
  Attempt attempt(world, sink, state, 1);
  EXPECT_EQ(names(), (Names{"s3://bucket/out/part-0-ID-0"}));
  EXPECT_EQ(contents(), (Names{"a\n"}));
  attempt.checkpoint(3);
  attempt.complete(3);
  EXPECT_EQ(attempt.task.metrics().count("alreadyCommittedCommittables"), 1);
}

TEST_F(ObjectSinkTest, SmallObjectsAreJoined) {
  Attempt attempt(world, sink.withCompaction({.checkpoints = 3}));
  for (uint64_t i = 1; i < 5; ++i) {
    attempt.write({std::to_string(i)});
    attempt.checkpoint(i);
    attempt.complete(i);
  }
  EXPECT_EQ(names(), (Names{"s3://bucket/out/.part-0-ID-4.inprogress.3", "s3://bucket/out/part-0-ID-3"}));
  EXPECT_EQ(contents()[1], "1\n2\n3\n");
}

TEST_F(ObjectSinkTest, AStoreThatFailsFailsTheAttempt) {
  Attempt attempt(world, sink);
  attempt.write({"a"});
  world.stores().fail("s3://bucket/", "the store is on fire");
  const std::string error = errorText([&] { attempt.checkpoint(1); }, ErrorKind::kTransient);
  EXPECT_TRUE(error.starts_with("object 's3://bucket/out/.part-0-")) << error;
  EXPECT_NE(error.find("could not be written: the store is on fire"), std::string::npos) << error;
}

TEST_F(ObjectSinkTest, WhatAStoreCannotTakeIsRefused) {
  EXPECT_EQ(
      errorText([&] { sink.withRollingPolicy({.maxSize = MemorySize::mb(3000)}); }),
      "the file sink for 's3://bucket/out' makes objects of up to 3000 mb, which cannot be published in a "
      "store: give a maxSize, and a size of the compaction, of not more than 2 gb");
  EXPECT_EQ(errorText([&] { sink.withCompaction({.size = MemorySize::mb(5000)}); }).substr(0, 67),
            "the file sink for 's3://bucket/out' makes objects of up to 5000 mb,");
  EXPECT_NE(errorText([] { Text::forRowFormat("s4://bucket/out"); }).find("unknown scheme 's4'"),
            std::string::npos);
}

}  // namespace
}  // namespace flott
