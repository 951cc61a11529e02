// The socket source and sink, in the simulated network.
#include <gtest/gtest.h>

#include "flott/connectors/socket/socket_sink.h"
#include "flott/connectors/socket/socket_source.h"
#include "flott/env/simulated.h"
#include "flott/operators/tests/test_task.h"

namespace flott {
namespace {

using Texts = std::vector<std::string>;

std::string textOf(MoveFunction<void()> deed) {
  try {
    deed();
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

class SocketSourceTest : public testing::Test {
 protected:
  void answer(std::string text, PeerEnd end = PeerEnd::kCloses) {
    world.network().answer("localhost", 9999, {std::move(text), end});
  }
  void start(SocketTextOptions options) {
    options.address.host = "localhost";
    options.address.port = 9999;
    reader = socketTextSource(std::move(options)).factory->createReader();
    reader->open(task);
  }
  void start(int64_t maxRetries) {
    SocketTextOptions options;
    options.address.maxRetries = maxRetries;
    start(std::move(options));
  }
  /// Until it ends or waits for time to go by.
  Poll run() {
    for (;;) {
      const Poll result = reader->poll(task);
      if (result == Poll::kEnd || (result == Poll::kIdle && !task.runOffloaded())) return result;
    }
  }
  /// Waits as long as it wants to.
  Poll wait() {
    task.advanceNanos(task.wakesIn().value());
    EXPECT_TRUE(task.takeCall());
    return run();
  }
  Texts records() { return task.takeRecords<std::string>(); }

  SimulatedEnv world{3};
  Env env = world.env();
  TestTask task{&env};
  std::unique_ptr<SourceReader> reader;
};

TEST_F(SocketSourceTest, CutsLinesAndEndsWithTheConnection) {
  answer("to be\r\nor\n\nnot\rto\nbe");
  start(0);
  EXPECT_EQ(run(), Poll::kEnd);
  EXPECT_EQ(records(), (Texts{"to be", "or", "", "not\rto", "be"}));
  EXPECT_TRUE(task.warnings.empty());
}

TEST_F(SocketSourceTest, ReadsMoreThanABatchInOrder) {
  std::string text;
  Texts expected;
  for (int i = 0; i < 5000; ++i) {
    expected.push_back("line number " + std::to_string(i));
    text += expected.back() + "\n";
  }
  answer(text);
  start(0);
  EXPECT_EQ(run(), Poll::kEnd);
  EXPECT_EQ(records(), expected);
}

TEST_F(SocketSourceTest, FindsLongDelimitersAcrossReads) {
  answer("a<<>b<>>c<>d");
  SocketTextOptions options;
  options.delimiter = "<>";
  start(std::move(options));
  EXPECT_EQ(run(), Poll::kEnd);
  EXPECT_EQ(records(), (Texts{"a<", "b", ">c", "d"}));
  EXPECT_EQ(textOf([] {
              socketTextSource({.address = {"localhost", 1}, .delimiter = ""});
            }),
            "socketTextStream: the delimiter is empty: give the text that ends a record");
}

TEST_F(SocketSourceTest, WaitsWhileThePeerIsQuiet) {
  answer("to be\nor", PeerEnd::kStaysOpen);
  start(0);
  EXPECT_EQ(run(), Poll::kIdle);
  EXPECT_EQ(records(), Texts{"to be"});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(task.wakesIn(), 10'000'000);
    EXPECT_EQ(wait(), Poll::kIdle);
  }
  EXPECT_TRUE(records().empty());
}

TEST_F(SocketSourceTest, RefusedWithoutRetriesSaysWhatToStart) {
  start(0);
  EXPECT_EQ(
      textOf([&] { run(); }),
      "cannot connect to localhost:9999: connection refused: is a server listening there? (not tried again, "
      "because maxRetries is 0; a server has to run there first, for example: nc -lk 9999)");
}

TEST_F(SocketSourceTest, TriesAgainWithLongerAndLongerPauses) {
  start(4);
  EXPECT_EQ(run(), Poll::kIdle);
  for (int64_t millis : {500, 1000, 2000}) {
    EXPECT_EQ(task.wakesIn(), millis * 1'000'000);
    EXPECT_EQ(wait(), Poll::kIdle);
  }
  EXPECT_EQ(
      textOf([&] { wait(); }),
      "cannot connect to localhost:9999: connection refused: is a server listening there? (given up after 4 "
      "retries; a server has to run there first, for example: nc -lk 9999)");
  ASSERT_EQ(task.warnings.size(), 4u);
  EXPECT_EQ(task.warnings[0],
            "cannot connect to localhost:9999: connection refused: is a server listening there? Trying again "
            "in 500 "
            "ms");
  EXPECT_TRUE(task.warnings[3].ends_with("Trying again in 4 s")) << task.warnings[3];
}

TEST_F(SocketSourceTest, RetriesForEverWithPausesUpToALimit) {
  start(-1);
  run();
  for (int i = 0; i < 20; ++i) wait();
  EXPECT_EQ(task.wakesIn(), 30'000'000'000);
  answer("here\n", PeerEnd::kStaysOpen);
  wait();
  EXPECT_EQ(records(), Texts{"here"});
}

TEST_F(SocketSourceTest, PausesBeginAgainAfterBytesHaveCome) {
  start(2);
  run();
  answer("one\n");
  wait();
  EXPECT_EQ(records(), Texts{"one"});
  EXPECT_EQ(task.warnings.back(), "localhost:9999 has closed the connection; trying again in 500 ms");
  answer("two\n");
  wait();
  EXPECT_EQ(records(), Texts{"two"});
  EXPECT_EQ(task.wakesIn(), 500'000'000);
}

TEST_F(SocketSourceTest, EndsWhenThePeerEndsAndNoRetryIsLeft) {
  answer("one\n");
  start(1);
  EXPECT_EQ(run(), Poll::kIdle);
  answer("");
  EXPECT_EQ(wait(), Poll::kEnd);
  EXPECT_EQ(records(), Texts{"one"});
}

TEST_F(SocketSourceTest, ABrokenConnectionDropsItsHalfLineAndSaysSo) {
  answer("whole\nha", PeerEnd::kBreaks);
  start(1);
  EXPECT_EQ(run(), Poll::kIdle);
  EXPECT_EQ(
      task.warnings,
      (Texts{
          "the last 2 bytes from localhost:9999 are dropped: the connection broke before the end of the "
          "line",
          "the connection to localhost:9999 broke while reading: connection reset by peer; trying again in "
          "500 ms"}));
  answer("next\n");
  EXPECT_EQ(wait(), Poll::kIdle);
  EXPECT_EQ(records(), (Texts{"whole", "next"}));
}

TEST_F(SocketSourceTest, BrokenWithoutRetriesFails) {
  answer("", PeerEnd::kBreaks);
  start(0);
  EXPECT_TRUE(
      textOf([&] { run(); })
          .starts_with("the connection to localhost:9999 broke while reading: connection reset by peer (not "
                       "tried again"));
}

TEST_F(SocketSourceTest, LinesHaveALimit) {
  SocketTextOptions options;
  options.maxRecordBytes = 1024;
  answer("ok\n" + std::string(1024, 'x') + "\n" + std::string(1025, 'y') + "\n");
  start(std::move(options));
  EXPECT_EQ(
      textOf([&] { run(); }),
      "line 3 from localhost:9999 is longer than 1 kb: does the server send the delimiter that the job looks "
      "for?");
}

TEST_F(SocketSourceTest, ALineWithoutEndFailsBeforeItIsComplete) {
  SocketTextOptions options;
  options.maxRecordBytes = 1024;
  answer(std::string(5000, 'x'), PeerEnd::kStaysOpen);
  start(std::move(options));
  EXPECT_TRUE(textOf([&] { run(); }).starts_with("line 1 from localhost:9999 is longer than 1 kb"));
}

TEST_F(SocketSourceTest, ClosingEndsAReadThatIsUnderWay) {
  const auto listener = world.network().listen("localhost", 9999);
  start(0);
  reader->poll(task);
  task.runOffloaded();  // connects
  const auto peer = listener->accept(Duration());
  reader->poll(task);
  EXPECT_EQ(task.offloaded(), Texts{"read from localhost:9999"});
  EXPECT_FALSE(peer->waitReadable(Duration()));
  reader->close();
  EXPECT_TRUE(peer->waitReadable(Duration())) << "the end of the connection";
}

std::string toLine(const int64_t& value) { return std::to_string(value) + "\n"; }

class SocketSinkTest : public testing::Test {
 protected:
  using Sink = SocketSink<int64_t, std::string (*)(const int64_t&)>;
  void start(int64_t maxRetries) {
    sink = sinkOperator<int64_t>(Sink({"localhost", 9999, maxRetries}, &toLine))->create();
    sink->open(task);
  }
  /// Runs off-loaded work and the calls that follow from it.
  Step run() {
    Step step = Step::kDone;
    do {
      while (task.takeCall()) step = sink->resume(task);
    } while (task.runOffloaded());
    return step;
  }
  std::string received() { return world.network().received("localhost", 9999); }

  SimulatedEnv world{5};
  Env env = world.env();
  TestTask task{&env};
  std::unique_ptr<Operator> sink;
};

TEST_F(SocketSinkTest, WritesInOrderAndEndsWhenAllIsWritten) {
  world.network().answer("localhost", 9999, {.end = PeerEnd::kStaysOpen});
  start(0);
  EXPECT_EQ(sink->onBatch(0, task.batchOf<int64_t>({1, 2}), task), Step::kDone);
  run();
  EXPECT_EQ(received(), "1\n2\n");
  EXPECT_EQ(sink->onBatch(0, task.batchOf<int64_t>({3}), task), Step::kDone);
  EXPECT_EQ(sink->onEndOfInput(0, task), Step::kWait);
  EXPECT_EQ(run(), Step::kDone);
  EXPECT_EQ(received(), "1\n2\n3\n");
}

TEST_F(SocketSinkTest, HoldsTheJobBackWhileItCannotWrite) {
  world.network().answer("localhost", 9999, {.end = PeerEnd::kStaysOpen});
  start(0);
  size_t batches = 0;
  Step step = Step::kDone;
  while (step == Step::kDone && batches < 10'000) {  // 700 bytes each
    step = sink->onBatch(0, task.batchOf(std::vector<int64_t>(100, 123456)), task);
    ++batches;
  }
  EXPECT_EQ(step, Step::kWait);
  EXPECT_EQ(batches, (size_t{1} << 20) / 700 + 1);
  EXPECT_EQ(run(), Step::kDone);
  EXPECT_EQ(received().size(), batches * 700);
}

TEST_F(SocketSinkTest, ConnectsAgainAndWritesWhatFailedAgain) {
  world.network().answer("localhost", 9999, {.end = PeerEnd::kBreaks});
  world.network().answer("localhost", 9999, {.end = PeerEnd::kStaysOpen});
  start(1);
  sink->onBatch(0, task.batchOf<int64_t>({1}), task);
  run();
  EXPECT_EQ(received(), "");
  EXPECT_EQ(task.warnings,
            Texts{"the connection to localhost:9999 broke while writing: connection reset by peer; "
                  "trying again in 500 ms"});
  EXPECT_EQ(sink->onEndOfInput(0, task), Step::kWait);
  task.advanceNanos(task.wakesIn().value());
  EXPECT_EQ(run(), Step::kDone);
  EXPECT_EQ(received(), "1\n");
}

TEST_F(SocketSinkTest, RefusedFailsBeforeTheFirstRecord) {
  start(0);
  EXPECT_TRUE(textOf([&] { run(); }).starts_with("cannot connect to localhost:9999: connection refused"));
}

}  // namespace
}  // namespace flott
