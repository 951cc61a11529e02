// One request on its way through a route of RestApi: its parameters, and what it asks for.
//
// Lives for one request, on one of the server's threads. Whatever cannot be had is thrown as a Refusal.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flott/rest/documents.h"
#include "flott/rest/metric_query.h"
#include "flott/rest/operations.h"
#include "flott/rest/rest_api.h"

namespace flott {

/// What calls of a RestApi share.
struct RestWorld {
  JobBoard& board;
  const RestApiOptions& options;
  const Env& env;
  Operations& operations;
};

struct RestCall {
  const RestWorld& world;
  const RestRequest& request;
  std::vector<std::string_view> at;  // the parts of the path that the route leaves open

  Timestamp now() const { return world.env.clock.wallTime(); }
  std::optional<std::vector<std::string>> get() const { return chosenMetrics(request); }

  JobId jobId() const;
  ListedJob job() const { return known(world.board.find(jobId())); }
  template <typename T>
  T known(std::optional<T> value) const {
    if (!value) refuseUnknownJob();
    return *std::move(value);
  }
  std::vector<TaskAccumulators> accumulators() const { return known(world.board.accumulators(jobId())); }
  [[noreturn]] void refuseUnknownJob() const;
  const JobDescription::Vertex& vertex(const ListedJob& job, size_t place = 1) const;
  /// By at[2]; with an attempt, by at[3]. Only the last attempt is remembered.
  const TaskDetails& subtask(const ListedJob& job, const JobDescription::Vertex& vertex,
                             bool withAttempt) const;
  const CheckpointRecord& checkpoint(const ListedJob& job) const;

  // Documents that take more than one step.
  std::string exceptions() const;
  std::string checkpointSubtasks() const;
  std::string vertexWatermarkMetrics() const;
  std::string subtaskMetrics() const;
  std::string aggregatedSubtaskMetrics() const;
  std::string aggregatedJobMetrics() const;

  // What changes something.
  std::string cancel() const;
  std::string cancelByGet() const;
  std::string triggerSavepoint() const;
  std::string stop() const;
  std::string triggerCheckpoint() const;
  std::string disposeSavepoint() const;
  // What has become of it.
  std::string savepointStatus() const;
  std::string checkpointStatus() const;
  std::string disposalStatus() const;

 private:
  struct Fields;
  std::string beginSavepoint(const Fields& fields, SavepointOrder order) const;
  void throwUnlessAccepted(AskOutcome outcome, const std::string& scope, const std::string& id,
                           const std::string& what) const;
  Operations::State operation(const std::string& scope, std::string_view id) const;
};

}  // namespace flott
