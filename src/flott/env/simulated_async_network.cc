#include "flott/env/simulated_async_network.h"

#include <algorithm>
#include <cerrno>
#include <deque>

#include "flott/base/error.h"
#include "flott/env/failures.h"

namespace flott {
namespace {

std::pair<std::string, std::string> ordered(const std::string& one, const std::string& other) {
  return one < other ? std::pair(one, other) : std::pair(other, one);
}

bool isNumeric(const std::string& address) {
  return address.find_first_not_of("0123456789abcdefABCDEF.:") == std::string::npos;
}

}  // namespace

// One direction of a wire.
struct SimulatedWires::Pipe {
  struct Piece {
    int64_t arrives;  // kNoDeadline: not before the hosts are joined again
    std::string bytes;
  };
  std::deque<Piece> pieces;
  size_t held = 0;  // bytes of all pieces
  bool writerClosed = false;
  bool readerClosed = false;
  int64_t ends = kNoDeadline;   // when the reader learns that the writer has closed
  int64_t deaf = kNoDeadline;   // when the writer learns that the reader has
  int64_t roomy = kNoDeadline;  // when the writer learns that there is room, if it waits
  int64_t newest = 0;           // arrival of the last piece: they keep their order
  bool writerWaits = false;
};

struct SimulatedWires::Wire {
  std::string hosts[2];  // who connected, and who was connected to
  Pipe pipes[2];         // away from hosts[i]
  int64_t connects = 0;  // when the first learns what came of it
  int problem = 0;       // of that
  bool broken = false;
};

// A listener.
struct SimulatedWires::Door {
  struct Peer {
    int64_t arrives;
    std::shared_ptr<Wire> wire;
  };
  std::deque<Peer> peers;
  bool open = true;
};

class SimulatedWires::End final : public AsyncConnection {
 public:
  End(SimulatedWires& world, std::vector<End*>& ends, std::shared_ptr<Wire> wire, int side,
      std::string address, Duration timeout)
      : world_(world),
        ends_(ends),
        wire_(std::move(wire)),
        side_(side),
        address_(std::move(address)),
        timeout_(timeout),
        ready_(side == 1) {
    ends_.push_back(this);
  }

  ~End() override {
    std::erase(ends_, this);
    out().writerClosed = in().readerClosed = true;
    if (!isParted()) world_.send(*wire_);
  }

  Io read(std::span<char> into) override {
    if (!connected("reading")) return {Io::State::kWaits};
    Pipe& pipe = in();
    const int64_t now = world_.clock_.monotonicNanos();
    if (pipe.pieces.empty() || pipe.pieces.front().arrives > now) {
      if (pipe.ends <= now) return {Io::State::kEnded};
      waits_ = true;
      return {Io::State::kWaits};
    }
    std::string& bytes = pipe.pieces.front().bytes;
    const size_t size = std::min(into.size(), partOf(bytes.size()));
    bytes.copy(into.data(), size);
    bytes.erase(0, size);
    if (bytes.empty()) pipe.pieces.pop_front();
    pipe.held -= size;
    if (pipe.writerWaits && pipe.held <= world_.options_.roomBytes / 2)
      pipe.roomy = std::min(pipe.roomy, world_.arrival());
    return {Io::State::kDone, size};
  }

  Io write(std::span<const std::string_view> parts) override {
    if (!connected("writing")) return {Io::State::kWaits};
    Pipe& pipe = out();
    const int64_t now = world_.clock_.monotonicNanos();
    if (pipe.deaf <= now) fail("writing", EPIPE);
    const size_t room = world_.options_.roomBytes - pipe.held;
    if (room == 0) {
      pipe.writerWaits = true;
      waits_ = true;
      return {Io::State::kWaits};
    }
    size_t left = partOf(room);
    std::string bytes;
    for (size_t i = 0; i < std::min(parts.size(), kMostParts) && left > 0; ++i) {
      const std::string_view part = parts[i].substr(0, left);
      bytes.append(part);
      left -= part.size();
    }
    const size_t size = bytes.size();
    world_.bytesSent_ += size;
    if (size == 0) return {Io::State::kDone, size};
    pipe.held += size;
    pipe.pieces.push_back({kNoDeadline, std::move(bytes)});
    if (!isParted()) world_.send(*wire_);
    return {Io::State::kDone, size};
  }

  bool ready() override { return std::exchange(ready_, false); }
  const std::string& address() const override { return address_; }

  /// At the clock's time.
  void look() {
    if (nextEvent() > world_.clock_.monotonicNanos()) return;
    ready_ = true;
    waits_ = false;
    if (out().roomy <= world_.clock_.monotonicNanos()) {
      out().roomy = kNoDeadline;
      out().writerWaits = false;
    }
  }

  /// When something comes that it waits for.
  int64_t nextEvent() const {
    if (!waits_) return kNoDeadline;
    if (wire_->broken) return 0;
    if (side_ == 0 && !known_) return wire_->connects;
    int64_t next = std::min(in().ends, out().roomy);
    if (!in().pieces.empty()) next = std::min(next, in().pieces.front().arrives);
    return next;
  }

 private:
  Pipe& out() const { return wire_->pipes[side_]; }
  Pipe& in() const { return wire_->pipes[1 - side_]; }
  bool isParted() const { return world_.parted(wire_->hosts[0], wire_->hosts[1]); }
  size_t partOf(size_t bytes) {
    return world_.random_.below(2) == 0 ? bytes : 1 + world_.random_.below(bytes);
  }

  bool connected(const char* doing) {
    if (!known_ && side_ == 0) {
      if (wire_->connects > world_.clock_.monotonicNanos()) return false;
      known_ = true;
    }
    if (wire_->problem != 0) throw connectError(address_, wire_->problem, timeout_);
    if (wire_->broken) fail(doing, ECONNRESET);
    if (doing_ != nullptr) throw connectionBroken(address_, doing_, problem_);
    return true;
  }

  [[noreturn]] void fail(const char* doing, int problem) {
    if (doing_ == nullptr) {
      doing_ = doing;
      problem_ = problem;
    }
    throw connectionBroken(address_, doing_, problem_);
  }

  SimulatedWires& world_;
  std::vector<End*>& ends_;  // of its host
  const std::shared_ptr<Wire> wire_;
  const int side_;
  const std::string address_;
  const Duration timeout_;
  bool known_ = false;  // what came of connecting
  bool waits_ = true;
  bool ready_;
  const char* doing_ = nullptr;  // when it failed
  int problem_ = 0;
};

class SimulatedWires::Listening final : public AsyncListener {
 public:
  Listening(SimulatedWires& world, std::vector<End*>& ends, std::vector<Listening*>& all, std::string address,
            uint16_t port, std::shared_ptr<Door> door)
      : world_(world),
        ends_(ends),
        all_(all),
        address_(std::move(address)),
        port_(port),
        door_(std::move(door)) {
    all_.push_back(this);
  }
  ~Listening() override {
    std::erase(all_, this);
    door_->open = false;
    for (const Door::Peer& peer : door_->peers) peer.wire->broken = true;
  }

  uint16_t port() const override { return port_; }
  std::unique_ptr<AsyncConnection> accept() override {
    if (nextEvent() > world_.clock_.monotonicNanos()) return nullptr;
    std::shared_ptr<Wire> wire = std::move(door_->peers.front().wire);
    door_->peers.pop_front();
    return std::make_unique<End>(world_, ends_, std::move(wire), 1, "a peer of " + address_, Duration());
  }
  int64_t nextEvent() const { return door_->peers.empty() ? kNoDeadline : door_->peers.front().arrives; }

 private:
  SimulatedWires& world_;
  std::vector<End*>& ends_;
  std::vector<Listening*>& all_;
  const std::string address_;
  const uint16_t port_;
  const std::shared_ptr<Door> door_;
};

class SimulatedWires::Host final : public AsyncNetwork {
 public:
  Host(SimulatedWires& world, std::string address) : world_(world), address_(std::move(address)) {}

  std::unique_ptr<AsyncConnection> connect(const std::string& address, uint16_t port,
                                           Duration timeout) override {
    if (!isNumeric(address)) throw addressError(address);
    const std::string text = addressText(address, port);
    auto wire = std::make_shared<Wire>();
    wire->hosts[0] = address_;
    wire->hosts[1] = address;
    wire->connects = world_.arrival();
    const auto door = world_.doors_.find(text);
    if (world_.parted(address_, address)) {
      wire->problem = ETIMEDOUT;
      wire->connects = deadlineAfter(world_.clock_, timeout);
    } else if (door == world_.doors_.end() || !door->second->open) {
      wire->problem = ECONNREFUSED;
    } else {
      door->second->peers.push_back({wire->connects, wire});
      std::stable_sort(door->second->peers.begin(), door->second->peers.end(),
                       [](const Door::Peer& a, const Door::Peer& b) { return a.arrives < b.arrives; });
    }
    world_.wires_.push_back(wire);
    return std::make_unique<End>(world_, ends_, std::move(wire), 0, text, timeout);
  }

  std::unique_ptr<AsyncListener> listen(const std::string& address, uint16_t port) override {
    if (!isNumeric(address)) throw addressError(address);
    if (address != address_) throw listenError(addressText(address, port), EADDRNOTAVAIL);
    if (port == 0) port = world_.nextPort_++;
    const std::string text = addressText(address, port);
    std::shared_ptr<Door>& door = world_.doors_[text];
    if (door != nullptr && door->open) throw listenError(text, EADDRINUSE);
    door = std::make_shared<Door>();
    return std::make_unique<Listening>(world_, ends_, listeners_, text, port, door);
  }

  void poll(int64_t) override {
    for (End* end : ends_) end->look();
  }
  void wake() noexcept override {}

  int64_t nextEventNanos() const override {
    int64_t next = kNoDeadline;
    for (const End* end : ends_) next = std::min(next, end->nextEvent());
    for (const Listening* listener : listeners_) next = std::min(next, listener->nextEvent());
    return next;
  }

 private:
  SimulatedWires& world_;
  const std::string address_;
  std::vector<End*> ends_;
  std::vector<Listening*> listeners_;
};

SimulatedWires::SimulatedWires(const Clock& clock, Random random, SimulatedWiresOptions options)
    : clock_(clock), random_(random), options_(options) {}
SimulatedWires::~SimulatedWires() = default;

std::unique_ptr<AsyncNetwork> SimulatedWires::addHost(const std::string& address) {
  return std::make_unique<Host>(*this, address);
}

int64_t SimulatedWires::arrival() {
  return clock_.monotonicNanos() +
         static_cast<int64_t>(random_.below(static_cast<uint64_t>(options_.mostDelayNanos) + 1));
}

bool SimulatedWires::parted(const std::string& one, const std::string& other) const {
  return parted_.contains(ordered(one, other));
}

void SimulatedWires::part(const std::string& one, const std::string& other) {
  parted_.insert(ordered(one, other));
}

void SimulatedWires::join(const std::string& one, const std::string& other) {
  parted_.erase(ordered(one, other));
  for (const std::shared_ptr<Wire>& wire : between(one, other)) send(*wire);
}

std::vector<std::shared_ptr<SimulatedWires::Wire>> SimulatedWires::between(const std::string& one,
                                                                           const std::string& other) const {
  std::vector<std::shared_ptr<Wire>> found;
  for (const std::weak_ptr<Wire>& weak : wires_) {
    std::shared_ptr<Wire> wire = weak.lock();
    if (wire != nullptr && ordered(wire->hosts[0], wire->hosts[1]) == ordered(one, other))
      found.push_back(std::move(wire));
  }
  return found;
}

void SimulatedWires::send(Wire& wire) {
  for (Pipe& pipe : wire.pipes) {
    for (Pipe::Piece& piece : pipe.pieces) {
      if (piece.arrives == kNoDeadline) piece.arrives = pipe.newest = std::max(pipe.newest, arrival());
    }
    if (pipe.writerClosed && pipe.ends == kNoDeadline) pipe.ends = std::max(pipe.newest, arrival());
    if (pipe.readerClosed && pipe.deaf == kNoDeadline) pipe.deaf = arrival();
  }
}

void SimulatedWires::cut(const std::string& one, const std::string& other) {
  for (const std::shared_ptr<Wire>& wire : between(one, other)) {
    wire->broken = true;
    for (Pipe& pipe : wire->pipes) pipe.pieces.clear();
  }
}

}  // namespace flott
