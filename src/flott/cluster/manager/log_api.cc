#include "flott/cluster/manager/log_api.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "flott/cluster/manager/cluster_documents.h"
#include "flott/rest/router.h"

namespace flott {
namespace {

// Of a log that is handed on: it is in memory meanwhile.
constexpr uint64_t kMostBytes = 32 << 20;

bool isPlainName(std::string_view name) {
  return !name.empty() && name.front() != '.' && name.find('/') == std::string_view::npos &&
         name.find('\0') == std::string_view::npos;
}

/// Nothing for what is no number.
std::optional<uint64_t> numberIn(const RestRequest& request, const std::string& parameter,
                                 uint64_t otherwise) {
  const std::optional<std::string> text = request.parameter(parameter);
  if (!text) return otherwise;
  uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), number);
  const bool good = problem == std::errc() && end == text->data() + text->size();
  return good ? std::optional(number) : std::nullopt;
}

}  // namespace

RestResponse logFileResponse(Files& files, const std::string& folder, const std::string& name,
                             const RestRequest& request) {
  if (!isPlainName(name)) return RestResponse::error(400, "'" + name.substr(0, 64) + "' is no name of a log");
  const std::string path = folder + "/" + name;
  const std::optional<FileInfo> info = files.stat(path);
  if (!info || info->isFolder) return RestResponse::error(404, "there is no log '" + name + "'");
  const std::optional<uint64_t> offset = numberIn(request, "offset", 0);
  const std::optional<uint64_t> length = numberIn(request, "length", kMostBytes);
  if (!offset || !length)
    return RestResponse::error(400, "the query parameters 'offset' and 'length' are numbers of bytes");
  RestResponse response;
  response.contentType = "text/plain; charset=UTF-8";
  response.file = FilePart{
      .path = path, .offset = std::min(*offset, info->size), .length = std::min(*length, kMostBytes)};
  return response;
}

RestResponse LogApi::answer(const RestRequest& request) {
  static const Router kRouter({{"GET", "/logs"}, {"GET", "/log"}, {"GET", "/logs/{name}"}});
  const Router::Found found = kRouter.find(request.method, request.path);
  if (found.route == 0) return RestResponse::json(logsDocument(env_.files.listFolder(folder_)));
  const std::string name = found.open.empty() ? file_ : std::string(found.open.front());
  return logFileResponse(env_.files, folder_, name, request);
}

}  // namespace flott
