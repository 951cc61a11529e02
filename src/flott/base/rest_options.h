// The options of REST servers, beside those of options.h, which does not include these: only
// standardOptions() and rest need them.
#pragma once

#include "flott/base/config.h"

namespace flott {

inline constexpr ConfigOption<MemorySize> kRestMaxContentLength{
    .key = "rest.server.max-content-length",
    .defaultText = "1 gb",
    .description =
        "Bytes of the body of a request, as of a program that is uploaded; a longer one gets status 413. "
        "Flink's default is 104857600 bytes."};

}  // namespace flott
