#include "flott/data/partitioning.h"

namespace flott {

std::string_view toString(PartitionKind kind) {
  switch (kind) {
    case PartitionKind::kForward:
      return "FORWARD";
    case PartitionKind::kRebalance:
      return "REBALANCE";
    case PartitionKind::kRescale:
      return "RESCALE";
    case PartitionKind::kShuffle:
      return "SHUFFLE";
    case PartitionKind::kBroadcast:
      return "BROADCAST";
    case PartitionKind::kGlobal:
      return "GLOBAL";
    case PartitionKind::kHash:
      return "HASH";
    case PartitionKind::kCustom:
      return "CUSTOM";
  }
  return "UNKNOWN";
}

}  // namespace flott
