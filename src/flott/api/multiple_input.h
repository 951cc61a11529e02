// Several streams, of any types, that go into one operator of your own.
//
// For what map, process and connect cannot express: the operator gets whole batches, watermarks and its
// context (operators/operator.h). Stream i is its input i; its constructor says how many there are,
// setInputs(n). A KeyedStream brings batches that carry the hashes of their keys; streams keyed by one type
// share the state of a key.
//
//   MultipleInput(orders.keyBy(&Order::id), payments.keyBy(&Payment::order), refunds.keyBy(&Refund::order))
//       .transform<Balance>("Balances", operatorFactory<Balances>())
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "flott/api/data_stream.h"

namespace flott {

class MultipleInput {
 public:
  template <typename First, typename... Others>
  explicit MultipleInput(const First& first, const Others&... others)
      : first_(first.handle()), others_{others.handle()...} {
    static_assert(sizeof...(Others) < Operator::kMaxInputs,
                  "MultipleInput: an operator has at most 8 inputs; unite streams of one type");
  }

  template <typename Out>
  SingleOutputStreamOperator<Out> transform(std::string name,
                                            std::shared_ptr<const OperatorFactory> factory) const {
    return SingleOutputStreamOperator<Out>(
        first_.apply(operatorNode(std::move(name), std::move(factory), recordType<Out>()), others_));
  }

 private:
  StreamHandle first_;
  std::vector<StreamHandle> others_;
};

}  // namespace flott
