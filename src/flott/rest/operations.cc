#include "flott/rest/operations.h"

#include <algorithm>
#include <deque>
#include <map>
#include <mutex>

#include "flott/rest/refusal.h"

namespace flott {

struct Operations::Shared {
  using Key = std::pair<std::string, std::string>;  // scope, id

  struct Entry {
    std::optional<Result> result;
    int64_t endedAt = 0;  // monotonic nanoseconds
    bool told = false;
  };

  Shared(Random random, const Clock& time, size_t bound) : names(random), clock(time), most(bound) {}

  void end(const Key& key, Result result) {
    const std::lock_guard lock(mutex);
    const auto found = all.find(key);
    if (found == all.end()) return;
    found->second.result = std::move(result);
    found->second.endedAt = clock.monotonicNanos();
  }

  std::mutex mutex;
  Random names;
  const Clock& clock;
  const size_t most;
  std::map<Key, Entry> all;
  std::deque<Key> order;  // oldest first
};

namespace {

// Ends an operation once, at the latest when it is destroyed.
template <typename Shared, typename Result>
class Ender {
 public:
  Ender(std::shared_ptr<Shared> shared, typename Shared::Key key)
      : shared_(std::move(shared)), key_(std::move(key)) {}
  Ender(Ender&&) noexcept = default;
  Ender& operator=(Ender&&) = delete;
  ~Ender() {
    if (shared_ != nullptr)
      (*this)(Result{.error = Error(ErrorKind::kCancelled, "the job ended before it was done")});
  }
  void operator()(Result result) { std::exchange(shared_, nullptr)->end(key_, std::move(result)); }

 private:
  std::shared_ptr<Shared> shared_;
  typename Shared::Key key_;
};

}  // namespace

Operations::Operations(const Env& env, size_t most)
    : env_(env), shared_(std::make_shared<Shared>(env.random.fork("rest operations"), env.clock, most)) {}

Operations::~Operations() = default;

std::pair<std::string, bool> Operations::begin(const std::string& scope,
                                               const std::optional<std::string>& id) {
  const std::lock_guard lock(shared_->mutex);
  Shared::Key key{scope, id.value_or("")};
  if (!id) {
    char text[33];
    std::snprintf(text, sizeof text, "%016llx%016llx", static_cast<unsigned long long>(shared_->names.next()),
                  static_cast<unsigned long long>(shared_->names.next()));
    key.second = text;
  }
  if (shared_->all.contains(key)) return {key.second, false};
  if (shared_->all.size() >= shared_->most) {
    const auto oldest = std::find_if(shared_->order.begin(), shared_->order.end(),
                                     [&](const Shared::Key& old) { return shared_->all.at(old).result; });
    if (oldest == shared_->order.end())
      throw Refusal{503, std::to_string(shared_->most) + " operations are under way: ask again later"};
    shared_->all.erase(*oldest);
    shared_->order.erase(oldest);
  }
  shared_->all[key];
  shared_->order.push_back(key);
  return {key.second, true};
}

MoveFunction<void(Operations::Result)> Operations::ender(const std::string& scope, const std::string& id) {
  return Ender<Shared, Result>(shared_, {scope, id});
}

void Operations::forget(const std::string& scope, const std::string& id) {
  const std::lock_guard lock(shared_->mutex);
  const Shared::Key key{scope, id};
  if (shared_->all.erase(key) > 0) std::erase(shared_->order, key);
}

std::optional<Operations::State> Operations::find(const std::string& scope, const std::string& id) const {
  const std::lock_guard lock(shared_->mutex);
  const auto found = shared_->all.find({scope, id});
  if (found == shared_->all.end()) return std::nullopt;
  found->second.told = found->second.result.has_value();
  return State{found->second.result};
}

std::vector<std::string> Operations::ended(const std::string& scope) const {
  const std::lock_guard lock(shared_->mutex);
  std::vector<std::string> ids;
  for (const auto& [key, entry] : shared_->all)
    if (key.first == scope && entry.result) ids.push_back(key.second);
  return ids;
}

void Operations::waitUntilTold(Duration most) const {
  constexpr Duration kPause = Duration::millis(5);
  const auto someoneWaits = [&](int64_t now) {
    const std::lock_guard lock(shared_->mutex);
    return std::any_of(shared_->all.begin(), shared_->all.end(), [&](const auto& each) {
      const Shared::Entry& entry = each.second;
      return entry.result && !entry.told && now - entry.endedAt < most.ms * 1'000'000;
    });
  };
  std::unique_ptr<Parker> parker;
  while (someoneWaits(env_.clock.monotonicNanos())) {
    if (parker == nullptr) parker = env_.threads.makeParker();
    parker->park(deadlineAfter(env_.clock, kPause));
  }
}

}  // namespace flott
