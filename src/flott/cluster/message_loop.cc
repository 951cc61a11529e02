#include "flott/cluster/message_loop.h"

#include <algorithm>
#include <array>
#include <deque>
#include <mutex>
#include <utility>

#include "flott/base/error.h"
#include "flott/cluster/messages.h"

namespace flott {
namespace {

constexpr size_t kReadBytes = size_t{64} << 10;
// Of one link in one step, so that others get their turn.
constexpr int kReadsAStep = 16;
// After the system had no socket for a peer.
constexpr int64_t kAcceptPauseNanos = 100'000'000;

}  // namespace

/// What a port and the loop have in common.
struct MessageLoop::Shared {
  Shared(std::string address, uint64_t mostBytes) : peer(std::move(address)), mostWaitingBytes(mostBytes) {}

  const std::string peer;
  const uint64_t mostWaitingBytes;

  std::mutex mutex;
  MessageLoop* loop = nullptr;                // null: it is through with the link
  MessagePort::Receiver* receiver = nullptr;  // called with the mutex held: whoever closes waits for it
  bool opened = false;
  bool closed = false;  // from this side
  std::deque<std::string> toSend;
  uint64_t waitingBytes = 0;  // with what the loop has taken
};

class MessageLoop::Port final : public MessagePort {
 public:
  explicit Port(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  ~Port() override { close(); }

  void open(Receiver& receiver) override {
    const std::lock_guard lock(shared_->mutex);
    shared_->receiver = &receiver;
    shared_->opened = true;
    wakeLoop();
  }
  void send(std::string frame) override {
    const std::lock_guard lock(shared_->mutex);
    if (shared_->closed || shared_->loop == nullptr) return;
    shared_->waitingBytes += frame.size();
    shared_->toSend.push_back(std::move(frame));
    wakeLoop();
  }
  void close() override {
    const std::lock_guard lock(shared_->mutex);
    shared_->receiver = nullptr;
    shared_->closed = true;
    wakeLoop();
  }
  std::string peer() const override { return shared_->peer; }

 private:
  void wakeLoop() {
    if (shared_->loop != nullptr) shared_->loop->waker().wake();
  }

  const std::shared_ptr<Shared> shared_;
};

/// The loop's side of a link.
class MessageLoop::Link {
 public:
  /// Without a connection, `failure` says why there is none.
  Link(std::shared_ptr<Shared> shared, std::unique_ptr<AsyncConnection> connection, std::string failure = {})
      : shared_(std::move(shared)), connection_(std::move(connection)), failure_(std::move(failure)) {}
  ~Link() { end({}); }

  /// Whether there is more to do right away.
  bool serve(int64_t now, Duration closeTimeout) {
    bool opened;
    {
      const std::lock_guard lock(shared_->mutex);
      opened = shared_->opened;
      if (shared_->closed) closeWithin(now, closeTimeout);
      for (std::string& frame : std::exchange(shared_->toSend, {})) sending_.push_back(std::move(frame));
      if (shared_->waitingBytes > shared_->mostWaitingBytes)
        failure_ = "the other side does not take what it is sent";
    }
    const bool closing = closeBy_ != kNoDeadline;
    if (closing && !std::exchange(saidFarewell_, true)) sending_.push_back(farewell());
    try {
      if (failure_.empty() && connection_->ready()) readable_ = writable_ = true;
      if (failure_.empty() && writable_) write();
      if (failure_.empty() && readable_ && (opened || closing)) read();
    } catch (const Error& error) {
      failure_ = error.what();
    }
    if ((opened || closing) && (!failure_.empty() || ended_ || now >= closeBy_)) end(failure_);
    return !over_ && (opened || closing) && readable_;
  }
  void closeWithin(int64_t now, Duration timeout) {
    if (closeBy_ == kNoDeadline) closeBy_ = now + timeout.ms * 1'000'000;
  }
  bool over() const { return over_; }
  int64_t deadlineNanos() const { return closeBy_; }

 private:
  void write() {
    while (!sending_.empty()) {
      std::array<std::string_view, AsyncConnection::kMostParts> parts;
      size_t count = 0;
      for (const std::string& frame : sending_) {
        parts[count] = frame;
        if (count == 0) parts[0].remove_prefix(sent_);
        if (++count == parts.size()) break;
      }
      const Io io = connection_->write(std::span(parts.data(), count));
      if (io.state == Io::State::kWaits) {
        writable_ = false;
        return;
      }
      sent_ += io.bytes;
      uint64_t gone = 0;
      while (!sending_.empty() && sent_ >= sending_.front().size()) {
        sent_ -= sending_.front().size();
        gone += sending_.front().size();
        sending_.pop_front();
      }
      const std::lock_guard lock(shared_->mutex);
      shared_->waitingBytes -= gone;
    }
  }

  void read() {
    for (int reads = 0; reads < kReadsAStep && !ended_; ++reads) {
      const size_t before = received_.size();
      received_.resize(before + kReadBytes);
      const Io io = connection_->read(std::span(received_.data() + before, kReadBytes));
      received_.resize(before + (io.state == Io::State::kDone ? io.bytes : 0));
      if (io.state == Io::State::kWaits) {
        readable_ = false;
        return;
      }
      ended_ = io.state == Io::State::kEnded;
      handOver();
    }
  }

  // What is no frame is handed over too: whoever takes it says what is wrong with it. While the link is being
  // closed nobody takes anything, but the other side may not have heard of that yet.
  void handOver() {
    size_t at = 0;
    while (received_.size() - at >= kMessageHeaderBytes) {
      const std::string_view rest = std::string_view(received_).substr(at);
      size_t size = rest.size();
      try {
        size = kMessageHeaderBytes + messageBytes(rest);
      } catch (const Error&) {
      }
      if (size > rest.size()) break;
      at += size;
      if (size == kMessageHeaderBytes) {
        ended_ = true;
        break;
      }
      const std::lock_guard lock(shared_->mutex);
      if (shared_->receiver != nullptr) shared_->receiver->onFrame(std::string(rest.substr(0, size)));
    }
    received_.erase(0, at);
  }

  void end(const std::string& why) {
    over_ = true;
    const std::lock_guard lock(shared_->mutex);
    shared_->loop = nullptr;
    shared_->toSend.clear();
    if (shared_->receiver != nullptr) std::exchange(shared_->receiver, nullptr)->onClosed(why);
  }

  const std::shared_ptr<Shared> shared_;
  const std::unique_ptr<AsyncConnection> connection_;
  std::deque<std::string> sending_;
  size_t sent_ = 0;  // of the first
  std::string received_;
  bool readable_ = true;
  bool writable_ = true;
  bool ended_ = false;  // the other side is through
  bool saidFarewell_ = false;
  bool over_ = false;
  std::string failure_;
  int64_t closeBy_ = kNoDeadline;  // while it is being closed: it is given up
};

MessageLoop::MessageLoop(AsyncNetwork& network, Logger& log, MessageLoopOptions options)
    : network_(network), log_(log), options_(options), mailbox_(waker()) {}

MessageLoop::~MessageLoop() = default;

uint16_t MessageLoop::listen(const std::string& address, uint16_t port, OnPeer onPeer) {
  doors_.push_back({network_.listen(address, port), std::move(onPeer)});
  return doors_.back().listener->port();
}

std::shared_ptr<MessageLoop::Shared> MessageLoop::share(std::string peer) {
  auto shared = std::make_shared<Shared>(std::move(peer), options_.mostWaitingBytes);
  shared->loop = this;
  return shared;
}

std::unique_ptr<MessagePort> MessageLoop::connect(const std::string& address, uint16_t port,
                                                  Duration timeout) {
  auto shared = share(address + ":" + std::to_string(port));
  mailbox_.post([this, shared, address, port, timeout] {
    try {
      links_.push_back(std::make_unique<Link>(shared, network_.connect(address, port, timeout)));
    } catch (const Error& error) {
      links_.push_back(std::make_unique<Link>(shared, nullptr, error.what()));
    }
  });
  return std::make_unique<Port>(std::move(shared));
}

void MessageLoop::stop() {
  mailbox_.post([this] {
    stopping_ = true;
    doors_.clear();
  });
}

void MessageLoop::letIn(Door& door, int64_t now) {
  if (now < door.pausedUntilNanos) return;
  try {
    while (std::unique_ptr<AsyncConnection> peer = door.listener->accept()) {
      auto shared = share(peer->address());
      links_.push_back(std::make_unique<Link>(shared, std::move(peer)));
      door.onPeer(std::make_unique<Port>(std::move(shared)));
    }
  } catch (const Error& error) {
    log_.warn("cluster", error.what());
    door.pausedUntilNanos = now + kAcceptPauseNanos;
  }
}

Runnable::Progress MessageLoop::step(StepTime now) {
  lastStepNanos_ = now.nanos;
  mailbox_.drain();
  network_.poll(now.nanos);
  for (Door& door : doors_) letIn(door, now.nanos);
  bool more = false;
  for (const auto& link : links_) {
    if (stopping_) link->closeWithin(now.nanos, options_.closeTimeout);
    more |= link->serve(now.nanos, options_.closeTimeout);
  }
  std::erase_if(links_, [](const auto& link) { return link->over(); });
  if (stopping_ && links_.empty()) return mailbox_.settled() ? Progress::kDone : Progress::kMore;
  return more ? Progress::kMore : Progress::kIdle;
}

int64_t MessageLoop::deadlineNanos() const {
  int64_t deadline = network_.nextEventNanos();
  for (const Door& door : doors_) {
    if (door.pausedUntilNanos > lastStepNanos_) deadline = std::min(deadline, door.pausedUntilNanos);
  }
  for (const auto& link : links_) deadline = std::min(deadline, link->deadlineNanos());
  return deadline;
}

// --- on a thread ---

MessageLoopThread::MessageLoopThread(MessageLoop& loop, AsyncNetwork& network, Env& env)
    : loop_(loop), network_(network), clock_(env.clock) {
  loop_.waker().attach(this);
  thread_ = env.threads.start({.name = "messages"}, [this] { run(); });
}

MessageLoopThread::~MessageLoopThread() {
  loop_.stop();
  thread_->join();
}

void MessageLoopThread::run() {
  for (;;) {
    loop_.waker().take();
    const Runnable::Progress progress = loop_.step({clock_.monotonicNanos(), clock_.wallTime()});
    if (progress == Runnable::Progress::kDone) return;
    if (progress == Runnable::Progress::kMore) continue;
    // The step has polled too, and may have taken a wake-up for what came after it had read its mail.
    if (!loop_.waker().ready()) network_.poll(loop_.deadlineNanos());
  }
}

}  // namespace flott
