// The engine's only door to the world: time, chance, files, network, threads, the log.
//
// Made once at the outermost edge (`main` of an app, the entry of the API, a test) by makeRealEnv() or
// SimulatedEnv and passed down by reference; whoever made it owns what it refers to and outlives all users.
// There is no other way to a clock or a thread, so whatever takes an Env can be run under a seed and virtual
// time. Copying copies references.
#pragma once

#include "flott/env/clock.h"
#include "flott/env/console.h"
#include "flott/env/files.h"
#include "flott/env/logger.h"
#include "flott/env/network.h"
#include "flott/env/object_store.h"
#include "flott/env/offload.h"
#include "flott/env/random.h"
#include "flott/env/signals.h"
#include "flott/env/system.h"
#include "flott/env/threads.h"

namespace flott {

struct Env {
  Clock& clock;
  /// The root stream: fork it, do not draw from it.
  const Random& random;
  Files& files;
  Network& network;
  Threads& threads;
  Offload& offload;
  Signals& signals;
  Console& console;
  Logger& log;
  System& system;
  ObjectStores& stores;
};

}  // namespace flott
