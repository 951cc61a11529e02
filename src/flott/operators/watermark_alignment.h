// Watermark alignment: sources of one group do not run away from each other.
//
// Each reader tells the master how far its watermark is; the master answers with the least of the group, and
// readers that are more than `maxDrift` ahead of it pause. A value, part of a WatermarkStrategy.
#pragma once

#include <string>

#include "flott/base/time.h"

namespace flott {

struct WatermarkAlignment {
  std::string group;
  Duration maxDrift;
  Duration updateInterval = Duration::seconds(1);
};

}  // namespace flott
