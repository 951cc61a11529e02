// TCP that never waits: each test of AsyncWorlds runs on real sockets and on simulated wires.

#include <gtest/gtest.h>

#include <string>

#include "flott/base/tests/error_text.h"
#include "flott/env/posix/async_network.h"
#include "flott/env/posix/real_env.h"
#include "flott/env/simulated.h"
#include "flott/env/simulated_async_network.h"

namespace flott {
namespace {

constexpr Duration kTimeout = Duration::seconds(10);

// Two hosts, and the passing of time.
class AsyncWorlds : public testing::TestWithParam<bool> {
 protected:
  AsyncWorlds() {
    left_ = GetParam() ? makeAsyncNetwork(real_->env().clock) : wires_.addHost("10.0.0.1");
    right_ = GetParam() ? makeAsyncNetwork(real_->env().clock) : wires_.addHost("10.0.0.2");
  }
  std::string address() const { return GetParam() ? "127.0.0.1" : "10.0.0.2"; }

  void pass() {
    if (!GetParam()) {
      const int64_t next = std::min(left_->nextEventNanos(), right_->nextEventNanos());
      FLOTT_CHECK(next != kNoDeadline, "nothing will ever happen");
      simulated_.clock().advanceTo(next);
    }
    left_->poll(deadline());
    right_->poll(deadline());
  }
  int64_t deadline() const {
    return GetParam() ? deadlineAfter(real_->env().clock, Duration::millis(1)) : int64_t{0};
  }
  std::unique_ptr<AsyncConnection> accept(AsyncListener& listener) {
    for (int i = 0; i < kRounds; ++i) {
      if (auto peer = listener.accept()) return peer;
      pass();
    }
    return nullptr;
  }
  void untilReady(AsyncConnection& connection) {
    for (int i = 0; i < kRounds && !connection.ready(); ++i) pass();
  }
  // What fails, with its text, once it does.
  template <typename Try>
  std::string failureOf(Try attempt) {
    for (int i = 0; i < kRounds; ++i) {
      try {
        attempt();
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::kTransient);
        return error.what();
      }
      pass();
    }
    return "none";
  }

  static constexpr int kRounds = 50'000;
  std::unique_ptr<RealEnv> real_ = makeRealEnv({.offloadThreads = 1, .offloadQueue = 2});
  SimulatedEnv simulated_{11};
  SimulatedWires wires_{simulated_.clock(), simulated_.random().fork("wires"), {.roomBytes = 5'000}};
  std::unique_ptr<AsyncNetwork> left_;
  std::unique_ptr<AsyncNetwork> right_;
};

std::string numbers(int from, int to) {
  std::string text;
  for (int i = from; i < to; ++i) text += std::to_string(i) + ' ';
  return text;
}

Io write(AsyncConnection& connection, std::string_view bytes) {
  const std::string_view parts[] = {bytes.substr(0, 3), "", bytes.size() < 3 ? "" : bytes.substr(3)};
  return connection.write(parts);
}

TEST_P(AsyncWorlds, BytesGoBothWaysInOrder) {
  auto listener = right_->listen(address(), 0);
  EXPECT_EQ(listener->accept(), nullptr);
  auto caller = left_->connect(address(), listener->port(), kTimeout);
  EXPECT_EQ(caller->address(), address() + ":" + std::to_string(listener->port()));
  auto peer = accept(*listener);
  ASSERT_NE(peer, nullptr);
  EXPECT_TRUE(peer->ready());
  const std::string sent[] = {numbers(0, 20'000), numbers(5, 9'000)};
  std::string got[2];
  size_t at[2] = {};
  AsyncConnection* ends[] = {caller.get(), peer.get()};
  for (int round = 0; got[0] != sent[1] || got[1] != sent[0]; ++round) {
    ASSERT_LT(round, kRounds) << got[0].size() << " and " << got[1].size();
    bool moved = false;
    for (int i = 0; i < 2; ++i) {
      const Io out = write(*ends[i], std::string_view(sent[i]).substr(at[i]));
      at[i] += out.bytes;
      char block[700];
      const Io in = ends[i]->read(block);
      ASSERT_NE(in.state, Io::State::kEnded);
      EXPECT_EQ(in.state == Io::State::kDone, in.bytes > 0);
      got[i].append(block, in.bytes);
      moved |= out.bytes > 0 || in.bytes > 0;
    }
    if (!moved) pass();
  }
}

TEST_P(AsyncWorlds, AWriterWaitsForItsReaderAndIsToldOfRoom) {
  auto listener = right_->listen(address(), 0);
  auto caller = left_->connect(address(), listener->port(), kTimeout);
  auto peer = accept(*listener);
  untilReady(*caller);
  const std::string block(100'000, 'x');
  size_t sent = 0;
  for (Io io; (io = write(*caller, block)).state == Io::State::kDone;) {
    sent += io.bytes;
    ASSERT_LT(sent, size_t{1} << 28) << "no end of room";
  }
  caller->ready();
  size_t got = 0;
  std::string into(100'000, ' ');
  for (int round = 0; got < sent; ++round) {
    ASSERT_LT(round, kRounds);
    const Io io = peer->read(into);
    ASSERT_NE(io.state, Io::State::kEnded);
    got += io.bytes;
    if (io.bytes == 0) pass();
  }
  untilReady(*caller);
  EXPECT_EQ(write(*caller, "more").state, Io::State::kDone);
}

TEST_P(AsyncWorlds, TheEndComesBehindTheLastByteAndWritingToItFails) {
  auto listener = right_->listen(address(), 0);
  auto caller = left_->connect(address(), listener->port(), kTimeout);
  auto peer = accept(*listener);
  untilReady(*caller);
  std::string_view last = "the last words";
  for (int round = 0; round < kRounds && !last.empty(); ++round)
    last.remove_prefix(write(*caller, last).bytes);
  caller.reset();
  std::string got;
  char block[100];
  for (int round = 0; round < kRounds; ++round) {
    const Io io = peer->read(block);
    if (io.state == Io::State::kEnded) break;
    got.append(block, io.bytes);
    if (io.bytes == 0) pass();
  }
  EXPECT_EQ(got, "the last words");
  EXPECT_EQ(peer->read(block).state, Io::State::kEnded);
  const std::string text = failureOf([&] { write(*peer, "too late"); });
  EXPECT_EQ(text.find("the connection to a peer of " + address()), 0u) << text;
  EXPECT_NE(text.find("broke while writing"), std::string::npos) << text;
  EXPECT_EQ(errorText([&] { peer->read(block); }, ErrorKind::kTransient), text) << "it stays broken";
}

TEST_P(AsyncWorlds, ARefusedConnectionAsksForAServer) {
  const uint16_t port = right_->listen(address(), 0)->port();
  auto caller = left_->connect(address(), port, kTimeout);
  char block[10];
  const std::string text = failureOf([&] { EXPECT_EQ(caller->read(block).state, Io::State::kWaits); });
  EXPECT_EQ(text, "cannot connect to " + address() + ":" + std::to_string(port) +
                      ": connection refused: is a server listening there?");
  EXPECT_EQ(errorText([&] { write(*caller, "x"); }, ErrorKind::kTransient), text);
}

TEST_P(AsyncWorlds, OnlyNumericAddressesAndFreePortsWillDo) {
  EXPECT_EQ(errorText([&] { left_->connect("localhost", 80, kTimeout); }),
            "'localhost' is no numeric address: give one like 10.0.0.7 or fd00::7");
  auto listener = right_->listen(address(), 0);
  EXPECT_EQ(errorText([&] { right_->listen(address(), listener->port()); }, ErrorKind::kTransient),
            "cannot listen on " + address() + ":" + std::to_string(listener->port()) +
                ": address already in use; another process has the port: give another one");
}

TEST_P(AsyncWorlds, ConnectionsMayDieWhileTheirEventsAreOnTheWay) {
  auto listener = right_->listen(address(), 0);
  for (int i = 0; i < 20; ++i) {
    auto caller = left_->connect(address(), listener->port(), kTimeout);
    if (i % 3 == 0) continue;
    auto peer = accept(*listener);
    ASSERT_NE(peer, nullptr);
    if (i % 3 == 1) untilReady(*caller);
    if (i % 3 == 1) write(*caller, "unread");
  }
  left_->poll(0);
  right_->poll(0);
}

INSTANTIATE_TEST_SUITE_P(Both, AsyncWorlds, testing::Bool(),
                         [](const auto& info) { return info.param ? "Real" : "Simulated"; });

TEST(AsyncNetwork, AnotherThreadEndsAPoll) {
  auto real = makeRealEnv({.offloadThreads = 1, .offloadQueue = 2});
  auto network = makeAsyncNetwork(real->env().clock);
  network->wake();
  network->poll(kNoDeadline);  // does not wait
  for (int i = 0; i < 20; ++i) {
    auto thread = real->env().threads.start({.name = "waker"}, [&] { network->wake(); });
    network->poll(kNoDeadline);
    thread->join();
  }
  const int64_t soon = deadlineAfter(real->env().clock, Duration::millis(2));
  while (real->env().clock.monotonicNanos() < soon) network->poll(soon);
}

class SimulatedWiresTest : public testing::Test {
 protected:
  void pass() {
    const int64_t next = std::min(left_->nextEventNanos(), right_->nextEventNanos());
    FLOTT_CHECK(next != kNoDeadline, "nothing will ever happen");
    world_.clock().advanceTo(next);
    left_->poll(0);
    right_->poll(0);
  }
  void connect() {
    caller_ = left_->connect("10.0.0.2", 7000, kTimeout);
    while ((peer_ = listener_->accept()) == nullptr) pass();
    EXPECT_TRUE(peer_->ready());
    while (!caller_->ready()) pass();
  }
  Io::State stateOf(AsyncConnection& connection) { return connection.read(block_).state; }

  SimulatedEnv world_{3};
  SimulatedWires wires_{world_.clock(), world_.random().fork("wires")};
  std::unique_ptr<AsyncNetwork> left_ = wires_.addHost("10.0.0.1");
  std::unique_ptr<AsyncNetwork> right_ = wires_.addHost("10.0.0.2");
  std::unique_ptr<AsyncListener> listener_ = right_->listen("10.0.0.2", 7000);
  std::unique_ptr<AsyncConnection> caller_;
  std::unique_ptr<AsyncConnection> peer_;
  char block_[100];
};

TEST_F(SimulatedWiresTest, ACutBreaksBothEndsAndLosesWhatIsOnItsWay) {
  connect();
  write(*caller_, "lost");
  EXPECT_EQ(stateOf(*peer_), Io::State::kWaits);
  wires_.cut("10.0.0.2", "10.0.0.1");
  pass();
  EXPECT_TRUE(peer_->ready());
  EXPECT_EQ(errorText([&] { stateOf(*peer_); }, ErrorKind::kTransient),
            "the connection to a peer of 10.0.0.2:7000 broke while reading: connection reset by peer");
  EXPECT_EQ(errorText([&] { write(*caller_, "x"); }, ErrorKind::kTransient),
            "the connection to 10.0.0.2:7000 broke while writing: connection reset by peer");
}

TEST_F(SimulatedWiresTest, PartedHostsHearNothingUntilTheyAreJoined) {
  connect();
  wires_.part("10.0.0.1", "10.0.0.2");
  for (size_t sent = 0; sent < 4;) sent += write(*caller_, std::string_view("late").substr(sent)).bytes;
  EXPECT_EQ(stateOf(*peer_), Io::State::kWaits);
  EXPECT_EQ(right_->nextEventNanos(), kNoDeadline);
  auto second = left_->connect("10.0.0.2", 7000, Duration::seconds(5));
  while (!second->ready()) pass();
  EXPECT_EQ(errorText([&] { stateOf(*second); }, ErrorKind::kTransient),
            "cannot connect to 10.0.0.2:7000: no answer within 5 s: is the address right, and a firewall "
            "open?");
  wires_.join("10.0.0.1", "10.0.0.2");
  std::string got;
  while (got.size() < 4) {
    const Io io = peer_->read(block_);
    got.append(block_, io.bytes);
    if (io.bytes == 0) pass();
  }
  EXPECT_EQ(got, "late");
}

}  // namespace
}  // namespace flott
