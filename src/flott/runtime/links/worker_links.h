// All links of a worker with others: what its tasks' channels to and from elsewhere run over.
//
// One for each Worker, made before it and gone after it. It listens from the beginning; once the places of
// all tasks and the addresses of their workers are known, the Worker is built with it, and then it is
// stepped: by a LinkThread, or in the simulation by the scheduler. Of two workers the one whose name comes
// first calls the other. Done when all its links have ended, well or not, or after stop(); only then may the
// Worker die.
//
//   WorkerLinks links(options, network, env);
//   report(links.port());                        // and learn where the others are
//   links.setPeers(peers, places);
//   Worker worker(graph, configuration, placement, {.tasks = mine, .remote = &links}, env, master);
//   LinkThread thread(env, network, links);
//   worker.deploy(scheduler);
//   ...
//   scheduler.join();
//   thread.join();                               // stop() first if the tasks were cancelled
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "flott/data/pool.h"
#include "flott/env/env.h"
#include "flott/runtime/links/link.h"
#include "flott/runtime/links/link_acceptor.h"
#include "flott/runtime/remote_channels.h"
#include "flott/runtime/runnable.h"

namespace flott {

class WorkerLinks final : public Runnable, public RemoteChannels {
 public:
  /// Listens when it returns. Network and env outlive it. Throws what AsyncNetwork::listen() does.
  WorkerLinks(LinkOptions options, AsyncNetwork& network, const Env& env);
  ~WorkerLinks() override;

  uint16_t port() const { return acceptor_.port(); }
  /// Other workers by their names, and the names of those that have the tasks elsewhere, by vertex and
  /// subtask. Before the Worker is made.
  void setPeers(std::map<std::string, PeerAddress> peers, std::map<std::pair<int, int>, std::string> places);
  /// Gives up all connections: their tasks have been cancelled. Any thread.
  void stop();

  // RemoteChannels
  Waker& waker() override { return Runnable::waker(); }
  void addOutgoing(uint32_t number, PeerTask receiver, Channel& channel, Task& sender) override;
  void addIncoming(uint32_t number, PeerTask sender, Channel& channel, Task& receiver, PoolOf pool) override;

  // Runnable
  Progress step(StepTime now) override;
  int64_t deadlineNanos() const override;
  std::string where() const override { return "the links of worker '" + options_.worker + "'"; }

 private:
  Link& linkTo(PeerTask task);
  void begin(int64_t nowNanos);
  void accept(int64_t nowNanos);

  const LinkOptions options_;
  AsyncNetwork& network_;
  const Env env_;
  BatchPools pools_;  // outlives the links, and with them all that is on its way to tasks
  LinkAcceptor acceptor_;
  std::map<std::string, PeerAddress> peers_;
  std::map<std::pair<int, int>, std::string> places_;
  std::map<std::string, std::unique_ptr<Link>> links_;  // by peer
  bool begun_ = false;
  std::atomic<bool> stopped_{false};
};

/// Steps the links on a thread of their own until they are done.
class LinkThread final : private Bell {
 public:
  /// Starts. The links and their network outlive it.
  LinkThread(const Env& env, AsyncNetwork& network, WorkerLinks& links);
  /// As stop() and join().
  ~LinkThread();
  void join();

 private:
  void ring(WakeUp) override { network_.wake(); }
  void run();

  const Env env_;
  AsyncNetwork& network_;
  WorkerLinks& links_;
  std::unique_ptr<Thread> thread_;
};

}  // namespace flott
