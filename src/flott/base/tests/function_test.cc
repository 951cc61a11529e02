#include "flott/base/function.h"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>

namespace flott {
namespace {

TEST(MoveFunction, CallsWithArgumentsAndResult) {
  MoveFunction<int(int, const std::string&)> f = [](int n, const std::string& s) {
    return n + static_cast<int>(s.size());
  };
  EXPECT_EQ(f(2, "abc"), 5);
}

TEST(MoveFunction, OwnsWhatItsCallableOwns) {
  auto counted = std::make_shared<int>(7);
  MoveFunction<int()> small = [counted] { return *counted; };
  MoveFunction<int()> large = [counted, padding = std::array<char, 100>{}] { return *counted + padding[5]; };
  EXPECT_EQ(counted.use_count(), 3);
  MoveFunction<int()> moved = std::move(small);
  EXPECT_FALSE(small);
  EXPECT_EQ(moved(), 7);
  moved = std::move(large);  // the small callable dies here
  EXPECT_EQ(counted.use_count(), 2);
  EXPECT_EQ(moved(), 7);
  moved.reset();
  EXPECT_FALSE(moved);
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(MoveFunction, TakesCallablesThatCannotBeCopied) {
  MoveFunction<std::unique_ptr<int>(std::unique_ptr<int>)> f =
      [extra = std::make_unique<int>(1)](std::unique_ptr<int> p) {
        *p += *extra;
        return p;
      };
  EXPECT_EQ(*f(std::make_unique<int>(4)), 5);
}

TEST(MoveFunction, IgnoresAResultNobodyWants) {
  int calls = 0;
  MoveFunction<void()> f = [&] { return ++calls; };
  f();
  f();
  EXPECT_EQ(calls, 2);
}

TEST(MoveFunctionDeathTest, RefusesToCallNothing) {
  MoveFunction<void()> f;
  EXPECT_DEATH(f(), "an empty function was called");
}

}  // namespace
}  // namespace flott
