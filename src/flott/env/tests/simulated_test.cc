#include "flott/env/simulated.h"

#include <gtest/gtest.h>

#include <string>

#include "flott/base/tests/error_text.h"

namespace flott {
namespace {

using Names = std::vector<std::string>;

TEST(SimulatedClock, StandsStillUntilAdvanced) {
  SimulatedClock clock;
  const int64_t start = clock.monotonicNanos();
  EXPECT_EQ(toString(clock.wallTime()), "2026-01-01T00:00:00.000Z");
  clock.advance(Duration::seconds(90));
  EXPECT_EQ(toString(clock.wallTime()), "2026-01-01T00:01:30.000Z");
  EXPECT_EQ(clock.monotonicNanos() - start, 90'000'000'000);
  clock.advanceTo(start);
  EXPECT_EQ(clock.monotonicNanos() - start, 90'000'000'000);
  clock.advanceTo(start + 91'500'000'000);
  EXPECT_EQ(toString(clock.wallTime()), "2026-01-01T00:01:31.500Z");
}

TEST(SimulatedOffload, RunsInAnOrderThatTheSeedChooses) {
  const auto orderFor = [](uint64_t seed) {
    SimulatedEnv world(seed);
    std::string order;
    for (char c = 'a'; c <= 'h'; ++c)
      EXPECT_TRUE(world.offload().submit(std::string(1, c), [&order, c] { order += c; }));
    while (world.offload().runOne()) continue;
    return order;
  };
  EXPECT_EQ(orderFor(1), orderFor(1));
  EXPECT_EQ(orderFor(1).size(), 8u);
  EXPECT_NE(orderFor(1), orderFor(2));
}

TEST(SimulatedOffload, IsBoundedAndStops) {
  SimulatedEnv world(1);
  world.offload().setCapacity(1);
  EXPECT_TRUE(world.offload().submit("one", [] {}));
  MoveFunction<void()> two = [] {};
  EXPECT_FALSE(world.offload().submit("two", std::move(two)));
  EXPECT_TRUE(two);
  EXPECT_EQ(world.offload().waiting(), Names{"one"});
  EXPECT_EQ(world.env().offload.stop(Duration()), Names{});
  EXPECT_FALSE(world.offload().runOne());
}

TEST(SimulatedFiles, FaultsHaveTheRealTexts) {
  SimulatedEnv world(3);
  SimulatedFiles& files = world.files();
  files.put("in/a", "abc");
  files.setFault("in/a", FileFault::kUnreadable);
  EXPECT_EQ(errorText([&] { files.open("in/a"); }),
            "file 'in/a' may not be read: permission denied; check its owner and mode, and those of the "
            "folders above it");
  files.setFault("in/a", FileFault::kReadOnly);
  EXPECT_EQ(errorText([&] { files.create("in/a", WriteMode::kAppend); }),
            "file 'in/a' may not be written: permission denied; check its owner and mode, and those of the "
            "folders above it");
  files.setFault("in", FileFault::kUnreadable);
  EXPECT_EQ(errorText([&] { files.listFiles("in"); }),
            "folder 'in' may not be listed: permission denied; check its owner and mode, and those of the "
            "folders above it");
}

TEST(SimulatedFiles, FaultsStrikeOpenFiles) {
  SimulatedEnv world(3);
  SimulatedFiles& files = world.files();
  files.put("a", "abc");
  auto reader = files.open("a");
  auto writer = files.create("a", WriteMode::kAppend);
  files.setFault("a", FileFault::kShortReads);
  char block[10];
  EXPECT_EQ(reader->read(1, block), 1u);
  EXPECT_EQ(block[0], 'b');
  files.setFault("a", FileFault::kReadFails);
  EXPECT_EQ(errorText([&] { reader->read(0, block); }, ErrorKind::kTransient),
            "file 'a' cannot be read: input/output error");
  files.setFault("a", FileFault::kWriteFails);
  writer->write("d");
  EXPECT_EQ(errorText([&] { writer->flush(); }, ErrorKind::kTransient),
            "file 'a' cannot be written: input/output error");
  EXPECT_EQ(files.content("a"), "abc");
}

TEST(SimulatedFiles, ADiskFillsUpInTheMiddleOfAWrite) {
  SimulatedEnv world(3);
  SimulatedFiles& files = world.files();
  files.setFreeBytes(5);
  auto writer = files.create("a", WriteMode::kCreate);
  writer->write("1234567");
  EXPECT_EQ(errorText([&] { writer->close(); }, ErrorKind::kTransient),
            "file 'a' cannot be written: no space left on device; free some space there");
  EXPECT_EQ(files.content("a"), "12345");
}

TEST(SimulatedFiles, OneFileHasManySpellings) {
  SimulatedEnv world(3);
  world.files().put("./d//a", "x");
  EXPECT_EQ(world.files().content("d/a"), "x");
  ASSERT_EQ(world.files().glob("*/a").size(), 1u);
  EXPECT_EQ(world.files().glob("*/a")[0].path, "d/a");
  world.files().rename("d", "e");
  EXPECT_EQ(world.files().content("e/a"), "x");
}

TEST(SimulatedNetwork, PeersFollowTheirScripts) {
  SimulatedEnv world(5);
  SimulatedNetwork& network = world.network();
  network.answer("host", 9, {.text = "first"});
  network.answer("host", 9, {.text = "second", .end = PeerEnd::kBreaks});
  network.answer("host", 9, {.end = PeerEnd::kStaysOpen});
  const auto readAll = [](Connection& connection) {
    std::string all;
    char block[4];
    while (const size_t size = connection.read(block)) all.append(block, size);
    return all;
  };
  auto first = network.connect("host", 9, Duration());
  first->write("hello");
  EXPECT_EQ(readAll(*first), "first");
  auto second = network.connect("host", 9, Duration());
  EXPECT_EQ(errorText([&] { readAll(*second); }, ErrorKind::kTransient),
            "the connection to host:9 broke while reading: connection reset by peer");
  auto third = network.connect("host", 9, Duration());
  EXPECT_FALSE(third->waitReadable(Duration::seconds(1)));
  third->write(" again");
  EXPECT_EQ(network.received("host", 9), "hello again");
  EXPECT_EQ(errorText([&] { network.connect("host", 9, Duration()); }, ErrorKind::kTransient),
            "cannot connect to host:9: connection refused: is a server listening there?");
}

TEST(SimulatedNetworkDeathTest, AReadThatWouldWaitIsABug) {
  SimulatedEnv world(5);
  world.network().answer("host", 9, {.end = PeerEnd::kStaysOpen});
  auto connection = world.network().connect("host", 9, Duration());
  char block[4];
  EXPECT_DEATH(connection->read(block), "a read from host:9 would wait for ever");
}

TEST(SimulatedThreadsDeathTest, ThereAreNone) {
  SimulatedEnv world(1);
  EXPECT_DEATH(world.env().threads.start({.name = "lane-0"}, [] {}),
               "no threads: thread 'lane-0' was asked for");
}

TEST(SimulatedSignals, ReachLivingWatchesOnce) {
  SimulatedEnv world(1);
  std::string seen;
  auto watch = world.env().signals.watch([&](int number) { seen += "a" + std::to_string(number); });
  auto other = world.env().signals.watch([&](int number) { seen += "b" + std::to_string(number); });
  other.reset();
  world.signals().raise(15);
  world.signals().raise(2);
  EXPECT_EQ(seen, "a15");
}

TEST(SimulatedOutputs, AreKept) {
  SimulatedEnv world(1);
  const Env env = world.env();
  env.console.out("a\n");
  env.console.out("b\n");
  env.console.err("c\n");
  env.log.warn("task", "slow");
  EXPECT_EQ(world.console().outText(), "a\nb\n");
  EXPECT_EQ(world.console().errText(), "c\n");
  EXPECT_EQ(world.log().lines(), Names{"WARN [task] slow"});
  EXPECT_EQ(env.system.environment("HOME"), std::nullopt);
  world.system().setEnvironment("HOME", "/root");
  EXPECT_EQ(env.system.environment("HOME"), "/root");
}

TEST(LogLevel, IsReadInAnyCase) {
  EXPECT_EQ(parseLogLevel("INFO"), LogLevel::kInfo);
  EXPECT_EQ(parseLogLevel("Warning"), LogLevel::kWarn);
  EXPECT_EQ(toString(LogLevel::kOff), "off");
  EXPECT_EQ(errorText([] { parseLogLevel("loud"); }),
            "'loud' is not a log level: give trace, debug, info, warn, error or off");
}

}  // namespace
}  // namespace flott
