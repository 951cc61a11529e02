#include "flott/runtime/lane.h"

#include <algorithm>
#include <utility>

namespace flott {
namespace {

constexpr int64_t kLeastSpinNanos = 500;
constexpr int kMostPatience = 8;
// A wake-up costs the waker about as much: a turn that takes less is a gain for him too.
constexpr int64_t kShortTurnNanos = 10'000;
// Turns after one step, since those may ring each other without end.
constexpr int kMostTurns = 16;

// The lane whose thread this is; null on all others.
constinit thread_local Lane* ownLane = nullptr;

}  // namespace

void Alive::drop(size_t done) {
  const int count = static_cast<int>(done);
  if (count_.fetch_sub(count, std::memory_order_acq_rel) > count) return;
  for (const auto& lane : lanes_) lane->wake();
}

Lane::~Lane() {
  for (Added* added = added_.load(std::memory_order_acquire); added != nullptr;)
    delete std::exchange(added, added->before);
}

Lane::Lane(const Env& env, int64_t spinNanos, Alive& alive)
    : env_(env), mostSpin_(spinNanos), alive_(alive), parker_(env.threads.makeParker()) {}

void Lane::add(Runnable& runnable) {
  alive_.add();
  runnable.waker().attach(this);
  auto* added = new Added{&runnable, added_.load(std::memory_order_relaxed)};
  while (!added_.compare_exchange_weak(added->before, added, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
  parker_->unpark();
}

// In the order in which they were added.
void Lane::takeAdded() {
  const auto known = static_cast<std::ptrdiff_t>(runnables_.size());
  for (Added* added = added_.exchange(nullptr, std::memory_order_acquire); added != nullptr;) {
    runnables_.insert(runnables_.begin() + known, added->runnable);
    delete std::exchange(added, added->before);
  }
}

void Lane::start(ThreadOptions options, Parker& finished, std::atomic<int>& running) {
  thread_ = env_.threads.start(std::move(options), [this, &finished, &running] {
    ownLane = this;
    run();
    running.fetch_sub(1, std::memory_order_release);
    finished.unpark();
  });
}

void Lane::join() {
  if (thread_) thread_->join();
}

void Lane::giveUp() {
  givenUp_.store(true, std::memory_order_relaxed);
  parker_->unpark();
}

// The time is read last: it is that of this step or of a later one, so a lane that was idle never seems to
// have been blocked.
Runnable* Lane::current(int64_t& sinceNanos) const {
  Runnable* runnable = current_.load(std::memory_order_acquire);
  sinceNanos = since_.load(std::memory_order_acquire);
  return runnable;
}

void Lane::ring(WakeUp when) {
  Lane* caller = ownLane;
  // This thread looks at this lane's runnables again before it goes on to anything else.
  if (caller != nullptr && (caller == this || caller->turnOf_ == this)) return;
  if (when == WakeUp::kNow || caller == nullptr) return parker_->unpark();
  std::vector<Lane*>& rung = caller->rung_;
  if (std::find(rung.begin(), rung.end(), this) == rung.end()) rung.push_back(this);
}

void Lane::run() {
  while (alive_.count() > 0 && !givenUp_.load(std::memory_order_relaxed)) {
    if (added_.load(std::memory_order_relaxed) != nullptr) takeAdded();
    const size_t before = runnables_.size();
    const bool any = round();
    if (before > runnables_.size()) alive_.drop(before - runnables_.size());
    if (!any && alive_.count() > 0) rest();
  }
}

// Steps what is ready, each once; false when nothing was.
bool Lane::round() {
  bool any = false;
  StepTime time = now();
  for (size_t i = 0; i < runnables_.size();) {
    Runnable& runnable = *runnables_[i];
    if (!runnable.waker().take() && runnable.deadlineNanos() > time.nanos) {
      ++i;
      continue;
    }
    if (any) time = now();
    any = true;
    const Runnable::Progress progress = step(runnable, time);
    if (progress == Runnable::Progress::kDone) {
      runnables_.erase(runnables_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
    if (!rung_.empty()) handOver();
  }
  return any;
}

Runnable::Progress Lane::step(Runnable& runnable, StepTime time) {
  since_.store(time.nanos, std::memory_order_relaxed);
  current_.store(&runnable, std::memory_order_release);
  const Runnable::Progress progress = runnable.step(time);
  current_.store(nullptr, std::memory_order_release);
  if (progress == Runnable::Progress::kMore) runnable.waker().again();
  return progress;
}

// The lanes that the last step has given something to do. A turn for one may ring others, and again those
// that were seen to before.
void Lane::handOver() {
  for (int turns = 0; !rung_.empty(); ++turns) {
    Lane& next = *rung_.front();
    rung_.erase(rung_.begin());
    if (turns >= kMostTurns || anyReady() || !takeTurnOf(next)) next.parker_->unpark();
  }
}

// Runs what is ready on a lane that sleeps, if that takes little time. False when its own thread must wake
// all the same.
bool Lane::takeTurnOf(Lane& sleeper) {
  const int64_t usual = sleeper.turnNanos_.load(std::memory_order_relaxed);
  if (usual > kShortTurnNanos) {
    sleeper.turnNanos_.store(usual - usual / 64, std::memory_order_relaxed);  // to be tried again some time
    return false;
  }
  uint32_t state = kAsleep;
  if (!sleeper.state_.compare_exchange_strong(state, kLent, std::memory_order_seq_cst))
    return state == kRuns;  // then it looks at its runnables before it sleeps
  turnOf_ = &sleeper;
  const int64_t begin = env_.clock.monotonicNanos();
  int64_t took = 0;
  while (took <= kShortTurnNanos && sleeper.runReady()) took = env_.clock.monotonicNanos() - begin;
  turnOf_ = nullptr;
  sleeper.turnNanos_.store(usual + (took - usual) / 8, std::memory_order_relaxed);
  const bool done =
      !sleeper.anyReady() && sleeper.done_.empty() && sleeper.earliestDeadline() >= sleeper.asleepUntil_;
  return sleeper.state_.exchange(kAsleep, std::memory_order_seq_cst) == kLent && done;
}

// In another lane's thread. The list of runnables stays as it is, since the own thread may look at it.
bool Lane::runReady() {
  bool any = false;
  for (Runnable* runnable : runnables_) {
    if (!done_.empty()) return false;
    if (!runnable->waker().take()) continue;
    any = true;
    if (step(*runnable, now()) == Runnable::Progress::kDone) done_.push_back(runnable);
  }
  return any;
}

bool Lane::anyReady() const {
  if (added_.load(std::memory_order_relaxed) != nullptr) return true;
  return std::any_of(runnables_.begin(), runnables_.end(), [](Runnable* r) { return r->waker().ready(); });
}

int64_t Lane::earliestDeadline() const {
  int64_t deadline = kNoDeadline;
  for (Runnable* runnable : runnables_) deadline = std::min(deadline, runnable->deadlineNanos());
  return deadline;
}

void Lane::rest() {
  const int64_t deadline = earliestDeadline();
  const int64_t begin = env_.clock.monotonicNanos();
  if (spin(std::min(begin + (patience_ > 0 ? mostSpin_ : kLeastSpinNanos), deadline))) return learn(true);
  asleepUntil_ = deadline;
  state_.store(kAsleep, std::memory_order_seq_cst);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!anyReady()) {
    parker_->park(deadline);
    if (const int64_t woken = parker_->wokenAtNanos(); woken != 0) learn(woken - begin < mostSpin_);
  }
  takeBack();
}

// Own thread: from asleep to running, behind a turn that somebody is taking.
void Lane::takeBack() {
  uint32_t state = kAsleep;
  while (!state_.compare_exchange_strong(state, kRuns, std::memory_order_seq_cst)) {
    if (state == kLentWanted || state_.compare_exchange_strong(state, kLentWanted, std::memory_order_seq_cst))
      parker_->park(kNoDeadline);
    state = kAsleep;
  }
  if (done_.empty()) return;
  for (Runnable* runnable : done_) std::erase(runnables_, runnable);
  alive_.drop(done_.size());
  done_.clear();
}

// Looking for work pays where work has lately come `soon`. A wake-up costs about what a full spin does, and
// delays what comes by more: so it pays when one in three times is.
void Lane::learn(bool soon) {
  patience_ = soon ? std::min(patience_ + 2, kMostPatience) : std::max(patience_ - 1, 0);
}

// Whether something became ready before `end`.
bool Lane::spin(int64_t end) const {
  do {
    for (int i = 0; i < 8; ++i) {
      if (anyReady()) return true;
      __builtin_ia32_pause();
    }
  } while (env_.clock.monotonicNanos() < end);
  return false;
}

}  // namespace flott
