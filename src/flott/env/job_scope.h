// Which job a thread works for: log lines that it writes meanwhile say so (logger.h).
//
// A process may run several jobs; lanes step their masters and tasks in turn. Setting it is a store.
//
//   const JobScope job(jobId.c_str());   // until the end of the block
#pragma once

#include <utility>

namespace flott {

class JobScope {
 public:
  /// The id outlives the object; empty: none.
  explicit JobScope(const char* job) : before_(std::exchange(now_, job)) {}
  ~JobScope() { now_ = before_; }
  JobScope(const JobScope&) = delete;
  JobScope& operator=(const JobScope&) = delete;

  /// Of this thread; empty: it works for none, or for all.
  static const char* now() { return now_; }

 private:
  static inline constinit thread_local const char* now_ = "";
  const char* const before_;
};

}  // namespace flott
