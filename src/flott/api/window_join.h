// Window joins and coGroups: records of two streams that have the same key and fall into the same window.
//
//   clicks.join(orders)
//       .where(&Click::user)
//       .equalTo(&Order::user)
//       .window(TumblingEventTimeWindows::of(1min))
//       .apply([](const Click& click, const Order& order) { return Both{click, order}; });
//
// As in Flink both streams become one, of records that are of either type, which is keyed and windowed as any
// other: all assigners, triggers, evictors and lateness work. join is an inner join: each pair of a window,
// the first stream's records outside, the second's inside. coGroup gives the function both sides of each key
// and window, one of which may be empty, and so makes the outer joins. The timestamp of results is the last
// millisecond of the window.
#pragma once

#include <concepts>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "flott/api/data_stream.h"
#include "flott/api/keyed_stream.h"
#include "flott/api/windowed_stream.h"

namespace flott {

/// A record of the first or of the second stream.
template <typename First, typename Second>
using TaggedUnion = std::variant<First, Second>;

/// The records of one side of a coGroup, in the order of arrival. Good during the call it is passed to.
template <typename T>
class CoGroupRecords {
 public:
  class const_iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = T;
    using difference_type = ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    const_iterator() = default;
    explicit const_iterator(const T* const* at) : at_(at) {}
    const T& operator*() const { return **at_; }
    const T* operator->() const { return *at_; }
    const_iterator& operator++() {
      ++at_;
      return *this;
    }
    const_iterator operator++(int) { return const_iterator(at_++); }
    bool operator==(const const_iterator&) const = default;

   private:
    const T* const* at_ = nullptr;
  };

  explicit CoGroupRecords(std::span<const T* const> records) : records_(records) {}
  size_t size() const { return records_.size(); }
  bool empty() const { return records_.empty(); }
  const T& operator[](size_t i) const { return *records_[i]; }
  const_iterator begin() const { return const_iterator(records_.data()); }
  const_iterator end() const { return const_iterator(records_.data() + records_.size()); }

 private:
  std::span<const T* const> records_;
};

template <typename F, typename First, typename Second>
concept JoinOfTwo = std::invocable<F&, const First&, const Second&>;
template <typename F, typename First, typename Second, typename Out>
concept FlatJoinOfTwo = std::invocable < F&,
        const First&, const Second&, Collector<Out>
& > ;
template <typename F, typename First, typename Second, typename Out>
concept CoGroupOfTwo = std::invocable < F&,
        const CoGroupRecords<First>
&, const CoGroupRecords<Second>&, Collector<Out>& > ;

namespace internal {

/// The record type that a function puts out is known.
template <typename Out>
inline constexpr bool kSeen = !std::is_void_v<Out>;

template <typename First, typename Second, typename FirstSelector, typename SecondSelector>
struct TaggedSelector {
  using Key = typename FirstSelector::Key;
  FirstSelector first;
  SecondSelector second;

  /// A reference where both selectors give one.
  decltype(auto) operator()(const TaggedUnion<First, Second>& record) const {
    constexpr bool kReferences = std::is_same_v<decltype(first(std::declval<const First&>())), const Key&> &&
                                 std::is_same_v<decltype(second(std::declval<const Second&>())), const Key&>;
    using Result = std::conditional_t<kReferences, const Key&, Key>;
    return record.index() == 0 ? static_cast<Result>(first(*std::get_if<0>(&record)))
                               : static_cast<Result>(second(*std::get_if<1>(&record)));
  }
};

/// The window function under both: takes the records of a window apart.
template <typename First, typename Second, typename F>
class TwoSided {
 public:
  explicit TwoSided(F function) : function_(std::move(function)) {}
  void open(RuntimeContext& context) { openFunction(function_, context); }
  void close() { closeFunction(function_); }

 protected:
  void takeApart(std::span<const TaggedUnion<First, Second>> records) {
    first_.clear();
    second_.clear();
    for (const TaggedUnion<First, Second>& record : records) {
      if (record.index() == 0) {
        first_.push_back(std::get_if<0>(&record));
      } else {
        second_.push_back(std::get_if<1>(&record));
      }
    }
  }

  F function_;
  std::vector<const First*> first_;  // room to work in
  std::vector<const Second*> second_;
};

template <typename First, typename Second, typename Out, typename F>
struct JoinWindow : TwoSided<First, Second, F> {
  using TwoSided<First, Second, F>::TwoSided;
  template <typename K, typename Context>
  void operator()(const K& key, Context& context, std::span<const TaggedUnion<First, Second>> records,
                  Collector<Out>& out) {
    this->takeApart(records);
    for (size_t i = 0; i < this->first_.size(); ++i) {
      for (size_t j = 0; j < this->second_.size(); ++j) {
        if (out.full()) [[unlikely]]
          return goOnLater(i, j, key, context.window(), out);
        put(*this->first_[i], *this->second_[j], out);
      }
    }
  }

 private:
  void put(const First& first, const Second& second, Collector<Out>& out) {
    if constexpr (FlatJoinOfTwo<F, First, Second, Out>) {
      this->function_(first, second, out);
    } else {
      out.collect(this->function_(first, second));
    }
  }

  /// The pairs from the i-th first and the j-th second record on, which fit in when there is room again.
  template <typename K, typename W>
  void goOnLater(size_t i, size_t j, const K& key, const W& window, Collector<Out>& out) {
    std::vector<First> firsts;
    std::vector<Second> seconds;
    for (const First* first : std::span(this->first_).subspan(i)) firsts.push_back(*first);
    for (const Second* second : this->second_) seconds.push_back(*second);
    out.goOnWith([this, firsts = std::move(firsts), seconds = std::move(seconds), at = size_t{0}, j, key,
                  window](Collector<Out>& later) mutable {
      try {
        for (; at < firsts.size(); ++at, j = 0) {
          for (; j < seconds.size(); ++j) {
            if (later.full()) return false;
            put(firsts[at], seconds[j], later);
          }
        }
        return true;
      } catch (...) {
        throwWhileFiring(windowText(window), toText(key));
      }
    });
  }
};

template <typename First, typename Second, typename Out, typename F>
struct CoGroupWindow : TwoSided<First, Second, F> {
  using TwoSided<First, Second, F>::TwoSided;
  template <typename K, typename Context>
  void operator()(const K&, Context&, std::span<const TaggedUnion<First, Second>> records,
                  Collector<Out>& out) {
    this->takeApart(records);
    this->function_(CoGroupRecords<First>(this->first_), CoGroupRecords<Second>(this->second_), out);
  }
};

/// Two streams with their keys, as one.
template <typename First, typename Second, typename FirstSelector, typename SecondSelector>
auto tagged(const DataStream<First>& first, const DataStream<Second>& second, FirstSelector firstKey,
            SecondSelector secondKey) {
  using Union = TaggedUnion<First, Second>;
  using Selector = TaggedSelector<First, Second, FirstSelector, SecondSelector>;
  const DataStream<Union> all =
      first.map([](const First& record) { return Union(std::in_place_index<0>, record); })
          .name("First of Two")
          .unionWith(second.map([](const Second& record) { return Union(std::in_place_index<1>, record); })
                         .name("Second of Two"));
  return KeyedStream<Union, Selector>(all.handle(), Selector{std::move(firstKey), std::move(secondKey)});
}

template <typename T, typename S>
auto selectorOf(S selector) {
  if constexpr (std::is_member_object_pointer_v<S>) {
    using K = std::remove_cvref_t<decltype(std::declval<const T&>().*selector)>;
    return MemberSelector<T, K>{selector};
  } else {
    return FunctionSelector<T, S>{std::move(selector)};
  }
}

}  // namespace internal

/// What join and coGroup share once the window is known. Windowed is a WindowedStream of tagged records;
/// Self<First, Second, Windowed> is the class derived from this.
template <template <typename, typename, typename> typename Self, typename First, typename Second,
          typename Windowed>
class WindowsOfTwo {
 public:
  explicit WindowsOfTwo(Windowed windowed) : windowed_(std::move(windowed)) {}

  // As those of a WindowedStream, over records of type TaggedUnion<First, Second>.

  template <typename Trigger>
  auto trigger(Trigger trigger) const {
    return with(windowed_.trigger(std::move(trigger)));
  }
  template <typename Evictor>
  auto evictor(Evictor evictor) const {
    return with(windowed_.evictor(std::move(evictor)));
  }
  auto allowedLateness(Duration lateness) const { return with(windowed_.allowedLateness(lateness)); }

 protected:
  template <typename Other>
  static Self<First, Second, Other> with(Other windowed) {
    return Self<First, Second, Other>(std::move(windowed));
  }

  Windowed windowed_;
};

template <typename First, typename Second, typename Windowed>
class JoinWindows : public WindowsOfTwo<JoinWindows, First, Second, Windowed> {
 public:
  using WindowsOfTwo<JoinWindows, First, Second, Windowed>::WindowsOfTwo;

  /// f(const First&, const Second&) -> Out, or f(const First&, const Second&, Collector<Out>&).
  template <typename Out = void, typename F>
  auto apply(F function) const {
    if constexpr (JoinOfTwo<F, First, Second>) {
      using Found = std::remove_cvref_t<std::invoke_result_t<F&, const First&, const Second&>>;
      return this->windowed_.template process<Found>(
          internal::JoinWindow<First, Second, Found, F>(std::move(function)));
    } else {
      using Found = internal::PutOut<Out, F>;
      constexpr bool kCallable = internal::kSeen<Found> && FlatJoinOfTwo<F, First, Second, Found>;
      static_assert(kCallable,
                    "apply: the function must be callable as f(const First&, const Second&) and return the "
                    "result, or as f(const First&, const Second&, Collector<Out>&); where the type of its "
                    "collector cannot be seen write apply<YourRecord>(…)");
      if constexpr (kCallable) {
        return this->windowed_.template process<Found>(
            internal::JoinWindow<First, Second, Found, F>(std::move(function)));
      }
    }
  }
};

template <typename First, typename Second, typename Windowed>
class CoGroupWindows : public WindowsOfTwo<CoGroupWindows, First, Second, Windowed> {
 public:
  using WindowsOfTwo<CoGroupWindows, First, Second, Windowed>::WindowsOfTwo;

  /// f(const CoGroupRecords<First>&, const CoGroupRecords<Second>&, Collector<Out>&): at least one is not
  /// empty.
  template <typename Out = void, typename F>
  auto apply(F function) const {
    using Found = internal::PutOut<Out, F>;
    constexpr bool kCallable = internal::kSeen<Found> && CoGroupOfTwo<F, First, Second, Found>;
    static_assert(kCallable,
                  "apply: the function must be callable as f(const CoGroupRecords<First>&, const "
                  "CoGroupRecords<Second>&, Collector<Out>&); where the type of its collector cannot be seen "
                  "write apply<YourRecord>(…)");
    if constexpr (kCallable) {
      return this->windowed_.template process<Found>(
          internal::CoGroupWindow<First, Second, Found, F>(std::move(function)));
    }
  }
};

/// Two streams on the way to a window: .where(key of the first).equalTo(key of the second).window(…).
template <template <typename, typename, typename> typename Windows, typename First, typename Second>
class StreamsOfTwo {
 public:
  StreamsOfTwo(DataStream<First> first, DataStream<Second> second)
      : first_(std::move(first)), second_(std::move(second)) {}

  template <typename Keyed>
  class WithKeys {
   public:
    explicit WithKeys(Keyed keyed) : keyed_(std::move(keyed)) {}
    template <typename Assigner>
    auto window(Assigner assigner) const {
      auto windowed = keyed_.window(std::move(assigner));
      return Windows<First, Second, decltype(windowed)>(std::move(windowed));
    }

   private:
    Keyed keyed_;
  };

  template <typename FirstSelector>
  class WithKey {
   public:
    WithKey(StreamsOfTwo streams, FirstSelector first)
        : streams_(std::move(streams)), selector_(std::move(first)) {}
    /// The key of the second stream: a member or a function.
    template <typename S>
    auto equalTo(S selector) const {
      auto second = internal::selectorOf<Second>(std::move(selector));
      constexpr bool kSameKeys = std::same_as<typename FirstSelector::Key, typename decltype(second)::Key>;
      static_assert(kSameKeys, "equalTo: both keys must be of one type");
      if constexpr (kSameKeys) {
        auto keyed = internal::tagged(streams_.first_, streams_.second_, selector_, std::move(second));
        return WithKeys<decltype(keyed)>(std::move(keyed));
      }
    }

   private:
    StreamsOfTwo streams_;
    FirstSelector selector_;
  };

  /// The key of the first stream: a member or a function.
  template <typename S>
  auto where(S selector) const {
    auto first = internal::selectorOf<First>(std::move(selector));
    return WithKey<decltype(first)>(*this, std::move(first));
  }

 private:
  DataStream<First> first_;
  DataStream<Second> second_;
};

template <typename T>
template <typename Other>
auto DataStream<T>::join(const Other& other) const {
  return StreamsOfTwo<JoinWindows, T, typename Other::Record>(*this,
                                                              DataStream<typename Other::Record>(other));
}

template <typename T>
template <typename Other>
auto DataStream<T>::coGroup(const Other& other) const {
  return StreamsOfTwo<CoGroupWindows, T, typename Other::Record>(*this,
                                                                 DataStream<typename Other::Record>(other));
}

}  // namespace flott
