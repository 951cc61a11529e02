// What a REST server asks and what it gets: requests and responses as values, and who answers them.
//
// HttpServer brings them to and from a socket. A handler is called by the server's threads, several at once.
// Before a body is read the handler says, from the head of the request, what is to become of it: text in
// memory, or a file. A file goes when the request has been answered, unless the handler takes it.
//
//   class Uploads final : public RestHandler {
//     BodyPlan bodyPlan(const RestRequest& head) override {
//       return head.path == "/jars/upload" ? BodyPlan::file("/var/flott/jars", 1 << 30) : BodyPlan();
//     }
//     RestResponse answer(const RestRequest& request) override {
//       const std::string path = request.files.at(0)->take();
//       …
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flott/env/files.h"

namespace flott {

/// A body, or a part of a form, in a file of its own. Used by one thread at a time.
class UploadedFile {
 public:
  /// The file at `path` is this object's from now on; `files` outlives it.
  UploadedFile(Files& files, std::string path) : files_(files), path_(std::move(path)) {}
  ~UploadedFile();

  const std::string& path() const { return path_; }
  /// Of the form's part: "jarfile" of `curl -F jarfile=@job`; empty: the file is the whole body.
  std::string field;
  /// What the client calls the file: a plain name without folders; may be empty.
  std::string name;
  uint64_t size = 0;
  /// The file stays where it is, and is the caller's.
  std::string take();

 private:
  Files& files_;
  std::string path_;  // empty: taken
};

struct RestRequest {
  std::string method;
  std::string path;  // without the query
  std::multimap<std::string, std::string> query = {};
  std::string contentType = {};  // as it was sent, with its parameters
  /// A page of another site made a browser send it.
  bool fromOtherSite = false;
  /// Of BodyPlan::text().
  std::string body = {};
  /// Of BodyPlan::file(): the body, or the files of a form.
  std::vector<std::shared_ptr<UploadedFile>> files = {};
  /// The other parts of a form.
  std::map<std::string, std::string> form = {};

  /// The first of this name.
  std::optional<std::string> parameter(const std::string& name) const;
};

/// A part of a file, which is sent instead of a body.
struct FilePart {
  static constexpr uint64_t kToTheEnd = UINT64_MAX;
  std::string path;
  uint64_t offset = 0;
  uint64_t length = kToTheEnd;  // what there is, when that is less
};

struct RestResponse {
  int status = 200;
  std::string contentType = "application/json; charset=UTF-8";
  std::string body = {};
  /// The methods there are, for status 405.
  std::string allow = {};
  /// Further headers, as Location or Content-Disposition.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Instead of `body`. One that is not there becomes status 404.
  std::optional<FilePart> file = {};

  static RestResponse json(std::string body, int status = 200) {
    RestResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
  }
  /// Flink's document of errors.
  static RestResponse error(int status, const std::string& text);
};

/// What becomes of a body.
struct BodyPlan {
  static constexpr uint64_t kTextBytes = 1 << 20;
  enum class Kind : uint8_t {
    kText,  // RestRequest::body
    kFile,  // RestRequest::files, and RestRequest::form
  };
  Kind kind = Kind::kText;
  uint64_t limit = kTextBytes;  // bytes; a longer one gets status 413
  std::string folder;           // where files are made

  static BodyPlan text(uint64_t limit = kTextBytes) {
    return {.kind = Kind::kText, .limit = limit, .folder = {}};
  }
  static BodyPlan file(std::string folder, uint64_t limit) {
    return {.kind = Kind::kFile, .limit = limit, .folder = std::move(folder)};
  }
};

class RestHandler {
 public:
  virtual ~RestHandler() = default;
  /// Before the body of a request that has one is read. `head` has neither body nor files. Must not block or
  /// throw.
  virtual BodyPlan bodyPlan(const RestRequest& /*head*/) { return {}; }
  /// May block for a bounded time. A Refusal that it throws becomes its status, another error 500, and 503
  /// when it is transient.
  virtual RestResponse answer(const RestRequest& request) = 0;
};

/// The response to a request whose handler threw: to be called in a catch block.
RestResponse responseToCurrentError();

}  // namespace flott
