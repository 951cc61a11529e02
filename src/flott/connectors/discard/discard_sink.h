// Takes every record and does nothing with it: the end of a stream whose metrics or side effects matter.
#pragma once

#include <memory>

#include "flott/operators/sink.h"

namespace flott {

template <typename T>
class DiscardWriter final : public SinkWriter<T> {
 public:
  void write(const T&, const SinkContext&) override {}
};

template <typename T>
struct DiscardSink {
  std::unique_ptr<DiscardWriter<T>> createWriter() const { return std::make_unique<DiscardWriter<T>>(); }
};

}  // namespace flott
