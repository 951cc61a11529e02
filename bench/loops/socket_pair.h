// network-forward: 16-byte records from one thread to another over a loopback connection, as bytes.
#pragma once

#include "bench/harness.h"

namespace flott::bench {

/// One thread generates into blocks of 64 KiB and writes them, another reads and folds.
Outcome socketPairLoop(const Load& load);

}  // namespace flott::bench
