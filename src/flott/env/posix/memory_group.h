// The memory of the control group (cgroup) that this process is in: how much all its processes may use, and
// how many of them the system has killed because they used more.
//
// Reads small files of the system, of versions 1 and 2 of control groups; any thread.
//
//   if (readMemoryGroup().kills > before) say("out of memory");
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace flott::posix {

struct MemoryGroup {
  std::optional<int64_t> kills;       // nothing: the system does not tell
  std::optional<int64_t> limitBytes;  // nothing: there is none
};

/// Which group is ours, and where groups are.
MemoryGroup readMemoryGroup(const std::string& ours = "/proc/self/cgroup",
                            const std::string& groups = "/sys/fs/cgroup");

}  // namespace flott::posix
