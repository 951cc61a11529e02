// What users write to join the records of two streams, and how it is called.
//
// The function of an interval join is called once for each pair of records that match; those of a window join
// and of a coGroup once for each pair, or group, of a key in a window. A lambda with the same parameters will
// do, too.
//
//   struct Attribute : ProcessJoinFunction<Click, Order, Attributed> {
//     void processElement(const Click& click, const Order& order, Context& ctx,
//                         Collector<Attributed>& out) override {
//       out.collect({click.ad, order.id, ctx.rightTimestamp() - ctx.leftTimestamp()});
//     }
//   };
#pragma once

#include <concepts>
#include <span>
#include <type_traits>
#include <utility>

#include "flott/operators/function.h"
#include "flott/operators/process_functions.h"

namespace flott {

/// Of a pair. Its timestamp, that of its results, is the later one of the two.
class JoinContext : public BaseContext {
 public:
  JoinContext(ProcessScope& scope, int64_t left, int64_t right)
      : BaseContext(scope), left_(left), right_(right) {}
  Timestamp leftTimestamp() const { return Timestamp(left_); }
  Timestamp rightTimestamp() const { return Timestamp(right_); }

 private:
  int64_t left_;
  int64_t right_;
};

/// State of the runtime context is that of the key.
template <typename Left, typename Right, typename Out>
class ProcessJoinFunction : public RichFunction {
 public:
  using Result = Out;
  using Context = JoinContext;

  virtual void processElement(const Left& left, const Right& right, Context& ctx, Collector<Out>& out) = 0;
};

template <typename F, typename Left, typename Right, typename Out>
concept JoinFunctionClass = std::derived_from<F, ProcessJoinFunction<Left, Right, Out>>;
template <typename F, typename Left, typename Right, typename Out>
concept JoinLambdaWithContext = std::invocable < F&,
        const Left&, const Right&, JoinContext&, Collector<Out>
& > ;
template <typename F, typename Left, typename Right, typename Out>
concept JoinLambda = std::invocable < F&,
        const Left&, const Right&, Collector<Out>
& > ;

/// Calls whichever of them F is, with the pair's times in the scope.
template <typename F, typename Left, typename Right, typename Out>
void callJoin(F& function, const Left& left, int64_t leftTime, const Right& right, int64_t rightTime,
              ProcessScope& scope, Collector<Out>& out) {
  const int64_t time = leftTime < rightTime ? rightTime : leftTime;
  out.setTimestamp(time);
  if constexpr (JoinLambda<F, Left, Right, Out>) {
    function(left, right, out);
  } else {
    scope.timestamp = Timestamp(time);
    scope.sides.setTimestamp(time);
    JoinContext context(scope, leftTime, rightTime);
    if constexpr (JoinFunctionClass<F, Left, Right, Out>) {
      function.F::processElement(left, right, context, out);
    } else {
      function(left, right, context, out);
    }
  }
}

}  // namespace flott
