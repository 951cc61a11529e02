// Told of the jobs of an environment: registerJobListener().
//
// Called on the thread that starts a job or waits for it. What a listener throws comes out of that call; a
// job that was just started is then cancelled.
//
//   class Announce : public JobListener {
//     void onJobExecuted(const JobExecutionResult* result, const Error* error) override { … }
//   };
//   env.registerJobListener(std::make_shared<Announce>());
#pragma once

namespace flott {

class Error;
class JobClient;
class JobExecutionResult;

class JobListener {
 public:
  virtual ~JobListener() = default;
  /// A job was started, and `client` is its handle; or it could not be, and `error` says why. The other one
  /// is null.
  virtual void onJobSubmitted(JobClient* client, const Error* error);
  /// execute() is about to return `result` or to throw `error`; the other one is null. Not called for
  /// executeAsync().
  virtual void onJobExecuted(const JobExecutionResult* result, const Error* error);
};

}  // namespace flott
