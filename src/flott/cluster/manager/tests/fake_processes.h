// Processes that only the test knows of: it sees what was started, and says what they answer and how they
// end.
//
// The test's own thread only.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "flott/base/error.h"
#include "flott/env/processes.h"
#include "flott/master/program_role.h"

namespace flott {

struct FakeProcess {
  ProcessSpec spec;
  ProgramRole role;
  std::optional<std::string> answer = {};
  std::optional<ProcessEnd> end = {};
  bool owned = true;  // somebody has its ChildProcess

  bool runs() const { return owned && !end; }
  void exit(std::string lastAnswer = {}) {
    if (!answer) answer = std::move(lastAnswer);
    end = ProcessEnd{};
  }
  void crash() {
    if (!answer) answer = "";
    end = ProcessEnd{.signal = 11};
  }
};

class FakeProcesses final : public Processes {
 public:
  std::unique_ptr<ChildProcess> start(const ProcessSpec& spec) override {
    if (refuse) throw Error(ErrorKind::kTransient, "no process can be started: there are too many");
    all.push_back(
        std::make_shared<FakeProcess>(FakeProcess{.spec = spec, .role = ProgramRole::decode(*spec.role)}));
    return std::make_unique<Child>(all.back());
  }
  std::unique_ptr<GivenRole> role() override { return nullptr; }

  /// Those that run, the oldest first.
  std::vector<std::shared_ptr<FakeProcess>> running(ProgramRole::Kind kind) const {
    std::vector<std::shared_ptr<FakeProcess>> found;
    for (const auto& process : all)
      if (process->runs() && process->role.kind == kind) found.push_back(process);
    return found;
  }

  std::vector<std::shared_ptr<FakeProcess>> all;
  bool refuse = false;

 private:
  class Child final : public ChildProcess {
   public:
    explicit Child(std::shared_ptr<FakeProcess> process) : process_(std::move(process)) {}
    ~Child() override {
      kill();
      process_->owned = false;
    }
    int64_t id() const override { return 4711; }
    std::optional<ProcessEnd> wait(Duration) override { return process_->end; }
    void terminate() override { kill(); }
    void kill() override {
      if (process_->end) return;
      if (!process_->answer) process_->answer = "";
      process_->end = ProcessEnd{.signal = 9};
    }
    std::string answer(size_t, Duration) override { return process_->answer.value_or(""); }
    std::optional<std::string> tryAnswer(size_t) override { return process_->answer; }

   private:
    const std::shared_ptr<FakeProcess> process_;
  };
};

}  // namespace flott
