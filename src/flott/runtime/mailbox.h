// Messages to a Runnable from any thread: completed off-loaded work, split assignments, cancel.
//
// Posting is one compare-and-swap and a wake-up; the owner runs all messages, in the order of posting, at the
// beginning of its step. What posts is bounded by what each sender may have under way (one request, a few
// off-loaded works).
#pragma once

#include <atomic>
#include <utility>

#include "flott/base/function.h"
#include "flott/runtime/runnable.h"

namespace flott {

class Mailbox {
 public:
  explicit Mailbox(Waker& owner) : owner_(owner) {}
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Any thread.
  void post(MoveFunction<void()> mail);
  /// Owner: runs what is there. What a mail throws passes through; the mails behind it stay.
  void drain();
  /// Owner: nobody is inside post(). Before the mailbox goes away while a thread that is not joined may just
  /// have posted its last mail: it may still be about to wake the owner.
  bool settled() const { return posting_.load(std::memory_order_acquire) == 0; }
  /// That were run so far, and that wait. Any thread.
  int64_t read() const { return read_.load(std::memory_order_relaxed); }
  int64_t size() const { return posted_.load(std::memory_order_relaxed) - read(); }
  bool empty() const { return newest_.load(std::memory_order_relaxed) == nullptr && oldest_ == nullptr; }

 private:
  struct Letter {
    MoveFunction<void()> mail;
    Letter* next = nullptr;
  };
  static void destroy(Letter* list);

  Waker& owner_;
  std::atomic<Letter*> newest_{nullptr};  // stack, newest first
  std::atomic<int> posting_{0};           // calls of post() under way
  std::atomic<int64_t> posted_{0};
  std::atomic<int64_t> read_{0};
  Letter* oldest_ = nullptr;  // owner's own list, in order
};

}  // namespace flott
