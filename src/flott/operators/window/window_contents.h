// What is kept of the records of one window: an accumulator, or the records themselves where an evictor may
// drop some of them before the results are made.
//
// Stored is the type that lies in the state backend. Stateless but for the user's functions; one for each
// operator instance.
#pragma once

#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include "flott/operators/window/accumulations.h"
#include "flott/operators/window/evictors.h"

namespace flott {

template <typename Accumulation>
inline constexpr bool kKeepsElements = false;
template <typename T>
inline constexpr bool kKeepsElements<ElementsAccumulation<T>> = true;

/// emit(result) with what the accumulation makes of these records; of none only where it wants the records
/// themselves.
template <typename T, typename K, typename Accumulation, typename Emit>
void accumulateAtOnce(std::span<const T> records, const K& key, Accumulation& accumulation, Emit&& emit) {
  if constexpr (kKeepsElements<Accumulation>) {
    emit(records);
  } else {
    if (records.empty()) return;
    typename Accumulation::Acc acc{};
    accumulation.start(records[0], acc);
    for (const T& record : records.subspan(1)) accumulation.add(record, acc);
    emit(accumulation.result(key, std::as_const(acc)));
  }
}

template <typename T, typename Evictor, typename Accumulation>
class WindowContents {
 public:
  using Stored = std::vector<TimestampedValue<T>>;

  WindowContents(Evictor evictor, Accumulation accumulation)
      : evictor_(std::move(evictor)), accumulation_(std::move(accumulation)) {}
  void open(OperatorContext& context) {
    openFunction(evictor_, context);
    openFunction(accumulation_, context);
  }
  void close() noexcept {
    closeFunction(evictor_);
    closeFunction(accumulation_);
  }

  void add(const T& record, Timestamp timestamp, Stored& stored, bool) {
    stored.push_back({record, timestamp});
  }
  void merge(Stored&& from, Stored& into, bool) {
    if (into.empty()) {
      into = std::move(from);
    } else {
      into.insert(into.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
    }
  }
  template <typename K, typename W, typename Emit>
  void fire(const K& key, Stored& stored, const W& window, EvictorContext& context, Emit&& emit) {
    evictor_.evictBefore(stored, window, context);
    records_.clear();
    for (const TimestampedValue<T>& element : stored) records_.push_back(element.value);
    accumulateAtOnce(std::span<const T>(records_), key, accumulation_, emit);
    evictor_.evictAfter(stored, window, context);
  }

 private:
  Evictor evictor_;
  Accumulation accumulation_;
  std::vector<T> records_;  // room to work in
};

template <typename T, typename Accumulation>
class WindowContents<T, NoEvictor, Accumulation> {
 public:
  using Stored = typename Accumulation::Acc;

  WindowContents(NoEvictor, Accumulation accumulation) : accumulation_(std::move(accumulation)) {}
  void open(OperatorContext& context) { openFunction(accumulation_, context); }
  void close() noexcept { closeFunction(accumulation_); }

  void add(const T& record, Timestamp, Stored& stored, bool filled) {
    if (filled) {
      accumulation_.add(record, stored);
    } else {
      accumulation_.start(record, stored);
    }
  }
  void merge(Stored&& from, Stored& into, bool filled) {
    if (filled) {
      accumulation_.merge(into, std::as_const(from));
    } else {
      into = std::move(from);
    }
  }
  template <typename K, typename W, typename Emit>
  void fire(const K& key, Stored& stored, const W&, EvictorContext&, Emit&& emit) {
    emit(accumulation_.result(key, std::as_const(stored)));
  }

 private:
  Accumulation accumulation_;
};

}  // namespace flott
