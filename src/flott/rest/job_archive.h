// The documents of a job that has ended, as one text in the format of Flink's history server, and back.
//
// {"archive":[{"path":"/jobs/<id>","json":"…"}, …]}. The process of a job writes it at the job's end;
// whoever is asked about the job later answers from it. Values; any thread.
//
//   files.write(archiveOf(api, job));
//   if (auto json = JobArchive::parse(text).find("/jobs/" + id + "/config")) return
//   RestResponse::json(*json);
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "flott/rest/job_board.h"
#include "flott/rest/rest_handler.h"

namespace flott {

/// All documents about the job that `api` answers with status 200: GET requests alone, as its clients make
/// them, those of metrics with the values of all. Throws what `jobs` throws.
std::string archiveOf(RestHandler& api, const ListedJob& job, std::span<const std::string> morePaths = {});

class JobArchive {
 public:
  static constexpr size_t kDocuments = 100'000;

  /// Throws Error(kCorruption) for a text that is no archive, and for more than kDocuments.
  static JobArchive parse(std::string_view text);
  /// The document at a path, with or without /v1.
  std::optional<std::string> find(std::string_view path) const;
  const std::map<std::string, std::string, std::less<>>& documents() const { return documents_; }

 private:
  std::map<std::string, std::string, std::less<>> documents_;  // by path
};

}  // namespace flott
