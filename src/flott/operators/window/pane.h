// What the general window operator keeps of one window of a key, and how windows of a key are found.
//
// All windows of a key lie in one entry of the state backend, in the order of time where their type has one:
// a record finds its key once, and a key rarely has many windows at a time. Their timers and states go by
// windowNumber().
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <utility>
#include <vector>

#include "flott/operators/window/windows.h"

namespace flott {

template <typename W, typename Contents, typename TriggerState>
struct Pane {
  W window{};
  bool filled = false;  // has contents: not since it was purged
  Contents contents{};
  TriggerState trigger{};
};

template <typename W>
inline constexpr bool kOrderedWindow = std::three_way_comparable<W>;

/// Where the pane of this window is or would be.
template <typename P, typename W>
auto placeOf(std::vector<P>& panes, const W& window) {
  if constexpr (kOrderedWindow<W>) {
    return std::lower_bound(panes.begin(), panes.end(), window,
                            [](const P& pane, const W& of) { return pane.window < of; });
  } else {
    return std::find_if(panes.begin(), panes.end(), [&](const P& pane) { return pane.window == window; });
  }
}

/// Null when the key has no such window.
template <typename P, typename W>
P* findPane(std::vector<P>& panes, const W& window) {
  const auto place = placeOf(panes, window);
  return place != panes.end() && place->window == window ? &*place : nullptr;
}

/// Of a window that the key does not have yet.
template <typename P, typename W>
P& addPane(std::vector<P>& panes, const W& window) {
  P& pane = *panes.emplace(placeOf(panes, window));
  pane.window = window;
  return pane;
}

/// Null when the key has no window of this number.
template <typename P>
P* findPaneByNumber(std::vector<P>& panes, int64_t number) {
  for (P& pane : panes) {
    if (windowNumber(pane.window) == number) return &pane;
  }
  return nullptr;
}

}  // namespace flott
