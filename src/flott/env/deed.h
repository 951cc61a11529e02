// What a thread is doing, in words: for the report of a process that crashes (posix/crash_report.h).
//
// Lanes say which task they step, tasks which operator runs, threads for off-loaded work what that is.
// Setting it is a store; it allocates nothing, so that a signal handler can read it.
//
//   const Deed deed(name.c_str());   // until the end of the block
#pragma once

#include <atomic>

namespace flott {

class Deed {
 public:
  /// The text outlives the object; null: nothing is said.
  explicit Deed(const char* text) : before_(now_) { become(text); }
  ~Deed() { become(before_); }
  Deed(const Deed&) = delete;
  Deed& operator=(const Deed&) = delete;

  /// In place of the text of the innermost Deed, until that ends.
  static void become(const char* text) {
    now_ = text;
    std::atomic_signal_fence(std::memory_order_seq_cst);  // a handler sees it, whatever follows
  }
  /// Of this thread; null: nothing was said.
  static const char* now() { return now_; }

 private:
  static inline constinit thread_local const char* now_ = nullptr;
  const char* const before_;
};

}  // namespace flott
