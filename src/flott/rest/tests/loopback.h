// A client over a real loopback socket that sends what it is told to, and the worlds that its servers live
// in.
#pragma once

#include <memory>
#include <string>

#include "flott/env/posix/real_env.h"

namespace flott {

struct HttpAnswer {
  int status = 0;  // 0: closed without a word
  std::string headers;
  std::string body;
};

class Loopback {
 public:
  Loopback() : real(makeRealEnv({.log = {.level = LogLevel::kOff}})), env(real->env()) {}

  /// Sends `text` as it is and reads until the server closes.
  HttpAnswer send(int port, const std::string& text, const std::string& address = "127.0.0.1") {
    const auto connection = env.network.connect(address, static_cast<uint16_t>(port), Duration::seconds(10));
    std::string all;
    char block[4096];
    try {
      connection->write(text);
      while (const size_t n = connection->read(block)) all.append(block, n);
    } catch (const Error&) {  // it closed while this was still sending
    }
    HttpAnswer answer;
    if (all.size() < 12) return answer;
    const size_t end = all.find("\r\n\r\n");
    answer.status = std::stoi(all.substr(9, 3));
    answer.headers = all.substr(0, end);
    answer.body = end == std::string::npos ? "" : all.substr(end + 4);
    return answer;
  }
  HttpAnswer ask(int port, const std::string& target, const std::string& method = "GET",
                 const std::string& headers = "Host: localhost\r\n") {
    return send(port, method + " " + target + " HTTP/1.1\r\n" + headers + "\r\n");
  }

  const std::shared_ptr<RealEnv> real;
  Env env;
};

}  // namespace flott
