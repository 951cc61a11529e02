#include "flott/env/simulated.h"

#include <algorithm>
#include <utility>

#include "flott/base/error.h"

namespace flott {

void SimulatedClock::advance(Duration by) {
  FLOTT_CHECK(by.ms >= 0, "time does not go back");
  nanos_ += by.ms * 1'000'000;
}

void SimulatedClock::advanceTo(int64_t nanos) {
  FLOTT_CHECK(nanos != kNoDeadline, "nobody waits for anything: the clock cannot be advanced to that");
  nanos_ = std::max(nanos_, nanos);
}

bool SimulatedOffload::submit(std::string name, MoveFunction<void()>&& work) {
  if (stopped_ || works_.size() >= capacity_) return false;
  works_.push_back({std::move(name), std::move(work)});
  return true;
}

std::vector<std::string> SimulatedOffload::stop(Duration) {
  stopped_ = true;
  works_.clear();
  return {};
}

bool SimulatedOffload::runOne() {
  std::vector<size_t> ready;
  for (size_t i = 0; i < works_.size(); ++i) {
    if (held_.empty() || !works_[i].name.starts_with(held_)) ready.push_back(i);
  }
  if (ready.empty()) return false;
  const auto chosen = works_.begin() + static_cast<ptrdiff_t>(ready[random_.below(ready.size())]);
  Work work = std::move(*chosen);
  works_.erase(chosen);
  work.body();
  return true;
}

std::vector<std::string> SimulatedOffload::waiting() const {
  std::vector<std::string> names;
  for (const Work& work : works_) names.push_back(work.name);
  return names;
}

std::unique_ptr<Thread> SimulatedThreads::start(ThreadOptions options, MoveFunction<void()>) {
  checkFailed("the simulation has no threads", __FILE__, __LINE__,
              "thread '" + options.name + "' was asked for");
}

std::unique_ptr<Parker> SimulatedThreads::makeParker() {
  checkFailed("the simulation has no threads", __FILE__, __LINE__, "a parker was asked for");
}

class SimulatedSignals::Watch final : public SignalWatch {
 public:
  Watch(SimulatedSignals& signals, MoveFunction<void(int)> onSignal)
      : signals_(signals), callback_(std::move(onSignal)) {
    signals_.watches_.push_back(this);
  }
  ~Watch() override { std::erase(signals_.watches_, this); }

  void call(int number) {
    if (!std::exchange(called_, true)) callback_(number);
  }

 private:
  SimulatedSignals& signals_;
  MoveFunction<void(int)> callback_;
  bool called_ = false;
};

std::unique_ptr<SignalWatch> SimulatedSignals::watch(MoveFunction<void(int)> onSignal) {
  return std::make_unique<Watch>(*this, std::move(onSignal));
}

void SimulatedSignals::raise(int number) {
  for (Watch* watch : watches_) watch->call(number);
}

void SimulatedLogger::write(LogLevel level, std::string_view component, std::string_view text) {
  std::string line(toString(level));
  for (char& c : line) c = static_cast<char>(c - 'a' + 'A');
  line.append(" [").append(component).append("] ").append(text);
  lines_.push_back(std::move(line));
}

std::optional<std::string> SimulatedSystem::environment(const std::string& name) const {
  const auto found = variables_.find(name);
  return found == variables_.end() ? std::nullopt : std::optional<std::string>(found->second);
}

SimulatedEnv::SimulatedEnv(uint64_t seed)
    : random_(seed),
      files_(clock_, random_.fork("files")),
      network_(random_.fork("network")),
      offload_(random_.fork("offload")) {}

Env SimulatedEnv::env() {
  return {clock_, random_, files_, network_, threads_, offload_, signals_, console_, log_, system_, stores_};
}

}  // namespace flott
