// The options of the network between workers. As those of options.h, which does not include them: only
// standardOptions() and what makes the connections need them.
#pragma once

#include "flott/base/config.h"

namespace flott {

inline constexpr ConfigOption<MemorySize> kMaxFrameSize{
    .key = "flott.network.max-frame-size",
    .defaultText = "64 mb",
    .description =
        "Bytes of a batch of records on its way to another worker. A larger one fails its task: a frame is "
        "in memory as a whole at both ends."};

inline constexpr ConfigOption<std::string> kNetworkCompression{
    .key = "flott.network.compression",
    .defaultText = "NONE",
    .description =
        "Whether batches on their way to another worker are compressed: less for the network, more for the "
        "processor.",
    .choices = "NONE|LZ4|ZSTD"};

inline constexpr ConfigOption<Duration> kNetworkConnectTimeout{
    .key = "flott.network.connect-timeout",
    .defaultText = "30 s",
    .description = "How long workers wait for the connection to each other.",
    .minimum = 1};

inline constexpr ConfigOption<Duration> kNetworkSilence{
    .key = "flott.network.silence-timeout",
    .defaultText = "20 s",
    .description =
        "A worker that another has not heard of for so long counts as lost, and their tasks fail. Each says "
        "something four times as often.",
    .minimum = 4};

}  // namespace flott
