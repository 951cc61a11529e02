// The options of what a process writes for those who run it: its log, and the report of a crash. As those of
// options.h, which does not include them: only standardOptions() and what makes logs need them.
#pragma once

#include "flott/base/config.h"

namespace flott {

inline constexpr ConfigOption<std::string> kLogDir{
    .key = "env.log.dir",
    .defaultText = std::nullopt,
    .description =
        "A folder for log files. flott.log.file is in there, unless it begins with a slash; without that, "
        "each "
        "process has a file of its own, named after its part and the id of the process."};

inline constexpr ConfigOption<int64_t> kLogFilesKept{
    .key = "env.log.max",
    .defaultText = "10",
    .description = "How many full log files of a process are kept, besides the one that it writes.",
    .minimum = 0,
    .maximum = 10000};

inline constexpr ConfigOption<MemorySize> kLogFileSize{
    .key = "flott.log.max-file-size",
    .defaultText = "100 mb",
    .description = "A log file that has grown to this is put aside, and a new one begun."};

inline constexpr ConfigOption<bool> kLogStandardError{
    .key = "flott.log.stderr",
    .defaultText = "true",
    .description = "Whether the log goes to standard error also where there is a log file."};

inline constexpr ConfigOption<bool> kCrashReport{
    .key = "flott.crash-report.enabled",
    .defaultText = "true",
    .description =
        "Whether a program that crashes says so on standard error: the signal, the operator and the stack. "
        "The processes of flott run and of a cluster always do."};

}  // namespace flott
