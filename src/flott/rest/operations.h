// What clients have asked for and come back to ask about: savepoints, checkpoints, removals. Each has a
// trigger id, as in Flink's asynchronous REST calls.
//
// Any thread. How many are remembered is bounded: the oldest that have ended go first, and when all of them
// are under way another one is refused. What ends an operation may outlive this object.
//
//   const auto [id, isNew] = operations.begin("savepoints " + job, triggerId);
//   if (isNew) board.triggerSavepoint(…, [end = operations.ender(scope, id)](CheckpointOutcome outcome)
//   mutable
//                                        { end({.location = outcome.folder}); });
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/error.h"
#include "flott/base/function.h"
#include "flott/base/time.h"
#include "flott/env/env.h"

namespace flott {

class Operations {
 public:
  /// What an operation has come to.
  struct Result {
    std::string location = {};        // of a savepoint
    std::optional<uint64_t> id = {};  // of a checkpoint
    std::optional<Error> error = {};  // why there is neither
  };

  /// What `env` refers to outlives whatever ends an operation.
  Operations(const Env& env, size_t most);
  ~Operations();

  /// The id of the operation, and whether it is new: a client that does not know whether its request has come
  /// through may repeat it with the same id. Ids are looked up within a scope. Throws Refusal{503} when there
  /// is no room.
  std::pair<std::string, bool> begin(const std::string& scope, const std::optional<std::string>& id);
  /// To be called once. One that is destroyed before ends the operation with an error.
  MoveFunction<void(Result)> ender(const std::string& scope, const std::string& id);
  /// It did not begin after all.
  void forget(const std::string& scope, const std::string& id);

  struct State {
    std::optional<Result> result;  // none: it is under way
  };
  /// Nothing when there is none, or no longer.
  std::optional<State> find(const std::string& scope, const std::string& id) const;
  /// Of all in a scope that have ended.
  std::vector<std::string> ended(const std::string& scope) const;

  /// Returns when clients have asked after all that has ended within the last `most`, and after that time at
  /// the latest. For a server that goes with its job: who has stopped the job waits for the savepoint's
  /// place.
  void waitUntilTold(Duration most) const;

 private:
  struct Shared;
  const Env env_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace flott
