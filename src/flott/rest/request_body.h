// Takes a request's body in as its handler's plan says: as text, as a file, or as the parts of a form.
//
// On the server's threads. Files have names that no other has, and go with the request unless they are taken.
//
//   BodyReader reader(env);
//   reader.read(body, api.bodyPlan(request), request);
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "flott/env/env.h"
#include "flott/rest/http_body.h"
#include "flott/rest/rest_handler.h"

namespace flott {

class BodyReader {
 public:
  explicit BodyReader(const Env& env);

  /// `request` has its content type. Throws Refusal for a body that is too large or cannot be read, and Error
  /// when a file cannot be written. Any thread.
  void read(HttpBody& body, const BodyPlan& plan, RestRequest& request);
  /// An empty one in the folder, which is made.
  std::shared_ptr<UploadedFile> makeFile(const std::string& folder);

 private:
  Files& files_;
  const uint64_t run_;  // tells the files of this server from those of others
  std::atomic<uint64_t> made_{0};
};

}  // namespace flott
