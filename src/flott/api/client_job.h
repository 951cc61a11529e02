// A job that this process leads, as its JobClient sees it: its tasks are in this process, or in workers.
//
// Calls come from one thread, but for those of master() that take any.
#pragma once

#include <memory>

#include "flott/base/config.h"
#include "flott/base/time.h"
#include "flott/graph/job_graph.h"
#include "flott/master/job_id.h"
#include "flott/master/job_master.h"
#include "flott/master/job_status.h"

namespace flott {

class EmbeddedJobs;
class ExecutionHost;

class ClientJob {
 public:
  /// Cancels the job when it has not ended, and waits.
  virtual ~ClientJob() = default;
  virtual JobMaster& master() = 0;
  virtual const JobId& id() const = 0;
  virtual const JobGraph& graph() const = 0;
  virtual JobProgress progress() = 0;
  virtual void wait() = 0;
  virtual bool waitFor(Duration timeout) = 0;
  /// After wait().
  virtual JobResult result() = 0;
};

/// Starts the job with all its tasks in this process. With `listing` it is shown there, also when it has
/// ended.
std::unique_ptr<ClientJob> startHere(std::shared_ptr<ExecutionHost> host, JobGraph graph,
                                     const Configuration& configuration, EmbeddedJobs* listing);

}  // namespace flott
