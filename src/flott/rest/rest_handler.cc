#include "flott/rest/rest_handler.h"

#include "flott/base/error.h"
#include "flott/rest/documents.h"
#include "flott/rest/refusal.h"

namespace flott {

UploadedFile::~UploadedFile() {
  if (path_.empty()) return;
  try {
    files_.remove(path_);
  } catch (const Error&) {  // whoever cleans the folder finds it
  }
}

std::string UploadedFile::take() { return std::exchange(path_, {}); }

std::optional<std::string> RestRequest::parameter(const std::string& name) const {
  const auto found = query.find(name);
  return found == query.end() ? std::nullopt : std::optional(found->second);
}

RestResponse RestResponse::error(int status, const std::string& text) {
  return json(errorDocument(text), status);
}

RestResponse responseToCurrentError() {
  try {
    throw;
  } catch (const Refusal& refusal) {
    RestResponse response = RestResponse::error(refusal.status, refusal.text);
    response.allow = refusal.allow;
    return response;
  } catch (...) {
    const Error error = currentError();
    return RestResponse::error(error.kind() == ErrorKind::kTransient ? 503 : 500, error.what());
  }
}

}  // namespace flott
