// What somebody with a program asks of a cluster, over its REST: to take the program, run it, and tell how it
// goes.
//
// Blocks; one thread at a time. All calls throw Error(kTransient) when nobody answers there, and Error(kUser)
// with the cluster's reason when it refuses.
//
//   ClusterClient cluster(env, "127.0.0.1", 8081);
//   const std::string program = cluster.upload(filesOfProgram(env, processes, "./count"));
//   const std::string job = cluster.run(program, {.arguments = {"--top", "3"}});
//   while (!cluster.ended(job)) …
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "flott/cluster/manager/program_files.h"
#include "flott/env/env.h"
#include "flott/rest/http_client.h"

namespace flott {

struct ProgramRun {
  std::vector<std::string> arguments = {};
  std::map<std::string, std::string> options = {};
};

struct JobEnd {
  std::string status;   // "FINISHED"
  std::string failure;  // the cause of FAILED
};

class ClusterClient {
 public:
  ClusterClient(const Env& env, const std::string& address, int port, HttpClientOptions options = {})
      : http_(env, address, port, options) {}

  std::string url() const { return http_.url(); }
  /// Sends what the cluster has not; the program's id.
  std::string upload(const std::vector<LocalFile>& files) const;
  /// Waits until the program has started its job; the job's id.
  std::string run(const std::string& program, const ProgramRun& run) const;
  void cancel(const std::string& job) const;
  /// How it has ended, its main() included; nothing when it has not.
  std::optional<JobEnd> ended(const std::string& job) const;
  /// What main() has written from `offset` on; bounded: there may be more.
  std::string output(const std::string& job, uint64_t offset) const;
  int taskManagers() const;
  /// Ends the cluster, which needs a moment for it.
  void shutdown() const;

 private:
  HttpClient::Answer ask(const HttpClient::Request& request) const;

  const HttpClient http_;
};

}  // namespace flott
