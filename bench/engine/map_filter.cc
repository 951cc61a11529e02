#include "bench/loops/map_filter.h"

#include "bench/engine/generated_stream.h"
#include "bench/engine/jobs.h"

namespace flott::bench {

Outcome mapFilterJob(const Load& load) {
  StreamExecutionEnvironment env = benchEnvironment(load);
  auto total = std::make_shared<Folded>();
  auto input = generated<Reading>(env, load.size,
                                  [](Rows<Reading>& rows, uint64_t index, uint64_t stride, uint64_t count) {
                                    Reading* at = rows.extend(count);
                                    for (uint64_t i = 0; i < count; ++i)
                                      at[i] = mapFilterInput(index + i * stride);
                                  });
  foldInto(input.map([](const Reading& r) { return toKelvin(r); })
               .filter([](const Reading& r) { return isWarm(r); })
               .map([](const Reading& r) { return toHectopascal(r); })
               .filter([](const Reading& r) { return isDense(r); })
               .map([](const Reading& r) { return shiftX(r); }),
           total);
  env.execute("map-filter");
  return total->outcome(load.size);
}

}  // namespace flott::bench
