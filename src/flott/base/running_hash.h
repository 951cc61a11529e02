// hashBytes() of bytes that come in parts: for what is too large to be in memory at once.
//
// Used by one thread at a time.
//
//   RunningHash hash;
//   for (std::string_view block : blocks) hash.add(block);
//   EXPECT_EQ(hash.value(), hashBytes(all));
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

namespace flott {

class RunningHash {
 public:
  RunningHash();
  ~RunningHash();
  RunningHash(RunningHash&&) noexcept;
  RunningHash& operator=(RunningHash&&) noexcept;

  void add(std::string_view bytes);
  /// Of all that was added so far.
  uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace flott
