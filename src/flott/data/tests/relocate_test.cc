#include "flott/data/relocate.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace flott {
namespace {

/// A value made by `make` is what it was after two moves, with nothing left over and nothing ended twice:
/// the sanitizers see to that.
template <typename Make>
void expectMoves(const Make& make) {
  using T = decltype(make());
  alignas(T) std::byte first[sizeof(T)], second[sizeof(T)];
  auto* const one = ::new (static_cast<void*>(first)) T(make());
  auto* const other = reinterpret_cast<T*>(second);
  flott::relocate(other, one);
  std::fill_n(first, sizeof(T), std::byte{0xee});
  EXPECT_EQ(*other, make());
  flott::relocate(one, other);
  std::fill_n(second, sizeof(T), std::byte{0xee});
  EXPECT_EQ(*one, make());
  std::destroy_at(one);
}

struct Visit {
  std::string who;
  int64_t count = 0;
  std::pair<std::string, std::optional<std::string>> where;
  std::vector<std::string> tags;
  std::string names[2];
  int16_t numbers[3] = {};
  bool operator==(const Visit&) const = default;
};
struct Ends {
  std::string text;
  ~Ends() {}
};
class Closed {
 public:
  explicit Closed(std::string text) : text_(std::move(text)) {}
  bool operator==(const Closed&) const = default;

 private:
  std::string text_;
};
struct Nothing {};
struct WithNothing {
  std::string text;
  [[no_unique_address]] Nothing nothing;
  bool operator==(const WithNothing& other) const { return text == other.text; }
};
class Money {
 public:
  explicit Money(int64_t cents) : cents_(cents) {}
  bool operator==(const Money&) const = default;

 private:
  int64_t cents_;
};
/// Its fields cannot be counted: the first is not made of nothing.
struct Order {
  Money price = Money(0);
  std::string customer;
  bool operator==(const Order&) const = default;
};
/// Beside its type, where a call that is not qualified would find it.
[[maybe_unused]] void relocate(Visit*, Visit*) { ADD_FAILURE(); }

static_assert(reflect::isRelocatedByFields<Visit>() && reflect::isRelocatedByFields<WithNothing>());
static_assert(!reflect::isRelocatedByFields<Ends>(), "its destructor may do more than its fields'");
static_assert(!reflect::isRelocatedByFields<Closed>(), "its fields are not known");
static_assert(!reflect::isRelocatedByFields<Order>(), "its fields are not known");
static_assert(!reflect::isRelocatedByFields<std::array<std::string, 3>>());

TEST(Relocate, KeepsTexts) {
  for (const size_t length : {0, 1, 7, 14, 15, 16, 17, 31, 32, 1000}) {
    const std::string text(length, 'x');
    expectMoves([&] { return text; });
    expectMoves([&] { return std::pair<std::string, int64_t>(text, 7); });
    expectMoves([&] {
      return Visit{text, 3, {text + "a", text + "b"}, {text, "c"}, {text, "d"}, {1, 2, 3}};
    });
    expectMoves([&] { return Closed(text); });
    expectMoves([&] { return WithNothing{text, {}}; });
    expectMoves([&] { return Order{Money(7), text}; });
    expectMoves([&] { return std::array<std::string, 3>{text, "b", text}; });
    expectMoves([&] { return std::map<std::string, int>{{text, 1}, {"z", 2}}; });
  }
  expectMoves([] { return int64_t{5}; });
}

// A short text that was taken out of a longer one lies on the heap.
TEST(Relocate, KeepsAShortTextOnTheHeap) {
  alignas(std::string) std::byte memory[2][sizeof(std::string)];
  auto* const one = ::new (static_cast<void*>(memory[0])) std::string(100, 'x');
  one->resize(3);
  auto* const other = reinterpret_cast<std::string*>(memory[1]);
  flott::relocate(other, one);
  EXPECT_EQ(*other, "xxx");
  other->append(200, 'y');
  EXPECT_EQ(other->size(), 203u);
  std::destroy_at(other);
}

}  // namespace
}  // namespace flott
