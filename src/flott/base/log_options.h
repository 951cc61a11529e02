// The options of what a process writes for those who run it: its log, and the report of a crash. As those of
// options.h, which does not include them: only standardOptions() and what makes logs need them.
#pragma once

#include "flott/base/config.h"

namespace flott {

inline constexpr ConfigOption<bool> kCrashReport{
    .key = "flott.crash-report.enabled",
    .defaultText = "true",
    .description =
        "Whether a program that crashes says so on standard error: the signal, the operator and the stack. "
        "The processes of flott run and of a cluster always do."};

}  // namespace flott
