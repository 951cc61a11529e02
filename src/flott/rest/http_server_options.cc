#include "flott/rest/http_server_options.h"

#include <algorithm>
#include <charconv>

#include "flott/base/error.h"
#include "flott/base/options.h"
#include "flott/base/rest_options.h"
#include "flott/rest/http_text.h"

namespace flott {
namespace {

int parsePort(std::string_view port, std::string_view all, std::string_view option) {
  int number = -1;
  const auto [end, problem] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (problem != std::errc() || end != port.data() + port.size() || number < 0 || number > 65535) {
    throw Error(ErrorKind::kUser, std::string(option) + " = " + std::string(all) + ": '" + std::string(port) +
                                      "' is no port: give numbers from 0 to 65535, as 8081, 8081,8082 or "
                                      "50100-50200");
  }
  return number;
}

}  // namespace

std::vector<PortRange> parsePorts(std::string_view text, std::string_view option) {
  std::vector<PortRange> ports;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view part = trimmed(text.substr(begin, end - begin));
    const size_t dash = part.find('-');
    const int first = parsePort(trimmed(part.substr(0, dash)), text, option);
    const int last =
        dash == std::string_view::npos ? first : parsePort(trimmed(part.substr(dash + 1)), text, option);
    if (last < first || (first == 0 && last > 0)) {
      throw Error(ErrorKind::kUser, std::string(option) + " = " + std::string(text) + ": the range '" +
                                        std::string(part) + "' is empty or begins with 0");
    }
    ports.push_back({first, last});
    begin = end + 1;
  }
  return ports;
}

bool isLoopback(std::string_view address) {
  if (address == "::1") return true;
  if (address.starts_with("127.")) {
    return std::all_of(address.begin(), address.end(),
                       [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
  }
  constexpr std::string_view kName = "localhost";
  return address.size() == kName.size() &&
         std::equal(address.begin(), address.end(), kName.begin(),
                    [](char c, char known) { return c == known || c + ('a' - 'A') == known; });
}

std::string_view hostOf(std::string_view authority) {
  if (const size_t scheme = authority.find("://"); scheme != std::string_view::npos)
    authority.remove_prefix(scheme + 3);
  if (authority.starts_with('['))
    return authority.substr(1, std::min(authority.find(']'), authority.size()) - 1);
  return authority.substr(0, authority.find(':'));
}

HttpServerOptions httpServerOptions(const Configuration& configuration) {
  HttpServerOptions options;
  options.address = configuration.get(kRestBindAddress);
  if (!isLoopback(options.address) && !configuration.get(kRestInsecure)) {
    throw Error(
        ErrorKind::kUser,
        "rest.bind-address = " + options.address +
            " may be reached from other machines, and whoever reaches it may cancel jobs: leave it "
            "out and come by a tunnel (ssh -L 8081:localhost:8081), or set flott.rest.insecure: true");
  }
  if (const auto ports = configuration.find(kRestBindPort)) {
    options.ports = parsePorts(*ports);
  } else {
    const auto port = static_cast<int>(configuration.get(kRestPort));
    options.ports = {{port, port}};
  }
  options.bodyBytes = configuration.get(kRestMaxContentLength).bytes;
  return options;
}

}  // namespace flott
