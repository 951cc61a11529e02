// How a worker gets links to other workers, and who steps them: a thread each, or a test's scheduler.
//
// The WorkerAgent opens links for each attempt of tasks that other workers have a part of. Called on the
// agent's lane.
//
//   std::unique_ptr<OpenedLinks> opened = plane.open(options);
//   opened->links().setPeers(peers, places);
//   Worker worker(graph, configuration, placement, {.remote = &opened->links()}, env, master);
//   opened->start();
#pragma once

#include <memory>
#include <string>

#include "flott/runtime/links/worker_links.h"

namespace flott {

class OpenedLinks {
 public:
  /// Has ended, or never begun.
  virtual ~OpenedLinks() = default;
  /// That listen.
  virtual WorkerLinks& links() = 0;
  /// Once, after the Worker was made: they are stepped from now on.
  virtual void start() = 0;
  /// Stops them; nobody steps them any more when it returns. Before the Worker dies.
  virtual void end() = 0;
};

class DataPlane {
 public:
  virtual ~DataPlane() = default;
  /// Links that listen where other workers reach this one: address and port of the options are not looked
  /// at. Throws what AsyncNetwork::listen() does.
  virtual std::unique_ptr<OpenedLinks> open(LinkOptions options) = 0;
  /// Where others reach it; numeric.
  virtual const std::string& address() const = 0;
};

/// A thread and sockets for each attempt.
std::unique_ptr<DataPlane> makeDataPlane(const Env& env, std::string address);

}  // namespace flott
