// Accumulations: what a window keeps of its records for one key, and what comes of it.
//
// An accumulation over records T has
//
//   using Acc = …;                                   // kept for each key and slice, in the state backend
//   void start(const T& record, Acc& fresh);         // the key's first record; `fresh` is value-initialised
//   void add(const T& record, Acc& acc);             // any later one, in the order of arrival
//   auto result(const K& key, const Acc& acc);       // when the window fires
//   void merge(Acc& acc, const Acc& later);          // of two windows that become one, the earlier first
//
// and may be rich (open, close). The operator's loop inlines start and add. An aggregate function of a user
// can be merged when it has a merge() of its own; MergeableAccumulation tells.
#pragma once

#include <cstdint>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/operators/folds.h"

namespace flott {

/// One record, folded.
template <typename T, typename Fold>
struct RecordAccumulation {
  using Acc = T;
  Fold fold;

  void open(RuntimeContext& context) { openFunction(fold, context); }
  void close() { closeFunction(fold); }
  void start(const T& record, Acc& fresh) { fresh = record; }
  void add(const T& record, Acc& acc) { fold(acc, record); }
  void merge(Acc& acc, const Acc& later) { fold(acc, later); }
  template <typename K>
  const T& result(const K&, const Acc& acc) const {
    return acc;
  }
};

/// The number alone, of records that are a key and a number: the key is in the table anyway.
template <typename T, typename K, typename N, typename Fold>
struct NumberAccumulation {
  using Acc = N;
  K T::*key;
  Fold fold;

  void start(const T& record, Acc& fresh) { fresh = record.*fold.member; }
  void add(const T& record, Acc& acc) { acc = Fold::combine(acc, record.*fold.member); }
  void merge(Acc& acc, const Acc& later) { acc = Fold::combine(acc, later); }
  T result(const K& ofKey, const Acc& acc) const {
    T record{};
    record.*key = ofKey;
    record.*fold.member = acc;
    return record;
  }
};

template <typename T>
struct CountAccumulation {
  using Acc = int64_t;

  void start(const T&, Acc& fresh) { fresh = 1; }
  void add(const T&, Acc& acc) { ++acc; }
  void merge(Acc& acc, const Acc& later) { acc += later; }
  template <typename K>
  int64_t result(const K&, const Acc& acc) const {
    return acc;
  }
};

/// A user's aggregate function: createAccumulator(), add(record, accumulator), getResult(accumulator), and
/// merge(accumulator, other) for windows that merge.
template <typename T, typename F>
struct AggregateAccumulation {
  using Acc = std::remove_cvref_t<decltype(std::declval<F&>().createAccumulator())>;
  F function;

  void open(RuntimeContext& context) { openFunction(function, context); }
  void close() { closeFunction(function); }
  void start(const T& record, Acc& fresh) {
    fresh = function.createAccumulator();
    function.add(record, fresh);
  }
  void add(const T& record, Acc& acc) { function.add(record, acc); }
  void merge(Acc& acc, const Acc& later) requires requires(F& f) { f.merge(acc, later); }
  { function.merge(acc, later); }
  template <typename K>
  auto result(const K&, const Acc& acc) {
    return function.getResult(acc);
  }
};

/// All records, in the order of arrival.
template <typename T>
struct ElementsAccumulation {
  static_assert(!std::is_same_v<T, bool>, "a window cannot keep bare bools: put them in a struct");
  using Acc = std::vector<T>;

  void start(const T& record, Acc& fresh) { fresh.push_back(record); }
  void add(const T& record, Acc& acc) { acc.push_back(record); }
  void merge(Acc& acc, const Acc& later) { acc.insert(acc.end(), later.begin(), later.end()); }
  template <typename K>
  std::span<const T> result(const K&, const Acc& acc) const {
    return acc;
  }
};

template <typename Accumulation>
concept MergeableAccumulation = requires(Accumulation& a, typename Accumulation::Acc& acc,
                                         const typename Accumulation::Acc& later) {
  a.merge(acc, later);
};

}  // namespace flott
