// The options of who asks a cluster: the `flott` command. As those of options.h, which does not include them:
// only standardOptions() and the command need them.
#pragma once

#include "flott/base/config.h"

namespace flott {

inline constexpr ConfigOption<std::string> kRestAddress{
    .key = "rest.address",
    .defaultText = "127.0.0.1",
    .description =
        "Where the flott command finds the cluster, with rest.port; -m HOST:PORT names another one."};

inline constexpr ConfigOption<Duration> kClientTimeout{
    .key = "client.timeout",
    .defaultText = "60 s",
    .description =
        "How long the flott command waits for what it has asked for, such as a savepoint, which goes on "
        "after that.",
    .minimum = 1};

}  // namespace flott
