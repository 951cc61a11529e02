#include "bench/loops/socket_pair.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <thread>

#include "bench/loops/exchange.h"

namespace flott::bench {
namespace {

constexpr size_t kRecords = 4096;  // of a block

int orThrow(int result) {
  if (result < 0) throw std::runtime_error("the loopback connection cannot be made");
  return result;
}

struct Pair {
  int from = -1;
  int to = -1;

  Pair() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    const int listener = orThrow(::socket(AF_INET, SOCK_STREAM, 0));
    orThrow(::bind(listener, generic, size));
    orThrow(::listen(listener, 1));
    orThrow(::getsockname(listener, generic, &size));
    from = orThrow(::socket(AF_INET, SOCK_STREAM, 0));
    orThrow(::connect(from, generic, size));
    to = orThrow(::accept(listener, nullptr, nullptr));
    ::close(listener);
  }
  ~Pair() {
    ::close(from);
    ::close(to);
  }
};

void produce(uint64_t records, int socket) {
  const auto block = std::make_unique<KeyValue[]>(kRecords);
  for (uint64_t next = 0; next < records;) {
    const uint64_t count = std::min<uint64_t>(kRecords, records - next);
    for (uint64_t i = 0; i < count; ++i) block[i] = exchangeInput(next + i);
    next += count;
    const char* at = reinterpret_cast<const char*>(block.get());
    for (size_t left = count * sizeof(KeyValue); left > 0;) {
      const ssize_t sent = ::send(socket, at, left, MSG_NOSIGNAL);
      if (sent <= 0) return;  // the reader finds that records are missing
      at += sent;
      left -= static_cast<size_t>(sent);
    }
  }
}

}  // namespace

Outcome socketPairLoop(const Load& load) {
  const Pair pair;
  std::thread producer([&] { produce(load.size, pair.from); });
  Outcome outcome{.records = load.size};
  const auto block = std::make_unique<KeyValue[]>(kRecords);
  auto* bytes = reinterpret_cast<char*>(block.get());
  for (size_t have = 0; outcome.results < load.size;) {
    const ssize_t got = ::recv(pair.to, bytes + have, kRecords * sizeof(KeyValue) - have, 0);
    if (got <= 0) break;
    have += static_cast<size_t>(got);
    const size_t whole = have / sizeof(KeyValue);
    for (size_t i = 0; i < whole; ++i) outcome.checksum += fold(block[i]);
    outcome.results += whole;
    have -= whole * sizeof(KeyValue);
    std::copy_n(bytes + whole * sizeof(KeyValue), have, bytes);
  }
  producer.join();
  return outcome;
}

}  // namespace flott::bench
