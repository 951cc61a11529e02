// Accumulators: values that every subtask adds to and the client reads, live and in the final result.
//
// A task adds without locks; a copy travels to the client on request and at the end of the task, where the
// copies of all subtasks are merged by name. User-defined ones derive from Accumulator.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace flott {

class Accumulator {
 public:
  virtual ~Accumulator() = default;
  virtual std::unique_ptr<Accumulator> clone() const = 0;
  /// Adds what another subtask gathered. `other` is of the same class, or this throws Error(kUser).
  virtual void merge(const Accumulator& other) = 0;
  /// For listings and REST.
  virtual std::string text() const = 0;
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

 private:
  std::map<int64_t, int64_t> counts_;
};

/// The accumulators of one task, or merged ones of a job, by name.
class Accumulators {
 public:
  Accumulators() = default;
  Accumulators(Accumulators&&) = default;
  Accumulators& operator=(Accumulators&&) = default;

  /// The accumulator of that name, made on first use. Throws Error(kUser) when the name has another class.
  template <typename A>
  A& get(const std::string& name);
  const Accumulator* find(const std::string& name) const;
  /// Names in order.
  const std::map<std::string, std::unique_ptr<Accumulator>>& all() const { return byName_; }
  Accumulators clone() const;
  void merge(const Accumulators& other);

 private:
  [[noreturn]] static void wrongClass(const std::string& name);

  std::map<std::string, std::unique_ptr<Accumulator>> byName_;
};

template <typename A>
A& Accumulators::get(const std::string& name) {
  std::unique_ptr<Accumulator>& entry = byName_[name];
  if (entry == nullptr) entry = std::make_unique<A>();
  A* accumulator = dynamic_cast<A*>(entry.get());
  if (accumulator == nullptr) wrongClass(name);
  return *accumulator;
}

}  // namespace flott
