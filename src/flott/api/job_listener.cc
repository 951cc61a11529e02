#include "flott/api/job_listener.h"

namespace flott {

void JobListener::onJobSubmitted(JobClient*, const Error*) {}
void JobListener::onJobExecuted(const JobExecutionResult*, const Error*) {}

}  // namespace flott
