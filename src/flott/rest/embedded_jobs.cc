#include "flott/rest/embedded_jobs.h"

#include <algorithm>
#include <map>
#include <mutex>

namespace flott {
namespace {

// How long an answer is waited for, when an older one is at hand and when there is none. The master answers
// about watermarks after 5 s at the latest, for the tasks that have answered.
constexpr Duration kPatience = Duration::seconds(1);
constexpr Duration kFirstPatience = Duration::seconds(6);

}  // namespace

template <typename T>
struct EmbeddedJobs::Question {
  bool underWay = false;
  std::shared_ptr<const T> last;  // a new object with each answer
};

// A job or its master: both take the same questions.
class EmbeddedJobs::Asked {
 public:
  virtual ~Asked() = default;
  virtual void cancel() = 0;
  virtual void readDetails(MoveFunction<void(JobDetails)> reply) = 0;
  virtual void readAccumulators(MoveFunction<void(std::vector<TaskAccumulators>)> reply) = 0;
  virtual void explainWatermarks(MoveFunction<void(WatermarkReport)> reply) = 0;
  virtual void stopWithSavepoint(std::string folder, StopMode stop,
                                 MoveFunction<void(CheckpointOutcome)> reply) = 0;
  virtual void triggerCheckpoint(MoveFunction<void(CheckpointOutcome)> reply) = 0;
};

template <typename Job>
class EmbeddedJobs::AskedJob final : public Asked {
 public:
  explicit AskedJob(Job& job) : job_(job) {}
  void cancel() override { job_.cancel(); }
  void readDetails(MoveFunction<void(JobDetails)> reply) override { job_.readDetails(std::move(reply)); }
  void readAccumulators(MoveFunction<void(std::vector<TaskAccumulators>)> reply) override {
    job_.readTaskAccumulators(std::move(reply));
  }
  void explainWatermarks(MoveFunction<void(WatermarkReport)> reply) override {
    job_.explainWatermarks(std::move(reply));
  }
  void stopWithSavepoint(std::string folder, StopMode stop,
                         MoveFunction<void(CheckpointOutcome)> reply) override {
    job_.stopWithSavepoint(std::move(folder), stop, std::move(reply));
  }
  void triggerCheckpoint(MoveFunction<void(CheckpointOutcome)> reply) override {
    job_.triggerCheckpoint(std::move(reply));
  }

 private:
  Job& job_;
};

struct EmbeddedJobs::Entry {
  std::mutex mutex;
  std::unique_ptr<Asked> job;  // null once it has ended
  std::shared_ptr<const JobDescription> description;
  Question<JobDetails> details;
  Question<std::vector<TaskAccumulators>> accumulators;
  Question<WatermarkReport> watermarks;
  std::vector<Parker*> waiting;
  // What the master may never answer, because it ends before.
  std::map<int64_t, MoveFunction<void(CheckpointOutcome)>> triggered;
  int64_t lastTriggered = 0;

  bool ended() {
    const std::lock_guard lock(mutex);
    return job == nullptr;
  }

  // With the mutex held.
  template <typename T>
  void take(Question<T> Entry::*which, T answer) {
    Question<T>& question = this->*which;
    question.last = std::make_shared<const T>(std::move(answer));
    question.underWay = false;
    for (Parker* parker : waiting) parker->unpark();
  }
};

struct EmbeddedJobs::List {
  std::mutex mutex;
  std::vector<std::shared_ptr<Entry>> entries;  // oldest first
};

EmbeddedJobs::EmbeddedJobs(const Env& env, size_t history)
    : env_(env), history_(history), list_(std::make_unique<List>()) {}

EmbeddedJobs::~EmbeddedJobs() = default;

void EmbeddedJobs::list(EmbeddedJob& job) {
  listAny(job, describeJob(job.id(), job.graph(), job.configuration()));
}

void EmbeddedJobs::list(JobMaster& master, const JobId& id, const JobGraph& graph,
                        const Configuration& configuration) {
  listAny(master, describeJob(id, graph, configuration));
}

template <typename Job>
void EmbeddedJobs::listAny(Job& job, JobDescription description) {
  auto entry = std::make_shared<Entry>();
  entry->job = std::make_unique<AskedJob<Job>>(job);
  entry->description = std::make_shared<const JobDescription>(std::move(description));
  job.whenEnded([entry](JobDetails details, std::vector<TaskAccumulators> accumulators) {
    std::map<int64_t, MoveFunction<void(CheckpointOutcome)>> unanswered;  // dies without the lock
    const std::lock_guard lock(entry->mutex);
    unanswered.swap(entry->triggered);
    entry->job.reset();
    entry->take(&Entry::accumulators, std::move(accumulators));
    entry->take(&Entry::watermarks, WatermarkReport());
    entry->take(&Entry::details, std::move(details));
  });
  {
    const std::lock_guard lock(list_->mutex);
    list_->entries.push_back(std::move(entry));
  }
  entries();
}

void EmbeddedJobs::forget(const JobId& id) {
  const std::lock_guard lock(list_->mutex);
  std::erase_if(list_->entries, [&](const auto& entry) { return entry->description->id == id; });
}

// Newest first; those that have ended long ago go.
std::vector<std::shared_ptr<EmbeddedJobs::Entry>> EmbeddedJobs::entries() {
  const std::lock_guard lock(list_->mutex);
  size_t ended = 0;
  std::vector<std::shared_ptr<Entry>>& all = list_->entries;
  for (auto entry = all.rbegin(); entry != all.rend(); ++entry) {
    if ((*entry)->ended() && ++ended > history_) entry->reset();
  }
  std::erase(all, nullptr);
  return {all.rbegin(), all.rend()};
}

std::shared_ptr<EmbeddedJobs::Entry> EmbeddedJobs::entry(const JobId& id) {
  for (std::shared_ptr<Entry>& entry : entries())
    if (entry->description->id == id) return std::move(entry);
  return nullptr;
}

// Null when the job does not answer and never has.
template <typename T, typename Ask>
std::shared_ptr<const T> EmbeddedJobs::answerTo(const std::shared_ptr<Entry>& entry,
                                                Question<T> Entry::*which, Ask ask) {
  Question<T>& question = (*entry).*which;
  std::unique_lock lock(entry->mutex);
  std::shared_ptr<const T> before = question.last;
  if (entry->job == nullptr || (question.underWay && before != nullptr)) return before;
  if (!std::exchange(question.underWay, true)) {
    ask(*entry->job, [entry, which](T answer) {
      const std::lock_guard replyLock(entry->mutex);
      if (entry->job != nullptr) entry->take(which, std::move(answer));
    });
  }
  const std::unique_ptr<Parker> parker = env_.threads.makeParker();
  entry->waiting.push_back(parker.get());
  const int64_t deadline = deadlineAfter(env_.clock, before == nullptr ? kFirstPatience : kPatience);
  while (question.last == before && env_.clock.monotonicNanos() < deadline) {
    lock.unlock();
    parker->park(deadline);
    lock.lock();
  }
  std::erase(entry->waiting, parker.get());
  return question.last;
}

std::shared_ptr<const JobDetails> EmbeddedJobs::detailsOf(const std::shared_ptr<Entry>& entry) {
  return answerTo<JobDetails>(entry, &Entry::details,
                              [](Asked& job, auto reply) { job.readDetails(std::move(reply)); });
}

ClusterSummary EmbeddedJobs::cluster() {
  ClusterSummary summary{.workers = 1};
  for (const std::shared_ptr<Entry>& entry : entries()) {
    const std::lock_guard lock(entry->mutex);
    if (entry->job != nullptr) summary.slots += entry->description->slots;
  }
  return summary;
}

std::vector<ListedJob> EmbeddedJobs::jobs() {
  std::vector<ListedJob> all;
  for (const std::shared_ptr<Entry>& entry : entries()) {
    const std::shared_ptr<const JobDetails> details = detailsOf(entry);
    all.push_back({entry->description, details == nullptr ? JobDetails() : *details});
  }
  return all;
}

std::optional<ListedJob> EmbeddedJobs::find(const JobId& id) {
  const std::shared_ptr<Entry> found = entry(id);
  if (found == nullptr) return {};
  const std::shared_ptr<const JobDetails> details = detailsOf(found);
  if (details == nullptr)
    throw Error(ErrorKind::kTransient,
                "the job '" + found->description->name + "' does not answer: ask again");
  return ListedJob{found->description, *details};
}

std::optional<std::vector<TaskAccumulators>> EmbeddedJobs::accumulators(const JobId& id) {
  const std::shared_ptr<Entry> found = entry(id);
  if (found == nullptr) return {};
  const auto answer = answerTo<std::vector<TaskAccumulators>>(
      found, &Entry::accumulators, [](Asked& job, auto reply) { job.readAccumulators(std::move(reply)); });
  if (answer == nullptr)
    throw Error(ErrorKind::kTransient,
                "not all tasks tell their accumulators: a user function keeps a lane busy; the log names it");
  return cloned(*answer);
}

std::optional<WatermarkReport> EmbeddedJobs::watermarks(const JobId& id) {
  const std::shared_ptr<Entry> found = entry(id);
  if (found == nullptr) return {};
  const auto answer = answerTo<WatermarkReport>(
      found, &Entry::watermarks, [](Asked& job, auto reply) { job.explainWatermarks(std::move(reply)); });
  if (answer == nullptr)
    throw Error(ErrorKind::kTransient,
                "the job '" + found->description->name + "' does not tell its watermarks: ask again");
  return *answer;
}

AskOutcome EmbeddedJobs::cancel(const JobId& id) {
  const std::shared_ptr<Entry> found = entry(id);
  if (found == nullptr) return AskOutcome::kUnknown;
  const std::lock_guard lock(found->mutex);
  if (found->job != nullptr) {
    found->job->cancel();
    return AskOutcome::kAccepted;
  }
  return found->details.last->status == JobStatus::kCancelled ? AskOutcome::kAccepted : AskOutcome::kTooLate;
}

template <typename Ask>
AskOutcome EmbeddedJobs::trigger(const JobId& id, bool cancels, MoveFunction<void(CheckpointOutcome)> reply,
                                 Ask ask) {
  const std::shared_ptr<Entry> found = entry(id);
  if (found == nullptr) return AskOutcome::kUnknown;
  const std::lock_guard lock(found->mutex);
  if (found->job == nullptr) return AskOutcome::kTooLate;
  const int64_t number = ++found->lastTriggered;
  found->triggered.emplace(number, std::move(reply));
  ask(*found->job, [found, number, cancels](CheckpointOutcome outcome) {
    MoveFunction<void(CheckpointOutcome)> then;
    {
      const std::lock_guard replyLock(found->mutex);
      const auto asked = found->triggered.find(number);
      if (asked == found->triggered.end()) return;
      then = std::move(asked->second);
      found->triggered.erase(asked);
      if (cancels && !outcome.error && found->job != nullptr) found->job->cancel();
    }
    then(std::move(outcome));
  });
  return AskOutcome::kAccepted;
}

AskOutcome EmbeddedJobs::triggerSavepoint(const JobId& id, SavepointOrder order,
                                          MoveFunction<void(CheckpointOutcome)> reply) {
  return trigger(id, order.cancels, std::move(reply), [&](Asked& job, auto answer) {
    job.stopWithSavepoint(std::move(order.folder), order.stop, std::move(answer));
  });
}

AskOutcome EmbeddedJobs::triggerCheckpoint(const JobId& id, MoveFunction<void(CheckpointOutcome)> reply) {
  return trigger(id, false, std::move(reply),
                 [](Asked& job, auto answer) { job.triggerCheckpoint(std::move(answer)); });
}

}  // namespace flott
