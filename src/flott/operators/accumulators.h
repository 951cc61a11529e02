// Accumulators: values that every subtask adds to and the client reads, live and in the final result.
//
// A task adds without locks; a copy travels to the client on request and at the end of the task, where the
// copies of all subtasks are merged by name. User-defined ones derive from Accumulator. On the way between
// processes they are bytes, which become an object again where the class is known.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/base/bytes.h"

namespace flott {

class Accumulator {
 public:
  virtual ~Accumulator() = default;
  virtual std::unique_ptr<Accumulator> clone() const = 0;
  /// Adds what another subtask gathered. `other` is of the same class, or this throws Error(kUser).
  virtual void merge(const Accumulator& other) = 0;
  /// For listings and REST.
  virtual std::string text() const = 0;
  /// For the way to another process, in a format of the class's own.
  virtual void encode(ByteWriter& out) const = 0;
  /// Into one that was just made: what encode() wrote. Throws Error(kCorruption).
  virtual void decode(ByteReader& in) = 0;
};

namespace internal {
template <typename T>
class SumAccumulator final : public Accumulator {
 public:
  void add(T value) { sum_ += value; }
  T value() const { return sum_; }
  std::unique_ptr<Accumulator> clone() const override { return std::make_unique<SumAccumulator>(*this); }
  void merge(const Accumulator& other) override;
  std::string text() const override { return std::to_string(sum_); }
  void encode(ByteWriter& out) const override { out.fixed(sum_); }
  void decode(ByteReader& in) override { sum_ = in.fixed<T>(); }

 private:
  T sum_ = 0;
};
}  // namespace internal

using IntCounter = internal::SumAccumulator<int32_t>;
using LongCounter = internal::SumAccumulator<int64_t>;
using DoubleCounter = internal::SumAccumulator<double>;

/// Counts how often each value was added.
class HistogramAccumulator final : public Accumulator {
 public:
  void add(int64_t value) { ++counts_[value]; }
  const std::map<int64_t, int64_t>& value() const { return counts_; }
  std::unique_ptr<Accumulator> clone() const override {
    return std::make_unique<HistogramAccumulator>(*this);
  }
  void merge(const Accumulator& other) override;
  std::string text() const override;
  void encode(ByteWriter& out) const override;
  void decode(ByteReader& in) override;

 private:
  std::map<int64_t, int64_t> counts_;
};

/// One of the program's own classes that came from another process, to where nobody knows the class: a
/// master. What is merged into it stays beside it, until somebody asks for all of it as an object.
class ForeignAccumulator final : public Accumulator {
 public:
  ForeignAccumulator(std::string bytes, std::string text) {
    parts_.push_back({std::move(bytes), std::move(text)});
  }
  /// Throws what A::decode() and A::merge() throw.
  template <typename A>
  std::unique_ptr<A> as() const;

  std::unique_ptr<Accumulator> clone() const override { return std::make_unique<ForeignAccumulator>(*this); }
  void merge(const Accumulator& other) override;
  /// The texts of the parts.
  std::string text() const override;
  /// Its parts; decode() adds to those that are there.
  void encode(ByteWriter& out) const override;
  void decode(ByteReader& in) override;

 private:
  friend class Accumulators;
  struct Part {
    std::string bytes;  // encode()
    std::string text;
  };
  ForeignAccumulator() = default;

  std::vector<Part> parts_;
};

template <typename A>
std::unique_ptr<A> ForeignAccumulator::as() const {
  auto all = std::make_unique<A>();
  bool first = true;
  for (const Part& part : parts_) {
    ByteReader in(part.bytes);
    if (std::exchange(first, false)) {
      all->decode(in);
    } else {
      A other;
      other.decode(in);
      all->merge(other);
    }
  }
  return all;
}

/// The accumulators of one task, or merged ones of a job, by name.
class Accumulators {
 public:
  Accumulators() = default;
  Accumulators(Accumulators&&) = default;
  Accumulators& operator=(Accumulators&&) = default;

  /// The accumulator of that name, made on first use, or of what came from another process. Throws
  /// Error(kUser) when the name has another class.
  template <typename A>
  A& get(const std::string& name);
  const Accumulator* find(const std::string& name) const;
  /// Names in order.
  const std::map<std::string, std::unique_ptr<Accumulator>>& all() const { return byName_; }
  Accumulators clone() const;
  void merge(const Accumulators& other);
  void encode(ByteWriter& out) const;
  /// Those of the classes in this header as they were, others as ForeignAccumulator. Throws
  /// Error(kCorruption).
  static Accumulators decode(ByteReader& in);

 private:
  [[noreturn]] static void wrongClass(const std::string& name);

  std::map<std::string, std::unique_ptr<Accumulator>> byName_;
};

template <typename A>
A& Accumulators::get(const std::string& name) {
  std::unique_ptr<Accumulator>& entry = byName_[name];
  if (entry == nullptr) entry = std::make_unique<A>();
  if (const auto* foreign = dynamic_cast<const ForeignAccumulator*>(entry.get())) entry = foreign->as<A>();
  A* accumulator = dynamic_cast<A*>(entry.get());
  if (accumulator == nullptr) wrongClass(name);
  return *accumulator;
}

}  // namespace flott
