// What a window is to the operators: any value with a last moment; and the one window of all time.
//
// Windows of time (time_window.h) and the global window are built in. A window type of a user is a plain
// struct (it is kept in state) with maxTimestamp() and operator==. Values, any thread.
//
//   struct ShiftWindow {
//     TimeWindow time;
//     std::string foreman;
//     Timestamp maxTimestamp() const { return time.maxTimestamp(); }
//     bool operator==(const ShiftWindow&) const = default;
//   };
#pragma once

#include <concepts>
#include <cstdint>
#include <string>

#include "flott/data/encodable.h"
#include "flott/data/key.h"
#include "flott/data/print.h"
#include "flott/operators/window/time_window.h"

namespace flott {

/// The window that all records are in. It never ends: a trigger decides when it fires.
struct GlobalWindow {
  bool one = true;

  constexpr Timestamp maxTimestamp() const { return Timestamp::max(); }
  bool operator==(const GlobalWindow&) const = default;
};

template <typename W>
concept Window = Key<W> && std::equality_comparable<W> && requires(const W& window) {
  { window.maxTimestamp() } -> std::same_as<Timestamp>;
};

/// The number under which a key's timers and states of a window are kept.
template <Window W>
int64_t windowNumber(const W& window) {
  if constexpr (std::same_as<W, GlobalWindow>) {
    return 0;
  } else {
    return static_cast<int64_t>(hashKey(window));
  }
}

/// "window from … to …", for errors.
std::string windowText(const TimeWindow& window);
std::string windowText(const GlobalWindow& window);
template <Window W>
std::string windowText(const W& window) {
  return "window " + toText(window);
}

/// Inside a catch block: throws what is being handled on, with the window that was firing and its key.
[[noreturn]] void throwWhileFiring(const std::string& window, const std::string& key);

}  // namespace flott
