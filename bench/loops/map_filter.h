// map-filter: a 64-byte record through map, filter (9 of 10 stay), map, filter (9 of 10 stay), map.
//
// Each step is one arithmetic operation on one field. The steps are functions that both sides call: the loop
// one after the other, the engine each in an operator of its own.
#pragma once

#include "bench/harness.h"
#include "bench/loops/fold_buffer.h"

namespace flott::bench {

struct Reading {
  int64_t id;
  int64_t sensor;
  int64_t celsius;
  int64_t pressure;
  int64_t humidity;
  int64_t voltage;
  int64_t x;
  int64_t y;
};
static_assert(sizeof(Reading) == 64);

inline Reading mapFilterInput(uint64_t index) {
  const uint64_t bits = randomBits(index);
  const int64_t i = static_cast<int64_t>(index);
  return {.id = i,
          .sensor = static_cast<int64_t>(bits & 1023),
          .celsius = randomBelow(bits, 1000),
          .pressure = randomBelow(bits << 32, 1000),
          .humidity = i & 127,
          .voltage = i + 5,
          .x = i + 6,
          .y = i + 7};
}

inline Reading toKelvin(Reading r) {
  r.celsius += 273;
  return r;
}
inline bool isWarm(const Reading& r) { return r.celsius >= 273 + 100; }
inline Reading toHectopascal(Reading r) {
  r.pressure *= 10;
  return r;
}
inline bool isDense(const Reading& r) { return r.pressure < 9000; }
inline Reading shiftX(Reading r) {
  r.x -= 1000;
  return r;
}

/// All eight fields count.
inline uint64_t fold(const Reading& r) {
  return static_cast<uint64_t>(r.id + r.sensor + r.celsius + r.pressure + r.humidity + r.voltage + r.x + r.y);
}

Outcome mapFilterLoop(const Load& load);

}  // namespace flott::bench
