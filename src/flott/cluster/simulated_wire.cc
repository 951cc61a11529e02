#include "flott/cluster/simulated_wire.h"

#include <algorithm>
#include <utility>

#include "flott/base/error.h"

namespace flott {

class SimulatedWire::End final : public MessagePort {
 public:
  End(std::shared_ptr<Shared> shared, int side) : shared_(std::move(shared)), side_(side) {}
  ~End() override { close(); }

  void open(Receiver& receiver) override {
    shared_->receivers[static_cast<size_t>(side_)] = &receiver;
    if (shared_->wire != nullptr) shared_->wire->waker().wake();
  }
  void send(std::string frame) override {
    if (!shared_->closed[static_cast<size_t>(side_)])
      shared_->put(1 - side_, {.due = 0, .close = false, .bytes = std::move(frame)});
  }
  void close() override {
    shared_->receivers[static_cast<size_t>(side_)] = nullptr;
    if (std::exchange(shared_->closed[static_cast<size_t>(side_)], true)) return;
    shared_->towards[static_cast<size_t>(side_)].clear();
    shared_->waitingBytes[static_cast<size_t>(side_)] = 0;
    shared_->put(1 - side_, {.due = 0, .close = true, .bytes = {}});
    if (shared_->wire != nullptr) shared_->wire->waker().wake();
  }
  std::string peer() const override { return shared_->name; }

 private:
  const std::shared_ptr<Shared> shared_;
  const int side_;
};

// In order: nothing overtakes what was sent before.
void SimulatedWire::Shared::put(int side, Sent sent) {
  const auto at = static_cast<size_t>(side);
  if (closed[at]) return;
  std::deque<Sent>& queue = towards[at];
  const auto spread = static_cast<uint64_t>(options.mostDelayNanos - options.leastDelayNanos) + 1;
  sent.due = clock.monotonicNanos() + options.leastDelayNanos + static_cast<int64_t>(random.below(spread));
  if (!queue.empty()) sent.due = std::max(sent.due, queue.back().due);
  waitingBytes[at] += sent.bytes.size();
  queue.push_back(std::move(sent));
  if (waitingBytes[at] > options.mostBytes) return breakUp("the other side does not take what it is sent");
  if (wire != nullptr) wire->waker().wake();
}

void SimulatedWire::Shared::breakUp(const std::string& why) {
  for (size_t side = 0; side < 2; ++side) {
    towards[side].clear();
    waitingBytes[side] = 0;
    if (!closed[side]) towards[side].push_back({.due = 0, .close = true, .bytes = why});
  }
  if (wire != nullptr) wire->waker().wake();
}

SimulatedWire::SimulatedWire(SimulatedEnv& env, const std::string& name, SimulatedWireOptions options)
    : shared_(std::make_shared<Shared>(Shared{.name = name,
                                              .options = options,
                                              .clock = env.clock(),
                                              .random = env.random().fork("wire " + name)})) {
  shared_->wire = this;
}

SimulatedWire::~SimulatedWire() { shared_->wire = nullptr; }

std::unique_ptr<MessagePort> SimulatedWire::end(int side) { return std::make_unique<End>(shared_, side); }

void SimulatedWire::hold(bool held) {
  shared_->held = held;
  waker().wake();
}

void SimulatedWire::cut() {
  shared_->held = false;
  shared_->breakUp("the link is cut");
}

int64_t SimulatedWire::framesAt(int side) const { return shared_->frames[static_cast<size_t>(side)]; }

Runnable::Progress SimulatedWire::step(StepTime now) {
  for (size_t side = 0; side < 2 && !shared_->held; ++side) {
    std::deque<Sent>& queue = shared_->towards[side];
    while (!queue.empty() && queue.front().due <= now.nanos && shared_->receivers[side] != nullptr) {
      Sent sent = std::move(queue.front());
      queue.pop_front();
      shared_->waitingBytes[side] -= std::min<uint64_t>(shared_->waitingBytes[side], sent.bytes.size());
      if (!sent.close) {
        ++shared_->frames[side];
        shared_->receivers[side]->onFrame(std::move(sent.bytes));
        continue;
      }
      shared_->closed[side] = true;
      std::exchange(shared_->receivers[side], nullptr)->onClosed(sent.bytes);
    }
  }
  return shared_->closed[0] && shared_->closed[1] ? Progress::kDone : Progress::kIdle;
}

int64_t SimulatedWire::deadlineNanos() const {
  int64_t deadline = kNoDeadline;
  for (size_t side = 0; side < 2 && !shared_->held; ++side) {
    if (!shared_->towards[side].empty() && shared_->receivers[side] != nullptr)
      deadline = std::min(deadline, shared_->towards[side].front().due);
  }
  return deadline;
}

std::string SimulatedWire::where() const { return "wire '" + shared_->name + "'"; }

}  // namespace flott
