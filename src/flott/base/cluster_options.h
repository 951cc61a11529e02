// The options of a job in several processes. As those of options.h, which does not include them: only
// standardOptions() and what places tasks need them.
#pragma once

#include "flott/base/config.h"

namespace flott {

inline constexpr ConfigOption<bool> kEvenlySpreadOutSlots{
    .key = "cluster.evenly-spread-out-slots",
    .defaultText = "false",
    .description =
        "Whether the slots of a job are spread over all workers, as evenly as can be. Otherwise tasks that "
        "are "
        "connected go to as few workers as have room for them."};

}  // namespace flott
