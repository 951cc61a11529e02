#include "flott/cluster/manager/forwarding.h"

#include <utility>

#include "flott/base/error.h"
#include "flott/rest/http_client.h"

namespace flott {
namespace {

// A master answers about watermarks after 6 s at the latest.
constexpr HttpClientOptions kPatience{.connectTimeout = Duration::seconds(2),
                                      .silence = Duration::seconds(20)};
constexpr HttpClientOptions kShortPatience{.connectTimeout = Duration(300), .silence = Duration::seconds(2)};

std::string pathAndQuery(const RestRequest& request) {
  std::string text;
  for (const char c : request.path) text += c == '/' ? std::string("/") : urlEncoded(std::string_view(&c, 1));
  char before = '?';
  for (const auto& [name, value] : request.query) {
    text += before + urlEncoded(name) + "=" + urlEncoded(value);
    before = '&';
  }
  return text;
}

}  // namespace

RestResponse forward(const Env& env, const std::string& address, uint16_t port, const RestRequest& request) {
  const HttpClient client(env, address, port, kPatience);
  HttpClient::Answer answer = client.request({.method = request.method,
                                              .path = pathAndQuery(request),
                                              .contentType = request.contentType,
                                              .body = request.body});
  RestResponse response;
  response.status = answer.status;
  response.contentType = std::move(answer.contentType);
  response.body = std::move(answer.body);
  response.allow = answer.header("allow");
  return response;
}

std::string fetchHere(const Env& env, uint16_t port, const std::string& path) {
  return fetch(env, "127.0.0.1", port, path);
}

std::string fetch(const Env& env, const std::string& address, uint16_t port, const std::string& path) {
  HttpClient::Answer answer = HttpClient(env, address, port, kShortPatience).request({.path = path});
  if (!answer.ok()) throw Error(ErrorKind::kTransient, answer.errorText());
  return std::move(answer.body);
}

}  // namespace flott
