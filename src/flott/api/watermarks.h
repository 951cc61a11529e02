// assignTimestampsAndWatermarks(…): where a stream gets its event time.
//
//   clicks.assignTimestampsAndWatermarks(
//       WatermarkStrategy<Click>::forBoundedOutOfOrderness(5s).withTimestampAssigner(&Click::at))
#pragma once

#include <utility>

#include "flott/api/data_stream.h"
#include "flott/operators/timestamps_and_watermarks.h"
#include "flott/operators/watermark_strategy.h"

namespace flott {

[[noreturn]] void throwAlignmentBehindSource();

template <typename T>
template <typename Generator, typename Assigner>
SingleOutputStreamOperator<T> DataStream<T>::assignTimestampsAndWatermarks(
    WatermarkStrategy<T, Generator, Assigner> strategy) const {
  if (strategy.settings().alignment) throwAlignmentBehindSource();
  return transform<T>(
      "Timestamps/Watermarks",
      operatorFactory<TimestampsAndWatermarksOperator<T, Generator, Assigner>>(std::move(strategy)));
}

}  // namespace flott
