// Requests that another server answers: a job's master on this machine, or a TaskManager.
//
// Blocks for a bounded time; any thread. Throws Error(kTransient) when it does not answer.
//
//   return forward(env, "127.0.0.1", job.restPort, request);
#pragma once

#include <cstdint>
#include <string>

#include "flott/env/env.h"
#include "flott/rest/rest_handler.h"

namespace flott {

RestResponse forward(const Env& env, const std::string& address, uint16_t port, const RestRequest& request);
/// The body of a document; `path` may have a query. Waits for a short time only. Throws also when it is
/// refused.
std::string fetch(const Env& env, const std::string& address, uint16_t port, const std::string& path);
/// Of a server on this machine.
std::string fetchHere(const Env& env, uint16_t port, const std::string& path);

}  // namespace flott
