// The options of a job in several processes, and of what these keep on their machines. As those of options.h,
// which does not include them: only standardOptions() and what places tasks need them.
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

inline constexpr ConfigOption<bool> kFromLocal{
    .key = "execution.state-recovery.from-local",
    .defaultText = "false",
    .description =
        "Whether tasks read their state from copies on the disk of their own machine, where they are there "
        "and "
        "whole."};

inline constexpr ConfigOption<bool> kLocalBackup{
    .key = "execution.checkpointing.local-backup.enabled",
    .defaultText = std::nullopt,
    .description =
        "Whether such copies are made with each checkpoint; by default where tasks are to read them."};

inline constexpr ConfigOption<std::string> kLocalBackupDirs{
    .key = "execution.checkpointing.local-backup.dirs",
    .defaultText = std::nullopt,
    .description =
        "The folder of the copies. By default, in a cluster, localState in the folder of the TaskManager; a "
        "program that runs by itself makes copies only with it."};

}  // namespace flott
