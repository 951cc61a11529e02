// Events between a source's enumerator and its readers, in whole jobs.
#include <map>

#include "flott/api/tests/job_test.h"
#include "flott/operators/typed_source.h"

namespace flott {
namespace {

struct NoSplit {
  int64_t none = 0;
  std::string splitId() const { return "none"; }
};

/// Asks each reader for its number, and lets all of them begin when it has heard of the last one.
class AskAll final : public TypedEnumerator<NoSplit> {
 public:
  explicit AskAll(std::string question) : question_(std::move(question)) {}
  void start(EnumeratorContext<NoSplit>& context) override { context_ = &context; }
  void addReader(SubtaskIndex reader) override { context_->sendEvent(reader, question_); }
  void handleSplitRequest(SubtaskIndex) override {}
  void addSplitsBack(std::vector<NoSplit>, SubtaskIndex) override {}
  bool handleSourceEvent(SubtaskIndex reader, const std::string& event) override {
    if (event == "?") return false;
    answers_[reader.value] = event;
    if (answers_.size() < static_cast<size_t>(context_->parallelism())) return true;
    std::string all;
    for (const auto& [number, answer] : answers_) all += answer + ";";
    for (const auto& [number, answer] : answers_) context_->sendEvent(SubtaskIndex(number), "begin " + all);
    return true;
  }
  std::vector<NoSplit> snapshot() const override { return {}; }

 private:
  const std::string question_;
  EnumeratorContext<NoSplit>* context_ = nullptr;
  std::map<int, std::string> answers_;
};

/// Answers, and puts out what it is told to begin with.
class Answers final : public TypedReader<std::string, NoSplit> {
 public:
  void open(SourceReaderContext& context) override { context_ = &context; }
  Poll poll(SourceOutput<std::string>& out) override {
    if (told_.empty()) return Poll::kIdle;
    out.collect(std::to_string(context_->info().subtask.value) + " " + told_);
    return Poll::kEnd;
  }
  void addSplits(std::vector<NoSplit>) override {}
  void onNoMoreSplits() override {}
  bool handleSourceEvent(const std::string& event) override {
    if (event == "who?") {
      context_->sendEvent("I am " + std::to_string(context_->info().subtask.value));
    } else if (event == "echo?") {
      context_->sendEvent("?");
    } else if (event.starts_with("begin ")) {
      told_ = event;
      context_->askToResume();
    } else {
      return false;
    }
    return true;
  }
  std::vector<NoSplit> snapshot() override { return {}; }

 private:
  SourceReaderContext* context_ = nullptr;
  std::string told_;
};

class Meeting final : public Source<std::string, NoSplit> {
 public:
  explicit Meeting(std::string question) : question_(std::move(question)) {}
  Boundedness boundedness() const override { return Boundedness::kBounded; }
  std::unique_ptr<Enumerator> createEnumerator(std::optional<State>) const override {
    return std::make_unique<AskAll>(question_);
  }
  std::unique_ptr<Reader> createReader() const override { return std::make_unique<Answers>(); }

 private:
  const std::string question_;
};

TEST(SourceEvents, GoBothWaysBetweenEnumeratorAndReaders) {
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    TestWorld world(seed);
    auto env = world.environment();
    env.setParallelism(3);
    EXPECT_EQ(sorted(collected(env, env.fromSource(sourceOf(Meeting("who?"), "meeting")))),
              (std::vector<std::string>{"0 begin I am 0;I am 1;I am 2;", "1 begin I am 0;I am 1;I am 2;",
                                        "2 begin I am 0;I am 1;I am 2;"}))
        << "seed " << seed;
  }
}

TEST(SourceEvents, ThatNobodyKnowsFailTheJob) {
  const auto failureOf = [](const std::string& question) -> std::string {
    TestWorld world;
    auto env = world.environment();
    try {
      collected(env, env.fromSource(sourceOf(Meeting(question), "meeting")));
    } catch (const Error& error) {
      return error.what();
    }
    return "nothing was thrown";
  };
  EXPECT_NE(failureOf("what?").find("'meeting'"), std::string::npos) << failureOf("what?");
  EXPECT_NE(failureOf("what?").find("reader got an event from the enumerator but does not handle events"),
            std::string::npos)
      << failureOf("what?");
  EXPECT_NE(failureOf("echo?").find("enumerator got an event from a reader but does not handle events"),
            std::string::npos)
      << failureOf("echo?");
}

}  // namespace
}  // namespace flott
