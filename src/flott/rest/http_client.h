// Asks an HTTP server, and waits for its answer: for the command line, and for one process of Flott that asks
// another.
//
// One request a connection. Blocks the thread that calls; several threads may. Times and sizes of what comes
// are bounded. Any status is an answer; when there is none, Error(kTransient) says "no answer at http://…".
//
//   HttpClient client(env, "localhost", 8081);
//   HttpClient::Answer answer = client.request({.method = "GET", .path = "/jobs/overview"});
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/time.h"
#include "flott/env/env.h"

namespace flott {

struct HttpClientOptions {
  Duration connectTimeout = Duration::seconds(10);
  /// How long the server may be silent.
  Duration silence = Duration::seconds(60);
  /// Of an answer that is not downloaded.
  uint64_t answerBytes = 64 << 20;
};

class HttpClient {
 public:
  struct Request {
    std::string method = "GET";
    std::string path;  // with the query, encoded: see urlEncoded()
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::string contentType = {};
    std::string body = {};
    /// Instead of `body`.
    std::string bodyFile = {};
    /// With `bodyFile`: it is sent as this file of a form, as `curl -F` does.
    std::string formField = {};
  };
  struct Answer {
    int status = 0;
    std::string contentType = {};
    std::string body = {};
    std::vector<std::pair<std::string, std::string>> headers = {};

    bool ok() const { return status >= 200 && status < 300; }
    /// Empty when there is none; `name` in lower case.
    std::string header(std::string_view name) const;
    /// The text of a document of errors, else the body itself.
    std::string errorText() const;
  };

  /// What `env` refers to outlives it.
  HttpClient(const Env& env, std::string address, int port, HttpClientOptions options = {});

  Answer request(const Request& request) const;
  /// Writes the body of an answer that is ok() to a file, which is not there when anything goes wrong.
  Answer download(const Request& request, const std::string& file) const;
  /// "http://localhost:8081"
  std::string url() const;

 private:
  class Exchange;
  Answer exchange(const Request& request, const std::string& file) const;

  const Env env_;
  const std::string address_;
  const int port_;
  const HttpClientOptions options_;
};

/// For a part of a path, or a name or value of a query: all but letters, digits and "-_.~" becomes %XX.
std::string urlEncoded(std::string_view text);

}  // namespace flott
