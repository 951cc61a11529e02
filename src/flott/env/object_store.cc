#include "flott/env/object_store.h"

#include <array>

#include "flott/base/nearest.h"
#include "flott/base/options.h"

namespace flott {
namespace {

// Those that Arrow makes a file system of, with the names that Flink's plug-ins have for S3.
constexpr std::array<std::string_view, 9> kSchemes = {"file", "s3",   "s3a",   "s3p", "gs",
                                                      "gcs",  "abfs", "abfss", "hdfs"};

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string wayOut(const std::string& uri, const std::string& reason) {
  const bool isS3 = schemeOf(uri).starts_with("s3");
  if (contains(reason, "NO_SUCH_BUCKET") || contains(reason, "NoSuchBucket") ||
      contains(reason, "Bucket does not exist")) {
    const size_t from = uri.find("//") + 2;
    return ". Make the bucket '" + uri.substr(from, uri.find('/', from) - from) + "', or correct the name";
  }
  if (!isS3) return {};
  if (contains(reason, "NETWORK_CONNECTION") || contains(reason, "curlCode"))
    return ". See that the store runs and that s3.endpoint is its address";
  for (const char* refusal :
       {"ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "InvalidAccessKeyId",
        "SignatureDoesNotMatch", "HTTP status 403", "INVALID_CLIENT_TOKEN_ID"}) {
    if (contains(reason, refusal))
      return ". See that s3.access-key and s3.secret-key are right and may do this";
  }
  return {};
}

}  // namespace

std::string_view schemeOf(std::string_view uri) {
  const size_t colon = uri.find(':');
  return colon == std::string_view::npos || uri.find('/') < colon ? std::string_view() : uri.substr(0, colon);
}

void checkScheme(const std::string& uri) {
  const std::string_view scheme = schemeOf(uri);
  for (const std::string_view known : kSchemes) {
    if (scheme != known) continue;
    if (scheme == "file") return;
    const size_t authority = scheme.size() + 3;
    if (uri.substr(scheme.size(), 3) == "://" && authority < uri.size() && uri[authority] != '/') return;
    throw Error(ErrorKind::kUser, "'" + uri + "' names no " +
                                      (scheme.starts_with("s3") ? "bucket" : "store") + ": write " +
                                      std::string(scheme) + "://bucket/path");
  }
  const std::string_view nearest = nearestOf(scheme, kSchemes);
  std::string list;
  for (const std::string_view known : kSchemes)
    list += std::string(list.empty() ? "" : known == kSchemes.back() ? " or " : ", ") + std::string(known);
  throw Error(ErrorKind::kUser,
              "'" + uri + "' has the unknown scheme '" + std::string(scheme) + "'" +
                  (nearest.empty() ? "" : ": did you mean '" + std::string(nearest) + "'?") +
                  (nearest.empty() ? ": give a path, or " : " There are ") + list);
}

StringMap storeOptions(const Configuration& configuration) {
  StringMap options;
  const auto add = [&](const auto& option) {
    if (const auto value = configuration.find(option)) options[std::string(option.key)] = *value;
  };
  add(kS3Endpoint);
  add(kS3Region);
  add(kS3AccessKey);
  add(kS3SecretKey);
  return options;
}

Error objectError(const char* deed, const std::string& uri, const std::string& reason) {
  return Error(ErrorKind::kTransient,
               "object '" + uri + "' could not be " + deed + ": " + reason + wayOut(uri, reason));
}

}  // namespace flott
