// What is worth waiting for, and who waits on whom.
#include "flott/rest/waiting_room.h"

#include <gtest/gtest.h>

#include "flott/rest/http_server.h"
#include "flott/rest/tests/loopback.h"

namespace flott {
namespace {

TEST(WaitingRoom, WaitsForTheHeadAndAShortBody) {
  EXPECT_EQ(bytesWorthWaitingFor("", 10), std::nullopt);
  EXPECT_EQ(bytesWorthWaitingFor("GET / HTTP/1.1\r\nHost: x\r\n", 10), std::nullopt);
  EXPECT_EQ(bytesWorthWaitingFor("GET / HTTP/1.1\r\nHost: x\r\n\r\n", 10), 27u);
  EXPECT_EQ(bytesWorthWaitingFor("GET / HTTP/1.1\r\nCONTENT-length:  7\r\n\r\n", 10), 38u + 7);
  EXPECT_EQ(bytesWorthWaitingFor("GET / HTTP/1.1\r\nContent-Length: 11\r\n\r\n", 10), 38u) << "too long";
  for (const char* odd : {"x", "", "-1", "99999999999999999999999"})
    EXPECT_EQ(bytesWorthWaitingFor("A\r\nContent-Length:" + std::string(odd) + "\r\n\r\n", 10),
              22 + std::string(odd).size());
}

class Quick final : public RestHandler {
 public:
  RestResponse answer(const RestRequest& request) override { return RestResponse::json(request.body); }
};

// One thread answers, and a hundred clients drag their requests out.
TEST(WaitingRoom, SlowClientsKeepNobodyWaiting) {
  Loopback world;
  Quick handler;
  const HttpServer server(
      world.env, {.ports = {{0, 0}}, .threads = 1, .waiting = 1, .requestTime = Duration::seconds(60)},
      handler);
  const auto port = static_cast<uint16_t>(server.port());
  std::vector<std::unique_ptr<Connection>> slow;
  for (int i = 0; i < 100; ++i) {
    slow.push_back(world.env.network.connect("127.0.0.1", port, Duration::seconds(10)));
    slow.back()->write(i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: local"
                                  : "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\na");
  }
  EXPECT_EQ(world.ask(server.port(), "/").status, 200);
  slow[1]->write("bc");
  char block[4096];
  std::string answer;
  while (const size_t n = slow[1]->read(block)) answer.append(block, n);
  EXPECT_TRUE(answer.ends_with("\r\n\r\nabc")) << answer;
  slow[0]->write("host\r\n\r\n");
  EXPECT_GT(slow[0]->read(block), 0u);
}

TEST(WaitingRoom, WhoHasWaitedLongestGoesWhenItIsFull) {
  Loopback world;
  Quick handler;
  const HttpServer server(
      world.env, {.ports = {{0, 0}}, .connections = 2, .requestTime = Duration::seconds(60)}, handler);
  const auto port = static_cast<uint16_t>(server.port());
  const auto first = world.env.network.connect("127.0.0.1", port, Duration::seconds(10));
  first->write("GET / HT");
  const auto second = world.env.network.connect("127.0.0.1", port, Duration::seconds(10));
  const auto third = world.env.network.connect("127.0.0.1", port, Duration::seconds(10));
  char block[4096];
  std::string answer;
  while (const size_t n = first->read(block)) answer.append(block, n);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408 ")) << answer;
  EXPECT_EQ(world.ask(server.port(), "/").status, 200);
}

}  // namespace
}  // namespace flott
