// Random values of any described type, the same for the same seed.
#pragma once

#include "flott/data/shape.h"

namespace flott::test {

class RandomValues {
 public:
  explicit RandomValues(uint64_t seed) : state_(seed) {}

  uint64_t next() {  // splitmix64
    uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  size_t below(size_t bound) { return static_cast<size_t>(next() % bound); }

  template <typename T>
  T make(int depth = 0) {
    T value{};
    fill(value, depth);
    return value;
  }

 private:
  template <typename T>
  void fill(T& value, int depth) {
    using reflect::FirstPart;
    constexpr Shape shape = reflect::kShape<T>;
    const size_t count = depth > 3 ? 0 : below(4);
    if constexpr (shape == Shape::kBool) {
      value = below(2) == 1;
    } else if constexpr (shape == Shape::kInteger) {
      value = static_cast<T>(next());
    } else if constexpr (shape == Shape::kFloat) {
      value = static_cast<T>(static_cast<int64_t>(next())) / 8;
    } else if constexpr (shape == Shape::kEnum) {
      value = static_cast<T>(below(2));
    } else if constexpr (shape == Shape::kString) {
      value.assign(below(40), static_cast<char>(next()));
    } else if constexpr (shape == Shape::kTimestamp || shape == Shape::kDuration) {
      value.ms = static_cast<int64_t>(next());
    } else if constexpr (shape == Shape::kChronoDuration) {
      value = T(static_cast<typename T::rep>(next()));
    } else if constexpr (shape == Shape::kChronoTimePoint) {
      value = T(typename T::duration(static_cast<typename T::rep>(next())));
    } else if constexpr (shape == Shape::kStrong) {
      fill(value.value, depth);
    } else if constexpr (shape == Shape::kOptional) {
      if (count > 0) fill(value.emplace(), depth + 1);
    } else if constexpr (shape == Shape::kVariant) {
      fillVariant(value, depth);
    } else if constexpr (shape == Shape::kList) {
      for (size_t i = 0; i < count; ++i) value.push_back(make<FirstPart<T>>(depth + 1));
    } else if constexpr (shape == Shape::kArray) {
      for (auto& element : value) fill(element, depth);
    } else if constexpr (shape == Shape::kMap) {
      for (size_t i = 0; i < count; ++i) {
        value.emplace(make<typename T::key_type>(depth + 1), make<typename T::mapped_type>(depth + 1));
      }
    } else if constexpr (shape == Shape::kSet) {
      for (size_t i = 0; i < count; ++i) value.emplace(make<typename T::key_type>(depth + 1));
    } else {
      reflect::visitParts(value, [&](auto&... parts) { (fill(parts, depth + 1), ...); });
    }
  }

  template <typename T>
  void fillVariant(T& value, int depth) {
    const size_t chosen = below(reflect::Parts<T>::kSize);
    [&]<size_t... i>(std::index_sequence<i...>) {
      ((chosen == i ? fill(value.template emplace<i>(), depth + 1) : void()), ...);
    }
    (std::make_index_sequence<reflect::Parts<T>::kSize>{});
  }

  uint64_t state_;
};

}  // namespace flott::test
