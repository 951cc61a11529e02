#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>

#include "flott/base/error.h"
#include "flott/env/deed.h"
#include "flott/env/posix/crash_report.h"
#include "flott/env/posix/parts.h"

namespace flott::posix {
namespace {

struct Work {
  std::string name;
  MoveFunction<void()> body;
};

struct Worker {
  std::thread thread;
  std::string running;  // name of its work; empty: idle
};

// Shared by the pool and its threads, so that a thread that was left behind still finds its mutex.
struct PoolState {
  std::mutex mutex;
  std::condition_variable workCame;
  std::condition_variable workDone;
  std::deque<Work> queue;
  std::vector<std::unique_ptr<Worker>> workers;
  size_t idle = 0;
  bool stopped = false;
};

void workLoop(const std::shared_ptr<PoolState>& state, Worker& self) {
  std::unique_lock lock(state->mutex);
  while (true) {
    ++state->idle;
    state->workCame.wait(lock, [&] { return state->stopped || !state->queue.empty(); });
    --state->idle;
    if (state->queue.empty()) return;
    Work work = std::move(state->queue.front());
    state->queue.pop_front();
    self.running = work.name;
    lock.unlock();
    {
      const Deed deed(work.name.c_str());
      runOrAbort("off-loaded work '" + work.name + "'", work.body);
      work.body.reset();
    }
    lock.lock();
    self.running.clear();
    if (state->stopped) state->workDone.notify_all();
  }
}

class PosixOffload final : public Offload {
 public:
  PosixOffload(int threads, int queue)
      : threadLimit_(static_cast<size_t>(threads)), queueLimit_(static_cast<size_t>(queue)) {}

  ~PosixOffload() override {
    stop(Duration());
    for (const auto& worker : state_->workers) {
      if (worker->thread.joinable()) worker->thread.detach();  // it may never return; see stop()
    }
  }

  bool submit(std::string name, MoveFunction<void()>&& work) override {
    std::lock_guard lock(state_->mutex);
    if (state_->stopped || state_->queue.size() >= queueLimit_) return false;
    if (state_->idle <= state_->queue.size() && state_->workers.size() < threadLimit_) startWorker();
    state_->queue.push_back({std::move(name), std::move(work)});
    state_->workCame.notify_one();
    return true;
  }

  std::vector<std::string> stop(Duration timeout) override {
    std::deque<Work> dropped;  // destroyed without the lock: closures may own anything
    std::unique_lock lock(state_->mutex);
    state_->stopped = true;
    dropped.swap(state_->queue);
    state_->workCame.notify_all();
    const auto allIdle = [&] {
      return std::all_of(state_->workers.begin(), state_->workers.end(),
                         [](auto& w) { return w->running.empty(); });
    };
    // A day is for ever here, and keeps the sum of now and the time-out inside the clock's range.
    const int64_t wait = std::clamp<int64_t>(timeout.ms, 0, 86'400'000);
    state_->workDone.wait_for(lock, std::chrono::milliseconds(wait), allIdle);
    std::vector<std::string> stillRun;
    std::vector<std::thread> ending;
    for (const auto& worker : state_->workers) {
      if (worker->running.empty()) {
        ending.push_back(std::move(worker->thread));
      } else {
        stillRun.push_back(worker->running);
      }
    }
    lock.unlock();
    for (std::thread& thread : ending) {
      if (thread.joinable()) thread.join();
    }
    return stillRun;
  }

 private:
  // With the lock held: the new thread waits for it.
  void startWorker() {
    auto worker = std::make_unique<Worker>();
    const std::string name = "offload-" + std::to_string(state_->workers.size());
    try {
      worker->thread = std::thread([state = state_, self = worker.get(), name] {
        nameThisThread(name);
        const SignalStack signals;
        workLoop(state, *self);
      });
    } catch (const std::system_error& error) {
      if (!state_->workers.empty()) return;  // the threads that are there will come to it
      throw Error(ErrorKind::kTransient,
                  std::string("the system gives no thread for off-loaded work: ") + error.what() +
                      "; look at the limits of processes and memory (ulimit -u, cgroup)");
    }
    state_->workers.push_back(std::move(worker));
  }

  const size_t threadLimit_;
  const size_t queueLimit_;
  const std::shared_ptr<PoolState> state_ = std::make_shared<PoolState>();
};

}  // namespace

std::unique_ptr<Offload> makeOffload(int threads, int queue) {
  FLOTT_CHECK(threads > 0 && queue > 0);
  return std::make_unique<PosixOffload>(threads, queue);
}

}  // namespace flott::posix
