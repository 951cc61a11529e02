#include "flott/operators/async/result_future.h"

#include <mutex>

namespace flott {

struct AsyncCompletions::Shared {
  std::mutex mutex;
  std::vector<std::shared_ptr<AsyncTry>> done;
  MoveFunction<void()> wake;
  bool wakeNext = true;  // nobody has woken the operator since it found nothing
  bool closed = false;
};

AsyncCompletions::AsyncCompletions(MoveFunction<void()> wake) : shared_(std::make_unique<Shared>()) {
  shared_->wake = std::move(wake);
}

AsyncCompletions::~AsyncCompletions() = default;

// Wakes under the lock, once a burst, so that close() can promise that nobody is about to.
void AsyncCompletions::push(std::shared_ptr<AsyncTry> done) {
  const std::lock_guard lock(shared_->mutex);
  if (shared_->closed) return;
  shared_->done.push_back(std::move(done));
  if (std::exchange(shared_->wakeNext, false)) shared_->wake();
}

void AsyncCompletions::take(std::vector<std::shared_ptr<AsyncTry>>& out, bool wakeMe) {
  const std::lock_guard lock(shared_->mutex);
  out.swap(shared_->done);
  shared_->wakeNext = wakeMe && out.empty();
}

void AsyncCompletions::close() noexcept {
  std::vector<std::shared_ptr<AsyncTry>> dropped;  // destroyed after the lock is given up
  const std::lock_guard lock(shared_->mutex);
  shared_->closed = true;
  dropped.swap(shared_->done);
}

}  // namespace flott
