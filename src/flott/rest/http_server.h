// Serves a RestHandler over HTTP: the only place that knows sockets and the HTTP library.
//
// Made and destroyed by one thread. Threads from Env accept connections, wait for requests (WaitingRoom), and
// answer one request of each. What a peer may take is bounded: bytes and time of a request and of its body,
// connections that wait. Idle, all of them sleep in the kernel. On an address of this machine alone it
// answers only requests that name it so in their Host header: a page of another site, whose name is made to
// lead here, learns nothing.
//
//   HttpServer server(env, httpServerOptions(configuration), api);
//   env.log.info("rest", "at " + server.url());
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "flott/env/env.h"
#include "flott/rest/http_server_options.h"
#include "flott/rest/rest_handler.h"

namespace flott {

class HttpServer {
 public:
  /// Listens when it returns. What `env` refers to and `handler` outlive it. Throws Error(kUser) when none of
  /// the ports can be had.
  HttpServer(const Env& env, HttpServerOptions options, RestHandler& handler);
  /// Ends requests that are under way; what is being answered has half a second for it.
  ~HttpServer();

  int port() const;
  /// "http://127.0.0.1:8081"
  std::string url() const;

 private:
  class Listening;
  const std::unique_ptr<Listening> listening_;
};

}  // namespace flott
