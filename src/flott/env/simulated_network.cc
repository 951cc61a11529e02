#include "flott/env/simulated_network.h"

#include <algorithm>
#include <cerrno>

#include "flott/base/error.h"
#include "flott/env/failures.h"

namespace flott {

// One direction of a connection.
struct SimulatedNetwork::Pipe {
  std::string bytes;
  bool ended = false;   // no more bytes will come
  bool broken = false;  // reads (once empty) and writes fail
};

// Peers that wait to be accepted.
struct SimulatedNetwork::Backlog {
  std::deque<std::unique_ptr<Connection>> peers;
  bool closed = false;
};

class SimulatedNetwork::End final : public Connection {
 public:
  End(std::string address, Random random, std::shared_ptr<Pipe> in, std::shared_ptr<Pipe> out)
      : address_(std::move(address)), random_(random), in_(std::move(in)), out_(std::move(out)) {}
  ~End() override { close(); }

  size_t read(std::span<char> into) override {
    FLOTT_CHECK(waitReadable(Duration()),
                "a read from " + address_ + " would wait for ever; ask waitReadable() first");
    if (!in_->bytes.empty()) {
      const size_t size = std::min(into.size(), size_t{1} + random_.below(in_->bytes.size()));
      in_->bytes.copy(into.data(), size);
      in_->bytes.erase(0, size);
      return size;
    }
    if (in_->broken && !closed_) throw connectionBroken(address_, "reading", ECONNRESET);
    return 0;
  }

  bool waitReadable(Duration) override { return !in_->bytes.empty() || in_->ended || in_->broken || closed_; }

  void write(std::string_view bytes) override {
    if (closed_ || out_->ended) throw connectionBroken(address_, "writing", EPIPE);
    if (in_->broken && in_->bytes.empty()) throw connectionBroken(address_, "writing", ECONNRESET);
    out_->bytes.append(bytes);
  }

  void close() noexcept override {
    closed_ = true;
    in_->ended = out_->ended = true;
  }

 private:
  const std::string address_;
  Random random_;
  const std::shared_ptr<Pipe> in_;
  const std::shared_ptr<Pipe> out_;
  bool closed_ = false;
};

class SimulatedNetwork::Door final : public Listener {
 public:
  Door(uint16_t port, std::shared_ptr<Backlog> backlog) : port_(port), backlog_(std::move(backlog)) {}
  ~Door() override { close(); }

  uint16_t port() const override { return port_; }
  std::unique_ptr<Connection> accept(Duration) override {
    if (backlog_->peers.empty()) return nullptr;
    std::unique_ptr<Connection> peer = std::move(backlog_->peers.front());
    backlog_->peers.pop_front();
    return peer;
  }
  void close() noexcept override {
    backlog_->closed = true;
    backlog_->peers.clear();
  }

 private:
  const uint16_t port_;
  const std::shared_ptr<Backlog> backlog_;
};

SimulatedNetwork::SimulatedNetwork(Random random) : random_(random) {}
SimulatedNetwork::~SimulatedNetwork() = default;

void SimulatedNetwork::answer(const std::string& host, uint16_t port, PeerScript script) {
  scripts_[addressText(host, port)].push_back(std::move(script));
}

std::string SimulatedNetwork::received(const std::string& host, uint16_t port) const {
  std::string all;
  const auto found = received_.find(addressText(host, port));
  if (found == received_.end()) return all;
  for (const auto& pipe : found->second) all += pipe->bytes;
  return all;
}

std::unique_ptr<Connection> SimulatedNetwork::connect(const std::string& host, uint16_t port,
                                                      Duration timeout) {
  const std::string address = addressText(host, port);
  const auto in = std::make_shared<Pipe>();
  const auto out = std::make_shared<Pipe>();
  const auto listener = listeners_.find(address);
  std::deque<PeerScript>& scripts = scripts_[address];
  if (listener != listeners_.end() && !listener->second->closed) {
    listener->second->peers.push_back(
        std::make_unique<End>("a peer of " + address, Random(random_.next()), out, in));
  } else if (!scripts.empty()) {
    in->bytes = std::move(scripts.front().text);
    in->ended = scripts.front().end == PeerEnd::kCloses;
    in->broken = scripts.front().end == PeerEnd::kBreaks;
    scripts.pop_front();
    received_[address].push_back(out);
  } else {
    throw connectError(address, ECONNREFUSED, timeout);
  }
  return std::make_unique<End>(address, Random(random_.next()), in, out);
}

std::unique_ptr<Listener> SimulatedNetwork::listen(const std::string& host, uint16_t port) {
  if (port == 0) port = nextPort_++;
  std::shared_ptr<Backlog>& backlog = listeners_[addressText(host, port)];
  if (backlog != nullptr && !backlog->closed) throw listenError(addressText(host, port), EADDRINUSE);
  backlog = std::make_shared<Backlog>();
  return std::make_unique<Door>(port, backlog);
}

}  // namespace flott
