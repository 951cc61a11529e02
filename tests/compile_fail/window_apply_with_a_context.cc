// expect: apply: the function must be callable as f(const Key&, const Window&, std::span<const T>,
// Collector<Out>&)
#include "flott/api/windowed_stream.h"

struct Click {
  int64_t page = 0;
};

void build(const flott::DataStream<Click>& clicks) {
  clicks.keyBy(&Click::page)
      .window(flott::TumblingEventTimeWindows::of(flott::Duration::seconds(1)))
      .apply([](const int64_t&, flott::WindowContext&, std::span<const Click>, flott::Collector<Click>&) {});
}
