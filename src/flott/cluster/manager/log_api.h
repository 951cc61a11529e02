// What a TaskManager serves over HTTP: its logs, and those of its workers. The JobManager hands requests for
// them on.
//
// Called by the server's threads, several at once.
#pragma once

#include <string>

#include "flott/env/env.h"
#include "flott/rest/rest_handler.h"

namespace flott {

class LogApi final : public RestHandler {
 public:
  /// `file` is the process's own log, in the folder.
  LogApi(const Env& env, std::string folder, std::string file)
      : env_(env), folder_(std::move(folder)), file_(std::move(file)) {}

  RestResponse answer(const RestRequest& request) override;

 private:
  const Env env_;
  const std::string folder_;
  const std::string file_;
};

/// A log in the folder, or the part of it that the parameters `offset` and `length` say; refused unless
/// `name` is a plain one.
RestResponse logFileResponse(Files& files, const std::string& folder, const std::string& name,
                             const RestRequest& request);

}  // namespace flott
