// Where a REST server listens and what it grants a request; read from the configuration.
//
// Values and pure functions; any thread.
//
//   HttpServer server(env, httpServerOptions(configuration), api);
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flott/base/config.h"
#include "flott/base/time.h"

namespace flott {

struct PortRange {
  int first = 0;  // 0: any free port
  int last = 0;
  bool operator==(const PortRange&) const = default;
};

struct HttpServerOptions {
  std::string address = "127.0.0.1";
  std::vector<PortRange> ports{{8081, 8081}};     // the first that is free is taken
  int threads = 8;                                // requests that are worked on at once
  int waiting = 32;                               // requests that wait for a thread
  int connections = 256;                          // whose requests are not here yet
  size_t requestBytes = 16 << 10;                 // of one request without its body, its headers included
  uint64_t bodyBytes = uint64_t{1} << 30;         // of one body; what handles it may allow less
  Duration requestTime = Duration::seconds(5);    // until a request is here, and until its body begins
  Duration responseTime = Duration::seconds(30);  // until its response begins to be taken
  uint64_t slowestBytesPerSecond = 64 << 10;      // of bodies and responses, after these times
};

/// Throws Error(kUser) for ports that cannot be read, and for an address that other machines reach without
/// flott.rest.insecure.
HttpServerOptions httpServerOptions(const Configuration& configuration);

/// "50100-50200,8081", as of rest.bind-port. Throws Error(kUser) that names the option.
std::vector<PortRange> parsePorts(std::string_view text, std::string_view option = "rest.bind-port");
/// Of this machine alone, as a name or as an address: "localhost", "127.0.0.1", "::1".
bool isLoopback(std::string_view address);
/// The host of a Host header, or of an Origin: without scheme, port and brackets.
std::string_view hostOf(std::string_view authority);

}  // namespace flott
